"""Models brought to this machine ahead of their use, listed, and removed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from qdrant_embed.display import Facts, aligned, html_table, in_words, one_line
from qdrant_embed.errors import ModelError, UnknownNameError, require_type
from qdrant_embed.models.availability import WeightsLocation, find_weights
from qdrant_embed.models.hub.checksums import forget_files
from qdrant_embed.models.hub.download_bar import DownloadProgress
from qdrant_embed.models.hub.downloads import FetchedRepository, FetchOrder, fetching
from qdrant_embed.models.hub.hub_names import split_name
from qdrant_embed.models.hub.local_copies import disk_size, hub_folder, remove_copies, storage_of
from qdrant_embed.models.hub.machine_models import cached_repositories
from qdrant_embed.models.preset_files import read_presets
from qdrant_embed.models.resolve import preset_values, resolve
from qdrant_embed.types import Json

_LISTED = ("model", "presets", "revision", "size", "state")


@dataclass(frozen=True, slots=True)
class FetchedModel:
    """A model that is on this machine.

    :param name: What was asked for.
    :param place: What holds it, in words.
    :param repositories: Those of the hub that it is made of: its own, and the one that an adapter is added to.
    :param note: Why it is no model that gives one vector of a text, as those that rank again are not.
    """

    name: str
    place: str
    repositories: tuple[FetchedRepository, ...] = ()
    note: str = ""

    @property
    def folder(self) -> Path | None:
        """Folder of its files; None where it has none on the hub."""
        return self.repositories[0].folder if self.repositories else None

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(one.size for one in self.repositories)

    @property
    def downloaded(self) -> int:
        """Bytes of them that came over the network now."""
        return sum(one.downloaded for one in self.repositories)

    def as_dict(self) -> dict[str, Json]:
        """Return JSON-ready values."""
        parts = [{"name": one.name, "folder": str(one.folder), "bytes": one.size} for one in self.repositories]
        return {
            "name": self.name, "place": self.place, "bytes": self.size, "downloaded_bytes": self.downloaded,
            "repositories": parts, "note": self.note,
        }  # fmt: skip

    def __str__(self) -> str:
        if not self.repositories:
            return f"{one_line(self.name)}: nothing to download ({one_line(self.place)})"
        came = f"{in_words(self.downloaded)} downloaded" if self.downloaded else "nothing to download"
        parts = ", ".join(one_line(one.name) for one in self.repositories)
        told = f"{one_line(self.name)}: {in_words(self.size)} in {one_line(str(self.folder))} ({parts}; {came})"
        return f"{told}. To embed texts it cannot be used: {self.note}" if self.note else told


def fetch_model(
    name: str,
    *,
    verify: bool = False,
    progress: DownloadProgress | None = None,
    presets: str | Path | None = None,
) -> FetchedModel:
    """Bring a model to this machine, so that it loads without a network from now on.

    Of its repository on the hub come the files alone that are needed, each compared with the checksum that the hub
    states. What is here whole is left as it is; what broke off, in an earlier process too, goes on where it did; a file
    that was damaged since comes anew. The hub's own settings hold: `HF_HOME`, `HF_ENDPOINT`, `HF_TOKEN`,
    `HF_HUB_OFFLINE`.

    :param name: A preset, `owner/name`, or `owner/name@revision` with a commit, a tag or a branch.
    :param verify: Whether every byte is compared that is here already, which else is done where a file's size or time
        has moved.
    :param progress: Called as it gets on; by default a bar is shown on a terminal.
    :param presets: A preset file or folder of your own, laid over the others.
    :raises UnknownNameError: It is none of them.
    :raises ModelError: The hub does not give it, it does not fit on the disk, or it cannot be loaded.
    """
    require_type("name", name, str, "the name of a preset, or owner/name")
    files, note = None, ""
    with fetching(FetchOrder(progress, verify)) as order:
        try:
            files = resolve(name, presets).files
        except ModelError as error:
            if not order.fetched or split_name(name) is None:
                raise
            note = str(error)  # one that ranks again, perhaps: what it is made of is here
    if order.fetched:
        own, *others = order.fetched
        return FetchedModel(name, f"the hub's cache of {own.name}", (own, *others), note)
    place = f"the folder {files.folder}" if files else "none needed"
    with suppress(UnknownNameError):
        place = find_weights(name).place
    return FetchedModel(name, place)


class LocalModels(list[dict[str, Any]]):
    """What is on this machine of models, JSON-ready: a list that also draws itself as a table, and prints as lines."""

    @property
    def size(self) -> int:
        """Bytes of all."""
        return sum(int(model["bytes"]) for model in self)

    def rows(self) -> Iterator[tuple[str, str, str, str, str]]:
        """Yield name, presets, revision, size and state of each, as a table has them."""
        for model in self:
            lost = model["missing"]
            first = lost[0] if len(lost) == 1 else f"{lost[0]} and {len(lost) - 1} more" if lost else ""
            state = f"a part: {first} missing" if lost else "whole"
            presets, revisions = ", ".join(model["presets"]) or "–", ", ".join(map(_short, model["revisions"]))
            yield one_line(model["name"]), presets, one_line(revisions), in_words(model["bytes"]), one_line(state)

    def __str__(self) -> str:
        return aligned([_LISTED, *self.rows()], right=(3,)) if self else f"no models in {hub_folder()}"

    def _repr_html_(self) -> str:
        return html_table(_LISTED, self.rows(), nothing="no models on this machine")


def list_local_models() -> LocalModels:
    """Return the models that this machine has: those of the hub's cache, which other programs share, and of packages.

    :return: Of each `name`, `presets` that use it, `revisions`, `bytes` on disk, `folder`, and what is `missing`.
    """
    named: dict[str, list[str]] = {}
    packaged = []
    for name, entry in sorted(read_presets().items()):
        named.setdefault(str(entry.values.get("source", "")).lower(), []).append(name)
        module = str(entry.values.get("package", "")).partition(":")[0]
        spec = find_spec(module) if module else None
        if spec is not None and spec.origin:
            folder = Path(spec.origin).parent
            packaged.append(_row(f"package {module}", [name], [], disk_size(folder), folder, ()))
    hub = [
        _row(one.name, named.get(one.name.lower(), []), one.revisions, one.size, one.folder, one.missing)
        for one in cached_repositories()
    ]
    return LocalModels([*packaged, *hub])


def _row(
    name: str, presets: list[str], revisions: Sequence[str], size: int, folder: Path, missing: Sequence[str]
) -> dict[str, Any]:
    return {
        "name": name, "presets": presets, "revisions": list(revisions), "bytes": size, "folder": str(folder),
        "missing": list(missing),
    }  # fmt: skip


def remove_model(name: str) -> Facts:
    """Remove a model from the hub's cache on this machine, with all of its revisions; it can be fetched again.

    :param name: A preset or `owner/name`.
    :return: `name` of the repository, its `folder` and `removed_bytes`.
    :raises UnknownNameError: It is neither.
    :raises ModelError: It is not in the cache, or something of it cannot be removed.
    """
    require_type("name", name, str, "the name of a preset, or owner/name")
    repository = _repository_of(name)
    folder = storage_of(repository)
    if not folder.is_dir():
        raise ModelError(f"{repository!r} is not on this machine; qdrant-embed models list says what is.")
    snapshots = list((folder / "snapshots").glob("*"))
    try:
        removed = remove_copies(repository)
    except OSError as error:
        raise ModelError(f"{repository!r} could not be removed from {folder}: {error.strerror}.") from error
    for snapshot in snapshots:
        forget_files(snapshot)
    return Facts(name=repository, folder=str(folder), removed_bytes=removed)


def _repository_of(name: str) -> str:
    try:
        values, _ = preset_values(name)
    except UnknownNameError:
        hub_id = split_name(name)
        if hub_id is None:
            raise
        return hub_id[0]
    weights: WeightsLocation = find_weights(name)
    module = str(values.get("package", "")).partition(":")[0]
    if module and find_spec(module) is not None:
        raise ModelError(f"{name!r} comes from {weights.place}; type: pip uninstall {module.replace('_', '-')}")
    source = str(values.get("source", ""))
    if split_name(source) is None:
        raise ModelError(f"{name!r} has nothing in the hub's cache that could be removed ({weights.place}).")
    return source


def _short(revision: str) -> str:
    return revision[:12] if len(revision) == 40 else revision
