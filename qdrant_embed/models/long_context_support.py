"""How far a model reads, and what can make it read further: told from its configuration alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.long_context import CUTS, FROM, METHODS, Extension, WindowStrategy
from qdrant_embed.long_context.extension_plan import ExtensionPlan
from qdrant_embed.models.files.input_length import LEARNED_TYPES, ROTARY_TYPES, position_count
from qdrant_embed.models.files.json_files import read_json
from qdrant_embed.models.files.linear_layers import linear_layers
from qdrant_embed.models.presets import Preset
from qdrant_embed.models.resolve import ResolvedModel, pooling_only
from qdrant_embed.models.runtime_specs import runtime_spec
from qdrant_embed.types import Json

_ALWAYS = ("error", "truncate")

LEARNED = ("gp", "rp", "pi")
"""What suits a learned table of absolute positions. (LongEmbed, arXiv 2404.12096, section 3.2)"""
ROTARY = ("gp", "pi", "ntk", "selfextend", "yarn", "dynamic")
"""What suits rotary positions. (LongEmbed, section 3.3; YaRN, arXiv 2309.00071; dynamic NTK as in transformers)"""
CONTEXT_METHODS: Mapping[str, tuple[str, ...]] = {"learned": LEARNED, "rotary": ROTARY}
"""Kind of positions → what suits them."""
_PLAIN_ROPE = (None, "default", "llama3")
"""Kinds of rotary positions that are not stretched already; `llama3` is how that model was trained."""


@dataclass(frozen=True, slots=True)
class ContextSupport:
    """What a model reads in one pass, and what it could.

    :param tokens: The longest input of one pass as the model is now, prompt and special tokens included.
    :param trained: The window that its positions were trained for, from which methods stretch; 0 if there is none.
    :param kind: `learned`, `rotary`, or empty where nothing can be stretched.
    :param methods: Methods that are legal, such as `pi`; each takes a length to reach, `pi:4096`.
    :param why: What decides that, in words, e.g. `bert has a learned table of 512 positions`.
    """

    tokens: int
    trained: int
    kind: str
    methods: tuple[str, ...]
    why: str


def context_support(resolved: ResolvedModel) -> ContextSupport:
    """Return how far a model reads, and which methods would make it read further. Nothing is loaded."""
    preset, files = resolved.preset, resolved.files
    reads = preset.max_tokens
    if files is None or files.static:
        return ContextSupport(reads, 0, "", (), f"its positions are not ours to change (runtime {preset.runtime})")
    config = read_json(files.transformer / "config.json")
    kind, why = kind_of(preset.architecture or str(config.get("model_type")), config, preset)
    if not kind:
        return ContextSupport(reads, 0, "", (), why)
    positions = position_count(config)
    trained = preset.trained_tokens or positions or reads
    derived = CONTEXT_METHODS[kind]
    methods = tuple(method for method in derived if not preset.windows or method in preset.windows)
    counted = f"{positions} positions" + (f", trained on {trained}" if trained != positions else "")
    return ContextSupport(
        reads, trained, kind, methods, f"{why} of {counted}" if kind == "learned" else f"{why}, {counted}"
    )


def kind_of(architecture: str, config: Mapping[str, Json], preset: Preset) -> tuple[str, str]:
    """Return `learned`, `rotary` or nothing, and the reason in words.

    :param architecture: `model_type` of transformers.
    :param config: What `config.json` holds.
    """
    if preset.states == "first":
        return "", "it runs no block, so no position is read"
    if preset.short_factor > 1 or preset.scale_from:
        return "", "its table of positions was made longer already, and trained so"
    if architecture in LEARNED_TYPES:
        if config.get("position_embedding_type", "absolute") != "absolute":
            return "", f"its positions are {config['position_embedding_type']!r}, not absolute"
        return "learned", f"{architecture} has a learned table"
    if architecture in ROTARY_TYPES:
        rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
        rope = rope.get("full_attention") or rope
        stated = rope.get("rope_type", rope.get("type"))
        if stated not in _PLAIN_ROPE:
            return "", f"its rotary positions are stretched by its own files already ({stated})"
        return "rotary", f"{architecture} has rotary positions"
    return "", f"no method is known for the positions of a model of type {architecture!r}"


def with_extension(resolved: ResolvedModel, strategy: WindowStrategy) -> ResolvedModel:
    """Return the model with the extension of a legal window strategy, if it has one; `max_tokens` is then its target.

    :raises ConfigurationError: It reaches no further than the model does without it.
    """
    extension = strategy.extension
    if extension is None:
        return resolved
    reach, preset = context_support(resolved), resolved.preset
    if extension.tokens <= preset.max_tokens:
        raise ConfigurationError(
            f"{preset.name!r} reads {preset.max_tokens} tokens as it is; give {extension} a longer target, "
            f"e.g. {extension.method}:{2 * preset.max_tokens}."
        )
    return replace(
        resolved,
        preset=replace(preset, max_tokens=extension.tokens),
        extension_plan=_plan_of(reach, extension, preset.name),
    )


def _plan_of(reach: ContextSupport, extension: Extension, name: str) -> ExtensionPlan:
    trained = int(extension.setting(FROM, reach.trained))
    if trained > reach.trained:
        raise ConfigurationError(
            f"{extension}: the positions of {name!r} were trained for {reach.trained} tokens; "
            f"give from={reach.trained} or less."
        )
    return ExtensionPlan(extension, trained, reach.kind)


def supported_windows(resolved: ResolvedModel) -> tuple[str, ...]:
    """Return the window strategies that a model takes, e.g. `('error', …, 'windows', 'pi:TOKENS')`."""
    cuts = [name for name in CUTS if not _cut_unfit(resolved, name)]
    return (*cuts, *(f"{method}:TOKENS" for method in context_support(resolved).methods))


def require_supported(resolved: ResolvedModel, strategy: WindowStrategy) -> None:
    """Refuse a window strategy that does not suit a model, which is not stretched yet.

    :raises ConfigurationError: It does not, or its windows are longer than one pass.
    """
    preset, extension = resolved.preset, strategy.extension
    name, why = strategy.name, _cut_unfit(resolved, strategy.name)
    if extension and extension.method not in (reach := context_support(resolved)).methods:
        name, why = extension.method, reach.why
    if why:
        raise ConfigurationError(
            f"the window strategy {name!r} does not suit {preset.name!r}: {why}. "
            f"Choose one of {', '.join(supported_windows(resolved))}."
        )
    reads = extension.tokens if extension else preset.max_tokens
    if strategy.tokens > reads:
        methods = () if extension else context_support(resolved).methods
        longer = f", or stretch the model, as in {methods[-1]}:{2 * strategy.tokens}+{strategy}" if methods else ""
        raise ConfigurationError(
            f"windows of {strategy.tokens} tokens are more than the {reads} that {preset.name!r} reads in one pass; "
            f"give at most {strategy.name}:{reads}{longer}."
        )


def _cut_unfit(resolved: ResolvedModel, name: str) -> str:
    """Return why what is done with a text that is too long does not suit a model; empty if it does."""
    stated = resolved.preset.windows
    if stated and name not in (*_ALWAYS, *stated):
        others = ", ".join(word for word in stated if word not in METHODS)
        return f"its preset states others ({others or 'ways to stretch it'})"
    return _late_unfit(resolved) if name == "late" else ""


def _late_unfit(resolved: ResolvedModel) -> str:
    """Return why there is nothing to pool by chunk; empty if there is."""
    preset = resolved.preset
    if not runtime_spec(preset.runtime).gives_token_states:
        return f"it averages token states, and the runtime {preset.runtime!r} gives none"
    linear = resolved.files is not None and not resolved.files.side and linear_layers(resolved.files.folder)
    if preset.pooling != "mean" or not (pooling_only(resolved) or linear):
        how = "with layers of its own behind it that are not linear"
        if preset.pooling not in ("mean", "none"):
            how = f"by {preset.pooling!r}"
        return (
            f"it averages the states of a chunk's tokens, and this model pools {how}, so that such averages are no "
            "vectors of it"
        )
    return ""
