"""What a model's own files say: the layout of sentence-transformers and transformers, read without either."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qdrant_embed.embedding.json_files import read_json
from qdrant_embed.embedding.kinds import PYLATE_DENSE, Layout, kind_of_module, kind_values, layout_of
from qdrant_embed.embedding.preset import POOLINGS
from qdrant_embed.embedding.static_files import static_place, static_values
from qdrant_embed.errors import ModelError
from qdrant_embed.tokens import HuggingFaceTokens
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SANE_LENGTH = 1_000_000
"""Tokenizers without a limit report a number of thirty digits."""
_POOLING_FLAGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
_SIMILARITIES = {"cosine": "cosine", "dot": "dot", "euclidean": "euclid"}
_OFFSET_POSITIONS = ("roberta", "camembert", "mpnet", "longformer", "xmod", "data2vec-text")
"""Kinds of model that begin to count positions after the padding id, and so have fewer than their table has rows."""
_SETTINGS = "config_sentence_transformers.json"
_FIRST = {
    "dense": ("Transformer",),
    "sparse": ("Transformer", "MLMTransformer", "Router"),
    "multivector": ("Transformer",),
}
"""Kind → the modules that such a model can begin with."""
ADDED_VALUES = "qdrant_embed.json"
"""What `qdrant-embed extend` writes beside a model: what sentence-transformers has no word for."""
_ADDED = ("max_tokens", "short_factor", "scale_from")


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model folder that has been looked at.

    :param folder: Where `modules.json` is.
    :param transformer: Where the transformer's `config.json`, weights and tokenizer are.
    :param values: Values of a preset, as far as the files give them.
    :param origins: value name → the file it came from.
    :param plain: Whether the model is a transformer, a pooling and perhaps a normalisation, nothing else.
    :param lowercase: Whether texts are lower-cased before they are tokenised.
    :param static: Whether the model is a table of vectors, without a transformer.
    :param layout: Kind and places of the modules; None for a table of vectors.
    :param adapter: Folder of a LoRA adapter that is added to the weights.
    :param query_adapter: The same for questions, where these have one of their own.
    """

    folder: Path
    transformer: Path
    values: Mapping[str, Json]
    origins: Mapping[str, str]
    plain: bool
    lowercase: bool
    static: bool = False
    layout: Layout | None = None
    adapter: Path | None = None
    query_adapter: Path | None = None

    def tokenizer(self) -> Tokenizer:
        """Read the model's fast tokenizer.

        :raises ModelError: It has none.
        """
        tokenizer = HuggingFaceTokens.from_file(self.transformer / "tokenizer.json").tokenizer
        if self.static:
            return _without_special_tokens(tokenizer)
        if self.lowercase:
            from tokenizers.normalizers import Lowercase, Normalizer, Sequence

            before: list[Normalizer] = [Lowercase(), *([tokenizer.normalizer] if tokenizer.normalizer else [])]
            tokenizer.normalizer = Sequence(before)
        return tokenizer


def read_model_files(folder: Path) -> ModelFiles:
    """Read what the folder says of pooling, length, prompts, similarity and dimensions.

    :raises ModelError: It is no model folder, has no safetensors weights, or does not begin with a transformer.
    """
    modules = _modules(folder)
    config = read_json(folder / "config.json")
    table = static_place(folder, modules, config)
    if table is not None:
        _require_safetensors(table, ())
        return _static_files(folder, table, modules)
    layout = layout_of(folder, modules)
    if modules and _kind(modules[0]) not in _FIRST[layout.kind]:
        raise ModelError(
            f"the model in {folder} begins with a {_kind(modules[0])} module; only models that begin with a "
            "Transformer or a StaticEmbedding can be loaded."
        )
    transformer = layout.transformer
    if not (transformer / "config.json").is_file():
        raise ModelError(f"{folder} is not a model folder: {transformer / 'config.json'} is missing.")
    _require_safetensors(transformer, layout.places)
    kinds = [_kind(module) for module in modules]
    found = {
        **_dimensions(folder, transformer, modules),
        **_length(transformer),
        **_pooling(folder, modules),
        **_settings(folder),
        **_added(folder),
    }
    if modules:
        found["normalize"] = (kinds[-1] == "Normalize", "modules.json")
    if layout.kind in ("sparse", "multivector"):
        found |= kind_values(layout, folder)
    pooled = next((module for module in modules if _kind(module) == "Pooling"), None)
    prompt_pooled = pooled is None or read_json(folder / pooled["path"] / "config.json").get("include_prompt", True)
    return ModelFiles(
        folder,
        transformer,
        {name: value for name, (value, _) in found.items()},
        {name: origin for name, (_, origin) in found.items()},
        plain=bool(prompt_pooled)
        and kinds in ([], ["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]),
        lowercase=bool(read_json(transformer / "sentence_bert_config.json").get("do_lower_case")),
        layout=layout,
    )


def _static_files(folder: Path, table: Path, modules: list[dict[str, Any]]) -> ModelFiles:
    normalized = bool(modules) and _kind(modules[-1]) == "Normalize"
    found = {**_settings(folder), **static_values(table, read_json(table / "config.json"), normalized=normalized)}
    values, origins = ({name: pair[side] for name, pair in found.items()} for side in (0, 1))
    return ModelFiles(folder, table, values, origins, plain=True, lowercase=False, static=True)


def _without_special_tokens(tokenizer: Tokenizer) -> Tokenizer:
    from tokenizers import Tokenizer as FastTokenizer

    return FastTokenizer.from_str(json.dumps(json.loads(tokenizer.to_str()) | {"post_processor": None}))


def _added(folder: Path) -> _Found:
    stated = read_json(folder / ADDED_VALUES)
    return {name: (int(stated[name]), ADDED_VALUES) for name in _ADDED if name in stated}


_Found = dict[str, tuple[Json, str]]
"""Value name → the value and the file it came from."""


def _modules(folder: Path) -> list[dict[str, Any]]:
    modules: list[dict[str, Any]] = read_json(folder / "modules.json") or []
    stated = [str(module["type"]) for module in modules]
    foreign = [kind for kind in stated if not kind.startswith("sentence_transformers.") and kind != PYLATE_DENSE]
    if foreign:
        raise ModelError(
            f"the model in {folder} needs code of its own ({', '.join(foreign)}), which is not run. Choose a model "
            "that sentence-transformers knows."
        )
    return modules


def _kind(module: Mapping[str, Any]) -> str:
    return kind_of_module(str(module["type"]))


def _require_safetensors(transformer: Path, places: Sequence[Path]) -> None:
    for place in dict.fromkeys((transformer, *places)):
        if any(place.glob("*.safetensors")):
            continue
        if any(place.glob("pytorch_model*.bin")):
            raise ModelError(
                f"{place} has pickled weights only (pytorch_model.bin), which can run code when they are loaded. "
                "Convert them once, where that does no harm: "
                "SentenceTransformer(FOLDER).save_pretrained(NEW_FOLDER), and use the new folder."
            )
        if place == transformer:
            raise ModelError(f"{place} has no safetensors weights (model.safetensors). Is the download complete?")


def _pooling(folder: Path, modules: list[dict[str, Any]]) -> _Found:
    for module in modules:
        if _kind(module) == "Pooling":
            modes = pooling_modes(read_json(folder / module["path"] / "config.json"))
            ours = modes[0] if len(modes) == 1 and modes[0] in POOLINGS else "none"
            return {"pooling": (ours, f"{module['path']}/config.json")}
    return {"pooling": ("none", "modules.json")} if modules else {}


def pooling_modes(config: Mapping[str, Any]) -> list[str]:
    """Return the poolings that a module's `config.json` names, in either of the two ways to write them."""
    stated = config.get("pooling_mode")
    if stated:
        return [stated] if isinstance(stated, str) else list(stated)
    return [name for flag, name in _POOLING_FLAGS.items() if config.get(flag)] or ["mean"]


def _dimensions(folder: Path, transformer: Path, modules: list[dict[str, Any]]) -> _Found:
    config = read_json(transformer / "config.json")
    dim, origin = (
        next((config[key] for key in ("hidden_size", "dim", "d_model", "n_embd") if config.get(key)), 0),
        "config.json",
    )
    for module in modules[1:]:
        settings = read_json(folder / module["path"] / "config.json")
        width = next((settings[key] for key in ("out_features", *_WIDTHS) if settings.get(key)), None)
        if width:
            parts = len(pooling_modes(settings)) if _kind(module) == "Pooling" else 1
            dim, origin = width * parts, f"{module['path']}/config.json"
    found: _Found = {"dim": (int(dim), origin)} if dim else {}
    for path in (transformer / "config.json", folder / _SETTINGS):
        settings = read_json(path)
        trained = settings.get("matryoshka_dimensions") or settings.get("matryoshka_dims")
        if trained:
            found["dims"] = (sorted(int(value) for value in trained if int(value) < int(dim)), path.name)
    return found


_WIDTHS = ("embedding_dimension", "word_embedding_dimension")


def _length(transformer: Path) -> _Found:
    candidates: list[tuple[int, str]] = []
    stated = read_json(transformer / "sentence_bert_config.json").get("max_seq_length")
    limit = read_json(transformer / "tokenizer_config.json").get("model_max_length")
    if stated:
        candidates.append((int(stated), "sentence_bert_config.json"))
    elif limit and limit < SANE_LENGTH:
        candidates.append((int(limit), "tokenizer_config.json"))
    positions = position_count(read_json(transformer / "config.json"))
    if positions > 0:
        candidates.append((positions, "config.json"))
    return {"max_tokens": min(candidates)} if candidates else {}


def position_count(config: Mapping[str, Json]) -> int:
    """Return how many positions a model has for tokens, by its `config.json`; 0 where that does not say."""
    positions = int(config.get("max_position_embeddings") or 0)
    return positions - first_position(config) if positions > 0 else 0


def first_position(config: Mapping[str, Json]) -> int:
    """Return the row of the table of positions at which a model begins to count."""
    offset = any(kind in str(config.get("model_type")) for kind in _OFFSET_POSITIONS)
    return int(config.get("pad_token_id") or 0) + 1 if offset else 0


def _settings(folder: Path) -> _Found:
    """Read prompts and similarity. A prompt that is stated as empty is meant to be empty."""
    settings = read_json(folder / _SETTINGS)
    prompts = settings.get("prompts") or {}
    default = prompts.get(settings.get("default_prompt_name"), "")
    found: _Found = {}
    for ours, theirs in (("query_prompt", ("query",)), ("document_prompt", ("document", "passage", "corpus"))):
        stated = [prompts[key] or "" for key in theirs if key in prompts]
        prompt = next(filter(None, stated), "") if stated else default
        if prompt:
            found[ours] = (prompt, _SETTINGS)
    similarity = settings.get("similarity_fn_name")
    if similarity and "maxsim" not in similarity.lower():
        found["distance"] = (_SIMILARITIES.get(similarity, similarity), _SETTINGS)
    return found
