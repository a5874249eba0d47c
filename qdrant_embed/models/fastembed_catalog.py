"""What fastembed knows of a model: its description, tokenizer and weights; all through fastembed's own classes."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Mapping
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qdrant_embed.errors import ConfigurationError, ModelError, UnknownNameError
from qdrant_embed.extras import require_extra
from qdrant_embed.models.external_models import ExternalModels
from qdrant_embed.models.fingerprint import file_fingerprint
from qdrant_embed.models.presets import Preset
from qdrant_embed.models.telemetry import silence_onnxruntime, stay_silent
from qdrant_embed.tokens import HuggingFaceTokens
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from fastembed import TextEmbedding

log = logging.getLogger(__name__)

_POOLINGS = {"mean": "MEAN", "cls": "CLS", "lasttoken": "LAST_TOKEN", "none": "DISABLED"}
_MOST_TOKENS = re.compile(r"(\d+) input tokens")
_PROMPTS_WANTED = re.compile(r"queries/documents: (?:necessary|`)")


class FastembedModels(ExternalModels):
    """Models that fastembed knows, or that a preset gives it as a folder."""

    def describe(self, name: str, values: Mapping[str, Json]) -> Mapping[str, Json]:
        """Return values of a preset, as far as fastembed's description of the model gives them.

        :param values: What the preset says; a model that fastembed does not know is described by that alone.
        :raises UnknownNameError: fastembed knows no model of that name.
        :raises MissingExtraError: fastembed is not installed.
        """
        asked = str(values.get("api_model", ""))
        known = {str(model["model"]).lower(): model for model in _library().list_supported_models()}
        if asked.lower() not in known:
            if asked or not values.get("source"):
                raise UnknownNameError("fastembed model", asked, [model["model"] for model in known.values()])
            return {}
        model = known[asked.lower()]
        about, longest = model["description"], _MOST_TOKENS.search(model["description"])
        prompted = {"query_prompt", "query_template", "task_template", "tasks"} & values.keys()
        if _PROMPTS_WANTED.search(about) and not prompted and not model["tasks"]:
            log.warning(
                "%s was trained with prompts, fastembed adds none, and none is known here: write a preset with "
                "query_prompt and document_prompt",
                asked,
            )
        found: dict[str, Json] = {"dim": model["dim"], "license": model["license"], "about": about}
        return {**found, "max_tokens": int(longest[1])} if longest else found

    def counter(self, preset: Preset) -> HuggingFaceTokens:
        """Return the tokenizer that fastembed uses, without its truncation and padding.

        :raises ModelError: The model has none.
        """
        tokenizer = getattr(load(preset).model, "tokenizer", None)
        if tokenizer is None:
            raise ModelError(
                f"fastembed shows no tokenizer of {preset.name!r}; name one in its preset: tokenizer = PATH."
            )
        return HuggingFaceTokens(deepcopy(tokenizer))

    def identity(self, preset: Preset) -> Mapping[str, str]:
        """Return a name for the weights: fastembed's own, or a hash of the ONNX file in the preset's folder."""
        if not preset.source:
            return {"model": f"fastembed:{preset.api_model}"}
        folder = Path(preset.source).expanduser()
        return {"model": f"fastembed:{file_fingerprint(folder / _onnx_file(folder))}"}


def load(preset: Preset) -> TextEmbedding:
    """Return fastembed's model, loaded once per process.

    :raises ModelError: Its files are not to be had, or it reads fewer tokens than the preset says.
    """
    model = _load(preset.api_model, preset.source, preset.dim, preset.pooling)
    reads = getattr(model.model, "tokenizer", None)
    limit = reads.truncation["max_length"] if reads is not None and reads.truncation else preset.max_tokens
    if limit < preset.max_tokens:
        raise ModelError(
            f"{preset.name!r}: fastembed cuts texts after {limit} tokens, the preset says max_tokens = "
            f"{preset.max_tokens}; what lies between would be lost. Write max_tokens = {limit} into the preset."
        )
    return model


@lru_cache(maxsize=4)
def _load(name: str, source: str, dim: int, pooling: str) -> TextEmbedding:
    library, options = _library(), {}
    if source:
        folder = Path(source).expanduser()
        if not folder.is_dir():
            raise ModelError(f"source = {source!r} is no folder; for the runtime 'fastembed' it holds the ONNX model.")
        options["specific_model_path"] = str(folder)
        name = name or _registered(folder, dim, pooling)
    offline = os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on")
    try:
        return library(model_name=name, local_files_only=offline, **options)
    except Exception as error:
        raise ModelError(
            f"fastembed could not load {name!r} ({type(error).__name__}: {error}). Without a network, put its files "
            "into a folder and name that as source in a preset, or set FASTEMBED_CACHE_PATH to a cache that holds them."
        ) from error


def _registered(folder: Path, dim: int, pooling: str) -> str:
    """Make a folder with an ONNX model known to fastembed, and return the name it has there."""
    from fastembed.common.model_description import ModelSource, PoolingType

    if pooling not in _POOLINGS:
        raise ConfigurationError(f"fastembed knows no pooling {pooling!r}; choose one of {', '.join(_POOLINGS)}.")
    name = f"local/{hashlib.blake2b(f'{folder.resolve()} {dim} {pooling}'.encode(), digest_size=8).hexdigest()}"
    library = _library()
    if name not in (model["model"] for model in library.list_supported_models()):
        library.add_custom_model(
            model=name,
            pooling=PoolingType(_POOLINGS[pooling]),
            normalization=False,
            sources=ModelSource(hf=name),
            dim=dim,
            model_file=_onnx_file(folder),
        )
    return name


def _onnx_file(folder: Path) -> str:
    """Return the ONNX file of a folder, relative to it.

    :raises ModelError: There is none.
    """
    for place in ("model.onnx", "onnx/model.onnx", "model_optimized.onnx"):
        if (folder / place).is_file():
            return place
    found = sorted(folder.rglob("*.onnx"))
    if not found:
        raise ModelError(f"{folder} holds no ONNX file (*.onnx). Is it the folder of a model?")
    return found[0].relative_to(folder).as_posix()


def _library() -> Any:
    stay_silent()
    require_extra("the runtime 'fastembed'", "fastembed")
    from fastembed import TextEmbedding

    silence_onnxruntime()
    return TextEmbedding
