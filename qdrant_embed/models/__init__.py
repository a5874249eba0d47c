"""Which model, and what its files and its preset say of it.

Files, in reading order: runtime_specs, presets, files, fingerprint, preset_checks, preset_files, prompts, telemetry,
external_models, fastembed_catalog, hub, prepared_checks, validation, resolve, license_warning,
availability, catalog, model_storage, identity, long_context_support.

Public: `list_models` and `describe_model`, which return `ListedModels` and a `ModelDescription` (of `Row` values and a
`WeightsLocation`), and `Preset` (everything that decides a model's vectors); `fetch_model`, `list_local_models` and
`remove_model`, which return a `FetchedModel` (of a `FetchedRepository` each) and `LocalModels`, and tell how they get
on by a `DownloadState`.
"""

from typing import TYPE_CHECKING

from qdrant_embed.registry import lazy_names

if TYPE_CHECKING:
    from qdrant_embed.models.availability import WeightsLocation
    from qdrant_embed.models.catalog import ListedModels, ModelDescription, Row, describe_model, list_models
    from qdrant_embed.models.hub.download_bar import DownloadState
    from qdrant_embed.models.hub.downloads import FetchedRepository
    from qdrant_embed.models.model_storage import (
        FetchedModel,
        LocalModels,
        fetch_model,
        list_local_models,
        remove_model,
    )
    from qdrant_embed.models.presets import Preset
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "availability": ["WeightsLocation"],
            "catalog": ["ListedModels", "ModelDescription", "Row", "describe_model", "list_models"],
            "hub.download_bar": ["DownloadState"],
            "hub.downloads": ["FetchedRepository"],
            "model_storage": ["FetchedModel", "LocalModels", "fetch_model", "list_local_models", "remove_model"],
            "presets": ["Preset"],
        },
    )

__all__ = [
    "DownloadState",
    "FetchedModel",
    "FetchedRepository",
    "ListedModels",
    "LocalModels",
    "ModelDescription",
    "Preset",
    "Row",
    "WeightsLocation",
    "describe_model",
    "fetch_model",
    "list_local_models",
    "list_models",
    "remove_model",
]
