"""Names of repositories on the hub, and what to type to get one."""

from __future__ import annotations

import re

REPOSITORY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*/[A-Za-z0-9_][A-Za-z0-9_.\-]*")
COMMIT = re.compile(r"[0-9a-f]{40}")
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.\-]*)*")
"""A commit, a tag or a branch; none of its parts begins with a dot, so that it stays below the folder of revisions."""


def split_name(name: str) -> tuple[str, str] | None:
    """Return repository and revision of `owner/name` or `owner/name@revision`; None for anything else."""
    repository, at, revision = name.partition("@")
    if not REPOSITORY.fullmatch(repository) or (at and not _REVISION.fullmatch(revision)):
        return None
    return repository, revision


def joined_name(repository: str, revision: str = "") -> str:
    """Return `owner/name@revision`, or without the latter where it is empty."""
    return f"{repository}@{revision}" if revision else repository


def download_line(name: str) -> str:
    """Return what to type to download a model: a preset or `owner/name@revision`."""
    return f"qdrant-embed models fetch {name}"
