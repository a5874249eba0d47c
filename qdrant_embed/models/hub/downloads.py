"""A repository's files on this machine: looked for, compared with their checksums, downloaded where they lack."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from qdrant_embed.errors import ModelError, QdrantEmbedError
from qdrant_embed.models.files.json_files import MODULES
from qdrant_embed.models.files.lora import is_adapter
from qdrant_embed.models.files.word_vectors import find_table
from qdrant_embed.models.hub.checksums import (
    GIT,
    SHA256,
    KeptFile,
    KeptFiles,
    compared_in_full,
    is_listed,
    keep_files,
    kept_files,
    look_at,
    require_undamaged,
)
from qdrant_embed.models.hub.download_bar import DownloadProgress, DownloadState, shown_download
from qdrant_embed.models.hub.hub_errors import cure, download_error, require_room
from qdrant_embed.models.hub.hub_names import COMMIT, joined_name
from qdrant_embed.models.hub.local_copies import (
    lacks_for_sure,
    link,
    local_copy,
    note_revision,
    storage_of,
    unlink,
)
from qdrant_embed.models.hub.needed_files import missing_parts, needed_files, refuse_pickles, telling_files
from qdrant_embed.models.hub.transfer import transfer
from qdrant_embed.models.telemetry import stay_silent

log = logging.getLogger("qdrant_embed.models.hub")


@dataclass(frozen=True, slots=True)
class FetchedRepository:
    """A repository that is here now.

    :param name: `owner/name`, with the revision where one was asked for.
    :param size: Bytes of the files that are needed.
    :param downloaded: Bytes that came over the network.
    """

    name: str
    folder: Path
    size: int
    downloaded: int


@dataclass(slots=True)
class FetchOrder:
    """That somebody wants models here and whole, and asked for it: what is damaged is then downloaded again.

    :param progress: Called as a download gets on; None shows it as usual.
    :param verify: Whether every byte is hashed that is here already.
    :param fetched: What was fetched.
    """

    progress: DownloadProgress | None = None
    verify: bool = False
    fetched: list[FetchedRepository] = field(default_factory=list)


_ORDER: ContextVar[FetchOrder | None] = ContextVar("_ORDER", default=None)


@contextmanager
def fetching(order: FetchOrder) -> Iterator[FetchOrder]:
    """Let `fetch` do as was asked while the block runs."""
    token = _ORDER.set(order)
    try:
        yield order
    finally:
        _ORDER.reset(token)


def fetch(
    repository: str, revision: str = "", *, install: str = "", preset: str = "", more: Iterable[str] = ()
) -> Path:
    """Return the local copy of a repository, downloading it if need be and allowed.

    :param revision: Commit, tag or branch.
    :param install: A pip requirement that brings the same model, for the error message.
    :param preset: Name of the preset that wants it, for error messages.
    :param more: Folders within it that are needed beside those of its modules: of adapters.
    :raises ModelError: There is no whole local copy, and the hub does not give one; its weights are pickles; or a file
        is not what was downloaded.
    """
    stay_silent()
    order, name = _ORDER.get(), joined_name(repository, revision)
    found = local_copy(repository, revision)
    missing = missing_in(found) if found is not None else []
    whole = found is not None and not missing
    if found is not None and whole and order is None and _is_listed(found):
        require_undamaged(found, preset or name)
        return found
    if found is not None and whole and order is not None and _is_sound(found, order):
        order.fetched.append(FetchedRepository(name, found, _size_of(found), 0))
        return found
    try:
        return _Download(repository, revision, tuple(more), preset, order).run()
    except QdrantEmbedError:
        raise
    except Exception as error:  # the hub's client raises its own, those of httpx, and plain OS errors
        if found is not None and whole:
            with compared_in_full() if order and order.verify else nullcontext():
                require_undamaged(found, preset or name)
            if order is not None:
                order.fetched.append(FetchedRepository(name, found, _size_of(found), 0))
            return found
        partly = f" but for a part ({', '.join(missing)} missing)" if missing else ""
        raise download_error(error, repository, revision, cure(preset or name, install), partly) from error


def missing_in(folder: Path) -> list[str]:
    """Return what a snapshot lacks of what it should have."""
    return missing_parts(folder, kept_files(folder) or ())


def _is_listed(folder: Path) -> bool:
    """Tell whether it is known what else the repository holds: modules behind the transformer, or none."""
    if (folder / MODULES).exists() or find_table(folder) or is_adapter(folder):
        return True
    return is_listed(folder) or lacks_for_sure(folder, MODULES)


def _is_sound(folder: Path, order: FetchOrder) -> bool:
    """Look at a snapshot that is whole; what is damaged in it is removed, to be downloaded again."""
    files = kept_files(folder)
    if files is None or not is_listed(folder):
        return False
    after, damaged = look_at(folder, files, whole=order.verify)
    keep_files(folder, after)
    for name in damaged:
        log.warning("%s is damaged and is downloaded again", folder / name)
        unlink(folder / name)
    return not damaged


def _size_of(folder: Path) -> int:
    return sum(file.size for file in (kept_files(folder) or {}).values())


class _Download:
    """A repository that is on its way.

    :param more: Folders within it that are needed too.
    """

    def __init__(
        self, repository: str, revision: str, more: tuple[str, ...], preset: str, order: FetchOrder | None
    ) -> None:
        self._repository, self._revision, self._more = repository, revision, more
        self._preset, self._order = preset, order
        self._name = joined_name(repository, revision)
        self._came, self._done = 0, 0

    def run(self) -> Path:
        """Download what is needed and not here, and return the snapshot."""
        commit, listed = self._listed()
        storage = storage_of(self._repository)
        snapshot = storage / "snapshots" / commit
        refuse_pickles(self._repository, listed, self._preset, self._revision)
        listed |= self._get({name: listed[name] for name in telling_files(listed)}, snapshot, lambda state: None)
        files = {name: listed[name] for name in needed_files(listed, snapshot, self._more)}
        keep_files(snapshot, files)  # before they are here: what is interrupted is known to lack them
        here, damaged = look_at(snapshot, {name: file for name, file in files.items() if (snapshot / name).exists()})
        for name in damaged:
            unlink(snapshot / name)
        wanted = {name: file for name, file in files.items() if name not in here or name in damaged}
        total = sum(max(file.size, 0) for file in wanted.values())
        existing = next(place for place in (storage, *storage.parents) if place.exists())
        require_room(self._name, total, shutil.disk_usage(existing).free)
        if wanted:
            own = self._order.progress if self._order else None
            with shown_download(self._name, total, storage, own) as tell:
                self._done = 0
                files |= self._get(wanted, snapshot, lambda state: tell(replace(state, total=total)))
        after, _ = look_at(snapshot, {**files, **{name: file for name, file in here.items() if name not in wanted}})
        keep_files(snapshot, after)
        if missing := missing_parts(snapshot, after):
            raise ModelError(
                f"the hub's {self._name!r} has only a part of a model: {', '.join(missing)} missing. Name another "
                "model; qdrant-embed models lists some."
            )
        note_revision(self._repository, self._revision, commit)
        if self._order is not None:
            self._order.fetched.append(FetchedRepository(self._name, snapshot, _size_of(snapshot), self._came))
        return snapshot

    def _listed(self) -> tuple[str, dict[str, KeptFile]]:
        """Ask the hub for the commit and its files."""
        from huggingface_hub import HfApi, constants

        info: Any = HfApi().model_info(
            self._repository,
            revision=self._revision or None,
            files_metadata=True,
            timeout=constants.HF_HUB_ETAG_TIMEOUT,
        )
        commit = str(info.sha)
        if not COMMIT.fullmatch(commit):
            raise OSError(f"the hub names no commit of {self._name!r}, but {commit!r}")
        if str(info.id).lower() != self._repository.lower():
            log.warning("the hub has %s under a new name: %s", self._repository, info.id)
        return commit, {entry.rfilename: _stated(entry) for entry in info.siblings if _is_safe(entry.rfilename)}

    def _get(self, files: KeptFiles, snapshot: Path, tell: DownloadProgress) -> dict[str, KeptFile]:
        """Bring files into a snapshot; return them as they are here."""
        from huggingface_hub import hf_hub_url

        found = {}
        for name, file in files.items():
            pointer = snapshot / name
            if pointer.exists():
                continue
            url = hf_hub_url(self._repository, name, revision=snapshot.name)
            stated = file if file.size >= 0 and file.digest else _asked(url, file)

            def tick(count: int, *, came: bool, name: str = name) -> None:
                self._done += count
                self._came += count if came else 0
                tell(DownloadState(self._name, name, self._done, 0))

            blob, digest = transfer(url, snapshot.parents[1] / "blobs", stated, tick)
            link(blob, pointer)
            status = pointer.stat()
            found[name] = KeptFile(status.st_size, digest, int(status.st_mtime))
        return found


def _stated(entry: Any) -> KeptFile:
    """Return what the hub says of a file; mirrors say less."""
    lfs = entry.lfs
    digest = str((lfs.sha256 if lfs is not None else entry.blob_id) or "")
    size = lfs.size if lfs is not None else entry.size
    return KeptFile(-1 if size is None else int(size), _digest(digest))


def _asked(url: str, file: KeptFile) -> KeptFile:
    """Ask for size and digest of one file, where the list does not say."""
    from huggingface_hub import get_hf_file_metadata

    found = get_hf_file_metadata(url)
    size = file.size if found.size is None else found.size
    return KeptFile(size, file.digest or _digest(found.etag or ""))


def _digest(stated: str) -> str:
    return stated if SHA256.fullmatch(stated) or GIT.fullmatch(stated) else ""


def _is_safe(name: str) -> bool:
    """Tell whether a file of a repository stays below its folder."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name and ":" not in name
