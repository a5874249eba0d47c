"""What a model's own files say: the layout of sentence-transformers and transformers, read without either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qdrant_embed.errors import ModelError
from qdrant_embed.models.files.graph_files import GRAPH_FILES, graph_file
from qdrant_embed.models.files.input_length import longest_input
from qdrant_embed.models.files.json_files import read_json
from qdrant_embed.models.files.layouts import (
    PYLATE_DENSE,
    SETTINGS,
    Layout,
    Module,
    every_module,
    is_routed,
    kind_of_module,
    kind_values,
    layout_of,
    normalizes,
    one_side,
)
from qdrant_embed.models.files.prepared_folder import PreparedFolder, read_prepared
from qdrant_embed.models.files.static_folder import static_place, static_values, without_special_tokens
from qdrant_embed.models.files.wordpiece import made_of_vocabulary
from qdrant_embed.models.presets import POOLINGS
from qdrant_embed.tokens import HuggingFaceTokens
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_POOLING_FLAGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
_SIMILARITIES = {"cosine": "cosine", "dot": "dot", "euclidean": "euclid"}
_FIRST = {"dense": ("Transformer",), "sparse": ("Transformer", "MLMTransformer"), "multivector": ("Transformer",)}
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
    :param plain: Whether the model is a transformer, a pooling and perhaps a normalization, nothing else.
    :param lowercase: Whether texts are lower-cased before they are tokenized.
    :param static: Whether the model is a table of vectors, without a transformer.
    :param layout: Kind and places of the modules; None for a table of vectors.
    :param adapter: Folder of a LoRA adapter that is added to the weights.
    :param query_adapter: The same for questions, where these have one of their own.
    :param side: `document` or `query` where the two go through different modules: these are those of one.
    :param prepared: What is said of a folder that was prepared.
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
    side: str = ""
    prepared: PreparedFolder | None = None

    def tokenizer(self) -> Tokenizer:
        """Read the model's fast tokenizer, or make it of the vocabulary; it is the caller's, to change or to save.

        :raises ModelError: It has neither.
        """
        return _tokenizer(self.transformer, static=self.static, lowercase=self.lowercase)

    def token_counter(self) -> HuggingFaceTokens:
        """Return what counts with that tokenizer, which takes long to parse: models of one file share it."""
        saved = self.transformer / "tokenizer.json"
        if not saved.exists():
            return HuggingFaceTokens(self.tokenizer())
        version = saved.stat().st_size, saved.stat().st_mtime_ns
        return _token_counter(self.transformer, version, static=self.static, lowercase=self.lowercase)


@lru_cache(maxsize=4)
def _token_counter(transformer: Path, version: tuple[int, int], *, static: bool, lowercase: bool) -> HuggingFaceTokens:
    return HuggingFaceTokens(_tokenizer(transformer, static=static, lowercase=lowercase))


def _tokenizer(transformer: Path, *, static: bool, lowercase: bool) -> Tokenizer:
    saved = transformer / "tokenizer.json"
    made = None if saved.exists() else made_of_vocabulary(transformer)
    tokenizer = made or HuggingFaceTokens.from_file(saved).tokenizer
    if static:
        return without_special_tokens(tokenizer)
    if lowercase:
        from tokenizers.normalizers import Lowercase, Normalizer, Sequence

        before: list[Normalizer] = [Lowercase(), *([tokenizer.normalizer] if tokenizer.normalizer else [])]
        tokenizer.normalizer = Sequence(before)
    return tokenizer


def read_model_files(folder: Path, side: str = "document") -> ModelFiles:
    """Read what the folder says of pooling, length, prompts, similarity and dimensions.

    :param side: `document` or `query`, for models whose sides go through different modules.
    :raises ModelError: It is no model folder, has no safetensors weights, or does not begin with a transformer.
    """
    stated = _modules(folder)
    modules, side = one_side(folder, stated, side), side if is_routed(stated) else ""
    table = static_place(folder, modules, read_json(folder / "config.json"))
    if table is not None:
        _require_safetensors(table, ())
        return replace(_static_files(folder, table, modules, side), prepared=read_prepared(folder))
    layout = layout_of(folder, stated)
    if modules and _kind(modules[0]) not in _FIRST[layout.kind]:
        raise ModelError(
            f"the model in {folder} begins with a {_kind(modules[0])} module; only models that begin with a "
            "Transformer or a StaticEmbedding can be loaded."
        )
    transformer = folder / modules[0]["path"] if modules else layout.transformer
    if not (transformer / "config.json").is_file():
        raise ModelError(f"{folder} is not a model folder: {transformer / 'config.json'} is missing.")
    prepared = read_prepared(folder)
    if not (prepared and prepared.graphs):
        _require_safetensors(transformer, layout.places)
    found = _found(folder, transformer, modules, layout)
    return ModelFiles(
        folder,
        transformer,
        {name: value for name, (value, _) in found.items()},
        {name: origin for name, (_, origin) in found.items()},
        plain=_is_plain(folder, modules),
        lowercase=bool(read_json(transformer / "sentence_bert_config.json").get("do_lower_case")),
        layout=layout,
        side=side if layout.kind == "dense" else "",
        prepared=prepared,
    )


def _found(folder: Path, transformer: Path, modules: Sequence[Module], layout: Layout) -> _Found:
    length: _Found = longest_input(transformer)
    added = read_json(folder / ADDED_VALUES)
    found = {
        **_dimensions(folder, transformer, modules),
        **length,
        **_pooling(folder, modules),
        **_settings(folder),
        **{name: (int(added[name]), ADDED_VALUES) for name in _ADDED if name in added},
    }
    if modules:
        found["normalize"] = (normalizes(folder, modules[-1]), "modules.json")
    if layout.kind in ("sparse", "multivector"):
        found |= kind_values(layout, folder)
    reads = length.get("max_tokens")
    if layout.kind == "multivector" and reads and "query_tokens" not in found and found["max_tokens"] != reads:
        found["query_tokens"] = reads  # a limit for documents is none for questions
    return found


def _is_plain(folder: Path, modules: Sequence[Module]) -> bool:
    """Tell whether a model is a transformer, a pooling of all tokens, and perhaps a normalization of the vector."""
    pooled = next((module for module in modules if _kind(module) == "Pooling"), None)
    if pooled is not None and not read_json(folder / pooled["path"] / "config.json").get("include_prompt", True):
        return False
    kinds = [_kind(module) for module in modules]
    return kinds in ([], ["Transformer", "Pooling"]) or (
        kinds == ["Transformer", "Pooling", "Normalize"] and normalizes(folder, modules[-1])
    )


def _static_files(folder: Path, table: Path, modules: Sequence[Module], side: str) -> ModelFiles:
    normalized = bool(modules) and normalizes(folder, modules[-1])
    found = {**_settings(folder), **static_values(table, read_json(table / "config.json"), normalized=normalized)}
    values, origins = ({name: pair[at] for name, pair in found.items()} for at in (0, 1))
    return ModelFiles(folder, table, values, origins, plain=True, lowercase=False, static=True, side=side)


_Found = dict[str, tuple[Json, str]]
"""Value name → the value and the file it came from."""


def _modules(folder: Path) -> list[Module]:
    modules: list[Module] = read_json(folder / "modules.json") or []
    every = every_module(folder, modules)
    stated = dict.fromkeys(str(module["type"]) for module in (*modules, *every))
    foreign = [kind for kind in stated if not kind.startswith("sentence_transformers.") and kind != PYLATE_DENSE]
    if foreign:
        raise ModelError(
            f"the model in {folder} needs code of its own ({', '.join(foreign)}), which is not run. Choose a model "
            "that sentence-transformers knows."
        )
    for module in every:
        activation = read_json(folder / module["path"] / "config.json").get("activation_function", "torch.")
        if _kind(module) == "Dense" and not str(activation).startswith("torch."):
            raise ModelError(
                f"{module['path']} in {folder} has the activation function {activation!r}, which is code that is not "
                "run; sentence-transformers would put tanh in its place, which gives other vectors."
            )
    return modules


def _kind(module: Module) -> str:
    return kind_of_module(str(module["type"]))


def _require_safetensors(transformer: Path, places: Sequence[Path]) -> None:
    for place in dict.fromkeys((transformer, *places)):
        if any(place.glob("*.safetensors")) or graph_file(place) is not None:
            continue
        if any(place.glob("pytorch_model*.bin")):
            raise ModelError(
                f"{place} has pickled weights only (pytorch_model.bin), which can run code when they are loaded. "
                "Convert them once, where that does no harm: "
                "SentenceTransformer(FOLDER).save_pretrained(NEW_FOLDER), and use the new folder."
            )
        if place == transformer:
            raise ModelError(
                f"{place} has no safetensors weights (model.safetensors), nor a graph ({' or '.join(GRAPH_FILES)}). Is "
                "the download complete?"
            )


def _pooling(folder: Path, modules: Sequence[Module]) -> _Found:
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


def states_width(transformer: Path) -> int:
    """Return the dimensions of a transformer's token states; 0 if its configuration does not say."""
    config = read_json(transformer / "config.json")
    return int(next((config[key] for key in ("hidden_size", "dim", "d_model", "n_embd") if config.get(key)), 0))


def _dimensions(folder: Path, transformer: Path, modules: Sequence[Module]) -> _Found:
    dim, origin = states_width(transformer), "config.json"
    for module in modules[1:]:
        settings = read_json(folder / module["path"] / "config.json")
        width = next((settings[key] for key in ("out_features", *_WIDTHS) if settings.get(key)), None)
        if width:
            parts = len(pooling_modes(settings)) if _kind(module) == "Pooling" else 1
            dim, origin = width * parts, f"{module['path']}/config.json"
    found: _Found = {"dim": (int(dim), origin)} if dim else {}
    for path in (transformer / "config.json", folder / SETTINGS):
        settings = read_json(path)
        trained = settings.get("matryoshka_dimensions") or settings.get("matryoshka_dims")
        if trained:
            found["dims"] = (sorted(int(value) for value in trained if int(value) < int(dim)), path.name)
    return found


_WIDTHS = ("embedding_dimension", "word_embedding_dimension")


def _settings(folder: Path) -> _Found:
    """Read prompts, similarity and the dimensions that are kept.

    Of prompts, those named `query` and `document` are used, as by `encode_query` and `encode_document` of
    sentence-transformers, which have an empty one where the files state none.
    """
    settings = read_json(folder / SETTINGS)
    prompts = settings.get("prompts") or {}
    found: _Found = {f"{side}_prompt": (prompts[side], SETTINGS) for side in ("query", "document") if prompts.get(side)}
    similarity = settings.get("similarity_fn_name")
    if similarity and "maxsim" not in similarity.lower():
        found["distance"] = (_SIMILARITIES.get(similarity, similarity), SETTINGS)
    if settings.get("truncate_dim"):
        found["truncate_dim"] = (int(settings["truncate_dim"]), SETTINGS)
    return found
