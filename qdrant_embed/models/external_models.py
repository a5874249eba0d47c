"""Models that have no folder which is read here: what is known of them all the same."""

from __future__ import annotations

from collections.abc import Mapping

from qdrant_embed.errors import ModelError
from qdrant_embed.models.presets import Preset
from qdrant_embed.models.runtime_specs import runtime_spec
from qdrant_embed.registry import import_target
from qdrant_embed.tokens import EstimatedTokens, TokenCounter
from qdrant_embed.types import Json


class ExternalModels:
    """Models of a server, known by their presets alone; a runtime that knows more of its models overrides methods."""

    def describe(self, name: str, values: Mapping[str, Json]) -> Mapping[str, Json]:
        """Return values of a preset that it leaves open.

        :param values: What the preset says.
        :raises ModelError: It does not say which model: the vectors of two models would bear one name.
        """
        if not (values.get("api_model") or values.get("source")):
            raise ModelError(
                f"{name!r} does not say which model its server runs. Write it into a preset file of your own, with "
                f'what is known of it:\n  [models."{name}"]\n  api_model = "OWNER/MODEL"\n  dim = …\n  max_tokens = …'
            )
        return {}

    def counter(self, preset: Preset) -> TokenCounter | None:
        """Return what counts the tokens of a model whose preset names no tokenizer; None for an estimate."""
        return None

    def identity(self, preset: Preset) -> Mapping[str, str]:
        """Return which model, and which tokenizer, a fingerprint should name.

        The tokenizer is the one the preset names, though an estimate may stand in for it: that moves a limit, not a
        vector.
        """
        return {
            "model": f"{preset.api or preset.runtime}:{preset.api_model or preset.source}",
            "tokenizer": preset.tokenizer or EstimatedTokens.name,
        }


def external_models(runtime: str) -> ExternalModels | None:
    """Return what knows the models of a runtime; None for one whose models have a folder, or need none.

    :raises UnknownNameError: There is no such runtime.
    """
    spec = runtime_spec(runtime)
    if not spec.external_models:
        return None
    found: ExternalModels = import_target(spec.external_models)()
    return found
