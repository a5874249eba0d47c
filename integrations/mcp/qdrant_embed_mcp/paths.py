"""What `ingest` may read: what lies below the folders that the server was started with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qdrant_embed.errors import ConfigurationError


def path_below(path: str, folders: Sequence[Path]) -> Path:
    """Return the file or folder that a client means, symlinks resolved.

    :param path: Absolute, or relative to one of the folders.
    :param folders: Absolute, symlinks resolved.
    :raises ConfigurationError: It is not below one of them, or there is none.
    """
    if not folders:
        raise ConfigurationError(
            "nothing may be ingested: start the server with --folder DIR for each folder that may."
        )
    if "\x00" in path or not path.strip():
        raise ConfigurationError(f"{path!r} is no path; give one below {_listed(folders)}.")
    for folder in folders:
        found = (folder / path).resolve()
        if found.is_relative_to(folder) and found.exists():
            return found
    raise ConfigurationError(f"there is no {path!r} below {_listed(folders)}; give a file or folder that is there.")


def require_inside(folder: Path, within: Sequence[Path]) -> None:
    """Refuse a folder with a link that leads out of what may be read, since an ingest follows links.

    :raises ConfigurationError: There is one.
    """
    links = (path for path in folder.rglob("*") if path.is_symlink()) if folder.is_dir() else ()
    for link in links:
        if not any(link.resolve().is_relative_to(allowed) for allowed in within):
            raise ConfigurationError(f"{str(link)!r} leads out of {_listed(within)}; remove the link, or ingest less.")


def _listed(folders: Sequence[Path]) -> str:
    return ", ".join(repr(str(folder)) for folder in folders)
