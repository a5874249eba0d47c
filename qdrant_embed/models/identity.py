"""What decides a model's vectors, as JSON-ready values that can be compared and stored."""

from __future__ import annotations

from collections.abc import Mapping

from qdrant_embed.models.external_models import external_models
from qdrant_embed.models.fingerprint import model_fingerprint
from qdrant_embed.models.presets import Preset
from qdrant_embed.models.resolve import ResolvedModel
from qdrant_embed.tokens import TokenCounter
from qdrant_embed.types import Json

_USUAL: Mapping[str, tuple[Json, ...]] = {
    "attention": ("",),
    "layers": (0,),
    "states": ("", "last"),
    "pooled": ("", "all"),
    "layer_norm": (False,),
    "short_factor": (1,),
    "scale_from": (0,),
}
"""Value → what it is for most models; only what differs is stored."""


def identity(resolved: ResolvedModel, tokens: TokenCounter, dim: int) -> Mapping[str, Json]:
    """Return everything that decides the vectors; equal values mean comparable vectors.

    :param dim: Dimensions that are kept.
    """
    preset, files = resolved.preset, resolved.files
    values = {key: getattr(preset, key) for key in _USUAL}
    unusual = {key: value for key, value in values.items() if value not in _USUAL[key]}
    if preset.pooling in ("sif", "tfidf"):
        unusual |= {"smoothing": preset.smoothing, "components": preset.components}
    if resolved.extension_plan:
        unusual |= {
            "extension": str(resolved.extension_plan.extension),
            "trained_tokens": resolved.extension_plan.trained,
        }
    return {
        "model": preset.name if files is None else model_fingerprint(files),
        "tokenizer": tokens.name,
        "dim": dim,
        "max_tokens": preset.max_tokens,
        "pooling": preset.pooling,
        "normalize": preset.normalize,
        "distance": preset.distance,
        "query_prompt": preset.query_prompt,
        "document_prompt": preset.document_prompt,
        **unusual,
        **identity_of(preset),
    }


def identity_of(preset: Preset) -> Mapping[str, str]:
    """Return which model, and which tokenizer, a fingerprint should name where no files tell."""
    external = external_models(preset.runtime)
    return external.identity(preset) if external else {}
