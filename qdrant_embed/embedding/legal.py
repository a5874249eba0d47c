"""Which window strategies are legal for a model, and why another is not: one answer for errors and for `doctor`."""

from __future__ import annotations

from collections.abc import Sequence

from qdrant_embed.embedding.modules import pooling_only
from qdrant_embed.embedding.pooling import linear_layers
from qdrant_embed.embedding.reach import reach_of
from qdrant_embed.embedding.resolving import Resolved
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.windowing import CUTS, METHODS, WindowStrategy

WITHOUT_STATES = ("api", "fastembed", "static", "hashing")
"""Runtimes that give a vector for each text, and none for a token."""
_ALWAYS = ("error", "truncate")


def legal_windows(resolved: Resolved) -> tuple[str, ...]:
    """Return the window strategies that a model takes, e.g. `('error', …, 'windows', 'pi:TOKENS')`."""
    cuts = [name for name in CUTS if not _cut_unfit(resolved, name)]
    return (*cuts, *(f"{method}:TOKENS" for method in reach_of(resolved).methods))


def require_legal(resolved: Resolved, strategy: WindowStrategy) -> None:
    """Refuse a window strategy that does not suit a model, which is not stretched yet.

    :raises ConfigurationError: It does not, or its windows are longer than one pass.
    """
    preset, extension = resolved.preset, strategy.extension
    name, why = strategy.name, _cut_unfit(resolved, strategy.name)
    if extension and extension.method not in (reach := reach_of(resolved)).methods:
        name, why = extension.method, reach.why
    if why:
        raise ConfigurationError(
            f"the window strategy {name!r} does not suit {preset.name!r}: {why}. "
            f"Choose one of {', '.join(legal_windows(resolved))}."
        )
    reads = extension.tokens if extension else preset.max_tokens
    if strategy.tokens > reads:
        stretched = _stretched(strategy, reach_of(resolved).methods)
        raise ConfigurationError(
            f"windows of {strategy.tokens} tokens are more than the {reads} that {preset.name!r} reads in one pass; "
            f"give at most {strategy.name}:{reads}{stretched}."
        )


def _stretched(strategy: WindowStrategy, methods: Sequence[str]) -> str:
    if strategy.extension or not methods:
        return ""
    return f", or stretch the model, as in {methods[-1]}:{2 * strategy.tokens}+{strategy}"


def _cut_unfit(resolved: Resolved, name: str) -> str:
    """Return why what is done with a text that is too long does not suit a model; empty if it does."""
    stated = resolved.preset.windows
    if stated and name not in (*_ALWAYS, *stated):
        others = ", ".join(word for word in stated if word not in METHODS)
        return f"its preset states others ({others or 'ways to stretch it'})"
    return _late_unfit(resolved) if name == "late" else ""


def _late_unfit(resolved: Resolved) -> str:
    """Return why there is nothing to pool by chunk; empty if there is."""
    preset, static = resolved.preset, resolved.files is not None and resolved.files.static
    runtime = "static" if static else preset.runtime
    if runtime in WITHOUT_STATES:
        return f"it averages token states, and the runtime {runtime!r} gives none"
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
