"""Which files of a repository a model is made of: often it holds the same weights several times, in other formats.

What is read by name is wanted: settings, vocabularies, the safetensors that the loaders open, and the same of each
folder that `modules.json` names. Pickles and code never are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path, PurePosixPath

from qdrant_embed.errors import ModelError
from qdrant_embed.extras import is_installed
from qdrant_embed.models.files.graph_files import BESIDE, GRAPH_FILES
from qdrant_embed.models.files.json_files import MODULES, read_json
from qdrant_embed.models.files.layouts import ARTIFACT, ROUTES, every_module
from qdrant_embed.models.files.lora import CONFIG, WEIGHTS, is_adapter
from qdrant_embed.models.files.word_vectors import find_table
from qdrant_embed.models.runtime_specs import REFERENCE, RUNTIMES
from qdrant_embed.registry import import_target

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
_SETTINGS = (".json", ".txt", ".model", ".vec")
_BESIDE = (WEIGHTS, "latent_pooling.safetensors")
"""Weights that stand beside those of a transformer and are read by their names."""
_VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")
_WITHOUT_FILES = ("Normalize", "Dropout")
"""Modules that have nothing to store, and so no folder on the hub."""


def telling_files(listed: Iterable[str]) -> list[str]:
    """Return the files that tell which others are needed; they are small, and fetched first."""
    names = (MODULES, "config.json", CONFIG, ROUTES)
    return [name for name in listed if name in names or name.endswith(("/" + ROUTES, INDEX))]


def needed_files(listed: Collection[str], folder: Path, more: Iterable[str] = ()) -> list[str]:
    """Return the files that a model needs of its repository, in the repository's order.

    :param listed: All of its files.
    :param folder: Where those are already that `telling_files` names.
    :param more: Folders within it that are needed too: those of adapters.
    """
    stated = read_json(folder / MODULES)
    modules = [*stated, *every_module(folder, stated)]
    places = {".", *(str(PurePosixPath(str(module["path"]))) for module in modules), *(str(place) for place in more)}
    wanted = {name for place in places for name in _needed_of(place, listed, folder)}
    return [name for name in listed if name in wanted]


def _needed_of(place: str, listed: Collection[str], folder: Path) -> Iterator[str]:
    inside = {PurePosixPath(name).name: name for name in listed if str(PurePosixPath(name).parent) == place}
    for file, name in inside.items():
        if file.endswith(_SETTINGS) or file in (ARTIFACT, *_BESIDE):
            yield name
    if SINGLE in inside:
        yield inside[SINGLE]
    elif INDEX in inside:
        shards = set(read_json(folder / inside[INDEX]).get("weight_map", {}).values())
        yield from (name for file, name in inside.items() if file in shards)
    else:
        yield from (name for file, name in inside.items() if file.endswith(".safetensors"))
    if not any(file.endswith(".safetensors") for file in inside) or _runs_by_graph(folder / place):
        yield from _graph_of(place, listed)


def _runs_by_graph(transformer: Path) -> bool:
    """Tell whether nothing that is installed runs a transformer's weights, as long as it brings no graph."""
    model_type = read_json(transformer / "config.json").get("model_type")
    if not model_type or is_installed(REFERENCE):
        return False
    known = (import_target(RUNTIMES.get(name).architectures) for name in RUNTIMES if RUNTIMES.get(name).architectures)
    return not any(model_type in types for types in known)


def _graph_of(place: str, listed: Collection[str]) -> list[str]:
    """Return the files of the graph that a transformer's folder brings; none where it brings none."""
    graphs = [name for name in GRAPH_FILES if (PurePosixPath(place) / name).as_posix() in listed]
    if not graphs:
        return []
    folder = graphs[0].split("/")[0]
    wanted = [graphs[0], *(name for name in BESIDE if name.startswith(f"{folder}/"))]
    return [found for name in wanted if (found := (PurePosixPath(place) / name).as_posix()) in listed]


def missing_parts(folder: Path, known: Iterable[str] = ()) -> list[str]:
    """Return what a model's folder lacks of a configuration, weights, vocabulary and the folders of its modules.

    Other libraries download file by file: a tokenizer alone is in the hub's cache just as a whole model is.

    :param known: Files that it needs, where that is known.
    """
    lost = [name for name in known if not (folder / name).exists()]
    if lost or find_table(folder):
        return lost
    if is_adapter(folder):
        return [] if (folder / WEIGHTS).exists() else [WEIGHTS]
    missing = [] if any((folder / name).exists() for name in ("config.json", MODULES)) else ["config.json"]
    if not any(folder.rglob("*.safetensors")) and not any(any(folder.rglob(name)) for name in GRAPH_FILES):
        missing.append("weights (*.safetensors)")
    if not any(found for pattern in _VOCABULARIES for found in folder.rglob(pattern)):
        missing.append("tokenizer.json")
    stored = [module for module in read_json(folder / MODULES) if not module["type"].endswith(_WITHOUT_FILES)]
    missing += [f"{module['path']}/" for module in stored if not (folder / module["path"]).is_dir()]
    for index in folder.rglob("*.safetensors.index.json"):
        shards = set(read_json(index).get("weight_map", {}).values())
        missing += sorted(shard for shard in shards if not (index.parent / shard).exists())
    return missing


def refuse_pickles(name: str, listed: Iterable[str], preset: str, pinned: str = "") -> None:
    """Say how to convert weights that were published as pickles only, which are not downloaded.

    :param name: The repository.
    :param preset: Name of the preset that wants it, if one does.
    :param pinned: Its revision.
    :raises ModelError: There are such, and no others.
    """
    files = [PurePosixPath(file).name for file in listed]
    brought = any(file.endswith(GRAPH_FILES) for file in listed)
    if brought or any(file.endswith((".safetensors", ".vec")) for file in files) or "pytorch_model.bin" not in files:
        return
    revision = f", revision={pinned!r}" if pinned else ""
    raise ModelError(
        f"{name!r}{f' at {pinned}' if pinned else ''} has pickled weights only (pytorch_model.bin), which can run code "
        "when they are loaded. Convert them once, where that does no harm:\n"
        '  python -c "from sentence_transformers import SentenceTransformer as S; '
        f"S({name!r}{revision}).save_pretrained('FOLDER')\"\n"
        "and name the new folder in a preset file of your own (see 'Your own model' in docs/guide/models.md):\n"
        f'  [models."{preset or "NAME"}"]\n  source = "FOLDER"'
    )
