"""What comes out of a model: one vector, weights of terms, or a vector for every token; as its own files tell it.

Three layouts of multi-vector models are read: that of sentence-transformers, that of PyLate (prefixes and lengths
stand in `config_sentence_transformers.json`), and that of Stanford's ColBERT (`artifact.metadata`, weights of the
projection among those of the transformer).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qdrant_embed.errors import ConfigurationError, ModelError
from qdrant_embed.models.files.json_files import read_json
from qdrant_embed.models.presets import Preset
from qdrant_embed.types import Json

SETTINGS = "config_sentence_transformers.json"
ARTIFACT = "artifact.metadata"
ROUTES = "router_config.json"
STANFORD = "HF_ColBERT"
PYLATE_DENSE = "pylate.models.Dense.Dense"
"""PyLate's name for a module that sentence-transformers has too, and reads under this name."""
STANFORD_QUERY_TOKENS = 32
ROUTERS = ("Router", "Asym")
"""Modules that send texts one way and questions another; the latter is the older name."""
Module = Mapping[str, Any]
"""An entry of `modules.json`: `path` within the model's folder, and `type`."""
_SPARSE = {"SpladePooling", "SparseStaticEmbedding", "SparseAutoEncoder"}
_MULTIVECTOR = {"ColBERT", "MultiVectorEncoder"}
_USE = {
    "dense": "Recipe(model={name!r}) or load_embedder({name!r})",
    "sparse": "Recipe(sparse={name!r}) or load_sparse({name!r})",
    "multivector": "Recipe(multivector={name!r}) or load_multivector({name!r})",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """Which modules a folder has, and where.

    :param kind: What comes out: `dense`, `sparse` or `multivector`; empty if the files do not say.
    :param transformer: Where the transformer that reads texts is.
    :param places: Folder of every module.
    :param normalized: Whether the states of tokens are normalized.
    """

    kind: str
    transformer: Path
    places: Sequence[Path]
    normalized: bool


def layout_of(folder: Path, modules: Sequence[Module]) -> Layout:
    """Read the layout.

    :param modules: What `modules.json` lists.
    :raises ModelError: It has routes, and none of them is for documents.
    """
    settings = read_json(folder / SETTINGS)
    chain = one_side(folder, modules, "document")
    found = [(folder / module["path"], kind_of_module(module["type"])) for module in every_module(folder, modules)]
    kinds = {kind for _, kind in found}
    kind = "dense" if modules else ""
    if kinds & _SPARSE or settings.get("model_type") == "SparseEncoder":
        kind = "sparse"
    elif "MultiVectorMask" in kinds or settings.get("model_type") in _MULTIVECTOR or _is_stanford(folder):
        kind = "multivector"
    return Layout(
        kind,
        folder / chain[0]["path"] if chain else folder,
        [place for place, _ in found],
        any(normalizes(folder, module, "token_embeddings") for module in chain),
    )


def kind_of_module(stated: str) -> str:
    """Return the class of a module, without where it is defined."""
    return stated.rsplit(".", 1)[-1]


def normalizes(folder: Path, module: Module, states: str = "sentence_embedding") -> bool:
    """Tell whether a module brings vectors to unit length.

    :param states: `sentence_embedding` or `token_embeddings`.
    """
    if kind_of_module(module["type"]) != "Normalize":
        return False
    settings = read_json(folder / module["path"] / "config.json")
    given = settings.get("module_input_name") or "sentence_embedding"
    return bool(given == states == (settings.get("module_output_name") or given))


def is_routed(modules: Sequence[Module]) -> bool:
    """Tell whether texts and questions go through modules of their own somewhere."""
    return any(kind_of_module(module["type"]) in ROUTERS for module in modules)


def every_module(folder: Path, modules: Sequence[Module]) -> list[Module]:
    """Return all modules, those on any route of a router in its place."""
    return _unrouted(modules, lambda router: _routed(router, _routes(folder, router).get("types", {})))


def one_side(folder: Path, modules: Sequence[Module], side: str) -> list[Module]:
    """Return the modules that texts of one side go through, those on its route in the place of a router.

    :param side: `document` or `query`.
    :raises ModelError: A router has no route for that side.
    """

    def on_route(router: Module) -> list[Module]:
        routes = _routes(folder, router)
        names = routes.get("structure", {})[route_of(folder, router, side)]
        return _routed(router, {name: routes["types"][name] for name in names})

    return _unrouted(modules, on_route)


def _unrouted(modules: Sequence[Module], inside: Callable[[Module], list[Module]]) -> list[Module]:
    """Return modules, each router replaced by what is inside it."""
    routed = ((module, kind_of_module(module["type"]) in ROUTERS) for module in modules)
    return [found for module, is_router in routed for found in (inside(module) if is_router else [module])]


def route_of(folder: Path, module: Module, side: str) -> str:
    """Return which route of a router texts of one side take, in the order in which sentence-transformers looks.

    :raises ModelError: There is none.
    """
    routes = _routes(folder, module)
    named = {str(key): str(value) for key, value in (routes.get("parameters", {}).get("route_mappings") or {}).items()}
    wanted = [repr(key) for key in ((side, "text"), (side, None), (None, "text"), (None, None))]
    structure = routes.get("structure", {})
    route = next((named[key] for key in wanted if key in named), side if side in structure else "text")
    if not structure.get(route):
        raise ModelError(
            f"the model in {folder} has no route for {'questions' if side == 'query' else 'documents'} (it has "
            f"{', '.join(structure) or 'none'}; see {ROUTES} in {module['path']}), so it cannot be used."
        )
    return route


def _routes(folder: Path, router: Module) -> dict[str, Any]:
    place = folder / router["path"]
    found: dict[str, Any] = read_json(place / ROUTES) or read_json(place / "config.json")  # the latter up to version 4
    return found


def _routed(router: Module, types: Mapping[str, Any]) -> list[Module]:
    path = f"{router['path']}/" if router["path"] else ""
    return [{"path": f"{path}{name}", "type": str(kind)} for name, kind in types.items()]


def require_kind(preset: Preset, kind: str) -> None:
    """Refuse a model of another kind than is asked for: its numbers would mean something else.

    :raises ConfigurationError: It is of another kind; what to type instead is said.
    """
    if preset.kind != kind:
        instead = _USE[preset.kind].format(name=preset.name)
        raise ConfigurationError(
            f"{preset.name!r} is a {preset.kind} model, and a {kind} one was asked for. Use {instead}; "
            f"for {kind} models type: qdrant-embed models --kind {kind}"
        )


def kind_values(layout: Layout, folder: Path) -> dict[str, tuple[Json, str]]:
    """Return what the files of a sparse or multi-vector model say: value of a preset → value and file."""
    common: dict[str, tuple[Json, str]] = {
        "kind": (layout.kind, SETTINGS if (folder / "modules.json").exists() else "config.json"),
        "pooling": ("none", "the kind of model"),
        "normalize": (False, "the kind of model"),
    }
    config = read_json(layout.transformer / "config.json")
    if layout.kind == "sparse":
        widths = [read_json(place / "config.json").get("hidden_dim") for place in layout.places]
        dim = next(filter(None, widths), config.get("vocab_size", 0))
        return {**common, "dim": (int(dim), "config.json"), "distance": ("dot", "the kind of model")}
    settings = read_json(folder / SETTINGS)
    stated = dict(_stanford(folder) if _is_stanford(folder) and "query_prefix" not in settings else _composed(settings))
    own = read_json(layout.transformer / "sentence_bert_config.json")
    stated |= {key: own[key] for key in ("document_length", "query_length") if own.get(key)}
    if "query_expansion" in own:
        stated["query_expansion"] = own["query_expansion"]
    # PyLate and Stanford's ColBERT normalize without a module that says so.
    older = settings.get("model_type") == "ColBERT" or _is_stanford(folder)
    unit = layout.normalized or older
    return {
        **common,
        **dict(_late(stated)),
        "normalize": (unit, "the kind of model" if older else "modules.json"),
        "distance": ("cosine", "MaxSim of unit vectors") if unit else ("dot", "MaxSim of vectors as they are"),
    }


def _late(stated: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Json, str]]]:
    """Yield values of a preset for a multi-vector model."""
    origin = str(stated["origin"])
    for ours, theirs in (("query_prompt", "query"), ("document_prompt", "document")):
        if stated.get(theirs):
            yield ours, (stated[theirs], origin)
    if stated.get("document_length"):
        yield "max_tokens", (int(stated["document_length"]), origin)
    if stated.get("dim"):
        yield "dim", (int(stated["dim"]), origin)
    expansion = stated.get("query_expansion") or {}
    fixed = expansion.get("strategy") == "fixed"
    limit = expansion.get("length") if fixed else stated.get("query_length")
    if limit:
        yield "query_tokens", (int(limit), origin)


def has_markers(folder: Path) -> bool:
    """Tell whether prompts are markers, single tokens in training: so it is in PyLate's and Stanford's folders."""
    return _is_stanford(folder) or "query_prefix" in read_json(folder / SETTINGS)


def _composed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return prompts and lengths of a PyLate or sentence-transformers folder; a prefix stands before its prompt."""
    found: dict[str, Any] = {"origin": SETTINGS}
    prompts = settings.get("prompts") or {}
    for side in ("query", "document"):
        prefix, prompt = settings.get(f"{side}_prefix") or "", prompts.get(side) or ""
        found[side] = prefix + prompt.removeprefix(prefix)
    found |= {key: settings[key] for key in ("document_length", "query_length") if settings.get(key)}
    if settings.get("model_type") == "ColBERT" and settings.get("do_query_expansion") is not False:
        length = settings.get("query_length") or STANFORD_QUERY_TOKENS
        found["query_expansion"] = settings.get("query_expansion", {"strategy": "fixed", "length": length})
    return found


def _stanford(folder: Path) -> dict[str, Any]:
    """Return prompts and lengths of one of Stanford's checkpoints; its markers stand in the text as tokens."""
    metadata = read_json(folder / ARTIFACT)
    length = metadata.get("query_maxlen") or STANFORD_QUERY_TOKENS
    return {
        "origin": ARTIFACT if metadata else "config.json",
        "query": f"{metadata.get('query_token_id') or '[unused0]'} ",
        "document": f"{metadata.get('doc_token_id') or '[unused1]'} ",
        "document_length": metadata.get("doc_maxlen"),
        "query_expansion": {"strategy": "fixed", "length": length},
        "dim": _projected(folder),
    }


def _projected(folder: Path) -> int:
    """Return the width of the projection, which stands among the weights."""
    from safetensors import safe_open

    with safe_open(folder / "model.safetensors", "np") as weights:
        if "linear.weight" not in weights.keys():  # noqa: SIM118 - no mapping, it only has keys()
            raise ModelError(f"the weights in {folder} lack the projection of a ColBERT model (linear.weight).")
        return int(weights.get_slice("linear.weight").get_shape()[0])


def _is_stanford(folder: Path) -> bool:
    return STANFORD in (read_json(folder / "config.json").get("architectures") or ())


def sums_terms(layout: Layout) -> bool:
    """Tell whether a sparse model adds up what its tokens say of a term, instead of taking the most."""
    return any(read_json(place / "config.json").get("pooling_strategy") == "sum" for place in layout.places)


def settings_fingerprint(folder: Path) -> str:
    """Hash the settings of all modules (skip list, expansion, lengths …), which no weights show."""
    paths = [path for path in folder.rglob("*.json") if path.name in _DECIDING] + [folder / ARTIFACT]
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(paths):
        stated = {key: value for key, value in read_json(path).items() if key not in _PASSING}
        digest.update(f"{path.relative_to(folder).as_posix()}\x1f{json.dumps(stated, sort_keys=True)}\x1f".encode())
    return digest.hexdigest()


_DECIDING = (SETTINGS, ROUTES, "sentence_bert_config.json", "config.json")
_PASSING = (
    *("__version__", "_name_or_path", "transformers_version", "architectures", "dtype", "torch_dtype", "use_cache"),
    *("meta", "root", "experiment", "name", "checkpoint", "triples", "collection", "queries"),
)
"""Entries that differ from one saving, or one training, to the next, and that change no vector."""
