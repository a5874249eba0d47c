"""LongEmbed's own six sets, through `mteb`, where that is installed and the hub can be reached."""

from collections.abc import Mapping
from typing import Any

from benchmarks.long_context.tasks import LENGTHS, Task

SETS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "passkey": ("LEMBPasskeyRetrieval", tuple(f"test_{length}" for length in LENGTHS)),
    "needle": ("LEMBNeedleRetrieval", tuple(f"test_{length}" for length in LENGTHS)),
    "narrativeqa": ("LEMBNarrativeQARetrieval", ("test",)),
    "qmsum": ("LEMBQMSumRetrieval", ("test",)),
    "summscreenfd": ("LEMBSummScreenFDRetrieval", ("validation",)),
    "2wikimqa": ("LEMBWikimQARetrieval", ("test",)),
}
"""Our name → theirs, and its splits."""


def official(name: str) -> list[Task]:
    """Return a set's tasks, one for each split; asks the network.

    :raises SystemExit: `mteb` is not installed, or the data cannot be fetched.
    """
    try:
        import mteb
    except ImportError:
        raise SystemExit("LongEmbed's own sets are read with mteb: pip install mteb, or leave out --official") from None
    their_name, splits = SETS[name]
    task = mteb.get_task(their_name)
    try:
        task.load_data()
    except Exception as error:
        raise SystemExit(f"{their_name} cannot be fetched ({type(error).__name__}: {error}); skip it") from error
    [parts] = task.dataset.values()
    return [as_task(name, split, parts[split]) for split in splits]


def as_task(name: str, split: str, part: Mapping[str, Any]) -> Task:
    """Return one split in our form.

    :param part: Rows of `corpus` and `queries` with `id` and `text`, and `relevant_docs`.
    """
    length = split.removeprefix("test_")
    return Task(
        f"official-{name}",
        int(length) if length.isdigit() else 0,
        {row["id"]: row["text"] for row in part["queries"] if row["id"] in part["relevant_docs"]},
        {row["id"]: f"{row.get('title') or ''} {row['text']}".strip() for row in part["corpus"]},
        part["relevant_docs"],
    )
