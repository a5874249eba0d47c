"""Which model, and what its files and its preset say of it.

Files, in reading order: runtime_specs, presets, files, fingerprint, preset_checks, preset_files, prompts, telemetry,
external_models, fastembed_catalog, hub, validation, resolve, availability, catalog, identity, long_context_support.

Public: `list_models` and `describe_model`, which return `ListedModels` and a `ModelDescription` (of `Row` values and a
`WeightsLocation`), and `Preset` (everything that decides a model's vectors).
"""

from typing import TYPE_CHECKING

from qdrant_embed.registry import lazy_names

if TYPE_CHECKING:
    from qdrant_embed.models.availability import WeightsLocation
    from qdrant_embed.models.catalog import ListedModels, ModelDescription, Row, describe_model, list_models
    from qdrant_embed.models.presets import Preset
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "availability": ["WeightsLocation"],
            "catalog": ["ListedModels", "ModelDescription", "Row", "describe_model", "list_models"],
            "presets": ["Preset"],
        },
    )

__all__ = [
    "ListedModels",
    "ModelDescription",
    "Preset",
    "Row",
    "WeightsLocation",
    "describe_model",
    "list_models",
]
