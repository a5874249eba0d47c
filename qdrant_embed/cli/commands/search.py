"""`qdrant-embed search`: passages for a question."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qdrant_embed.cli import parameters
from qdrant_embed.cli.locations import open_stored
from qdrant_embed.cli.output import results, write_json
from qdrant_embed.display import reason

if TYPE_CHECKING:
    from qdrant_embed import Collection
    from qdrant_embed.types import Json


class Mode(StrEnum):
    """How passages are ranked."""

    HYBRID = "hybrid"
    RRF = "rrf"
    DENSE = "dense"
    BM25 = "bm25"
    SPARSE = "sparse"
    MULTIVECTOR = "multivector"


class Group(StrEnum):
    """What gives one passage each."""

    DOCUMENT = "document"


BATCH = 64
"""Questions of a file that are embedded together."""


def search(  # noqa: PLR0913 - one parameter for each flag
    words: Annotated[
        list[str] | None, typer.Argument(help="The question; several words need no quotes.", metavar="[QUESTION]...")
    ] = None,
    *,
    at: parameters.At = parameters.DEFAULT_LOCATION,
    collection: parameters.Name = parameters.DEFAULT_COLLECTION,
    k: Annotated[int, typer.Option("-k", "--k", min=1, help="Number of passages.")] = 5,
    offset: Annotated[int, typer.Option(min=0, help="Skip the first passages: -k 5 --offset 5 is page two.")] = 0,
    mode: Annotated[
        Mode, typer.Option(help="Search by meaning (dense), by words (bm25), by both (hybrid) …")
    ] = Mode.HYBRID,
    filter: Annotated[
        list[str] | None,
        typer.Option(help="key=value ('guide/*' for a prefix) or JSON; repeatable, all must hold."),
    ] = None,
    min_score: Annotated[
        float | None, typer.Option(help="Drop hits with a lower score; the scale depends on the mode.")
    ] = None,
    group_by: Annotated[
        Group | None, typer.Option(help="Return the best passage of each document; -k counts these.")
    ] = None,
    expand: Annotated[
        str, typer.Option(help="Add this many chunks on each side of a passage, or 'section' for its whole section.")
    ] = "0",
    rerank: Annotated[
        list[str] | None,
        typer.Option(help="Rerank the first hits: tokens, mmr:0.3, recency:30d …; repeatable."),
    ] = None,
    min_confidence: Annotated[
        float, typer.Option(min=0, max=1, help="Print nothing if the confidence in an answer is lower.")
    ] = 0.0,
    explain: Annotated[bool, typer.Option("--explain", help="Explain why each passage was found.")] = False,
    no_feedback: Annotated[
        bool, typer.Option("--no-feedback", help="Do not move the question toward its first passage (hybrid).")
    ] = False,
    queries: Annotated[
        str | None,
        typer.Option(
            help="File of questions, one per line, or - for stdin; prints a JSON line for each.", metavar="FILE"
        ),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Print passages in full.")] = False,
    attach: parameters.Attach = None,
    runtime: parameters.Runtime = "auto",
    as_json: parameters.AsJson = False,
) -> None:
    """Print the best passages for a question, best first."""
    where = parse_filters(filter or ())
    query = " ".join(words or ())
    if bool(query.strip()) == (queries is not None):
        raise typer.BadParameter("give one question, or --queries FILE with many", param_hint="QUESTION")
    asked: dict[str, Json] = {
        "k": k, "offset": offset, "filter": where, "mode": mode.value, "min_score": min_score,
        "group_by": group_by and group_by.value, "expand": int(expand) if expand.isdecimal() else expand,
        "rerank": list(rerank) if rerank else None, "min_confidence": min_confidence, "explain": explain,
        "feedback": not no_feedback,
    }  # fmt: skip
    opened = partial(open_stored, collection, at, runtime, attach=attach)
    if queries is not None:
        _answer_lines(_batches(queries), opened, asked)
        return
    with opened() as docs:
        hits = docs.search(query, **asked)
    if as_json:
        told = {"query": query, "collection": collection, "at": at, **asked}
        write_json({**told, "confidence": hits.confidence, "hits": [hit.as_dict() for hit in hits]})
    else:
        from qdrant_embed.retrieval import to_rich

        results().print(to_rich(hits, None if full else parameters.SHOWN))


def _answer_lines(batches: Iterator[list[str]], opened: Callable[[], Collection], asked: dict[str, Json]) -> None:
    with opened() as docs:
        for questions in batches:
            for hits in docs.search(questions, **asked):
                told = {"query": hits.query, "confidence": hits.confidence}
                write_json({**told, "hits": [hit.as_dict() for hit in hits]}, indent=None)


def _batches(place: str) -> Iterator[list[str]]:
    """Yield the questions of a file, many at once; those of stdin one by one, since somebody may wait for each answer.

    :raises typer.BadParameter: The file cannot be read.
    """
    if place == "-":
        yield from ([line.strip()] for line in sys.stdin if line.strip())
        return
    try:
        text = Path(place).read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise typer.BadParameter(f"{place!r} cannot be read: {reason(error)}", param_hint="--queries") from None
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    yield from (lines[start : start + BATCH] for start in range(0, len(lines), BATCH))


def parse_filters(given: Sequence[str]) -> dict[str, Json] | None:
    """Read `--filter` values: `page=3`, `source=guide/*`, or a JSON object; several must all hold.

    :raises typer.BadParameter: One is neither.
    """
    parsed = [_parse_filter(text) for text in given]
    if len(parsed) < 2:
        return parsed[0] if parsed else None
    return {"all": parsed}


def _parse_filter(text: str) -> dict[str, Any]:
    if text.lstrip().startswith("{"):
        try:
            found = json.loads(text)
        except json.JSONDecodeError as error:
            raise typer.BadParameter(f"{text!r} is not valid JSON: {error}", param_hint="--filter") from None
        return dict(found)
    key, equals, value = text.partition("=")
    if not equals or not key.strip() or key.rstrip()[-1] in "<>!":
        raise typer.BadParameter(
            f"""{text!r} is neither key=value nor JSON. Examples: source=guide/*, '{{"page": {{"gte": 3}}}}'.""",
            param_hint="--filter",
        )
    return {key.strip(): _value(value.strip())}


def _value(text: str) -> Json:
    """Take numbers, true, false, null and quoted texts as JSON does, everything else as text."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return text
    return value if isinstance(value, str | int | float | None) else text
