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
    from qdrant_embed.models.availability import WeightsLocation as WeightsLocation
    from qdrant_embed.models.catalog import ListedModels as ListedModels
    from qdrant_embed.models.catalog import ModelDescription as ModelDescription
    from qdrant_embed.models.catalog import Row as Row
    from qdrant_embed.models.catalog import describe_model as describe_model
    from qdrant_embed.models.catalog import list_models as list_models
    from qdrant_embed.models.hub.download_bar import DownloadState as DownloadState
    from qdrant_embed.models.hub.downloads import FetchedRepository as FetchedRepository
    from qdrant_embed.models.model_storage import FetchedModel as FetchedModel
    from qdrant_embed.models.model_storage import LocalModels as LocalModels
    from qdrant_embed.models.model_storage import fetch_model as fetch_model
    from qdrant_embed.models.model_storage import list_local_models as list_local_models
    from qdrant_embed.models.model_storage import remove_model as remove_model
    from qdrant_embed.models.presets import Preset as Preset
else:
    __getattr__, __dir__, __all__ = lazy_names(
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
