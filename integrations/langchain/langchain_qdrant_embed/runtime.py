"""Embeddings of LangChain as a runtime: `langchain:NAME` is the model of a collection whose vectors they make."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from langchain_core.embeddings import Embeddings

from qdrant_embed.errors import ModelError
from qdrant_embed.runtimes import ExternalModels, RuntimeSpec, TextBatch, TextRuntime

if TYPE_CHECKING:
    from qdrant_embed.types import FloatArray

SPEC = RuntimeSpec(
    target=f"{__name__}:EmbeddingsRuntime",
    reads_texts=True,
    external_models=f"{__name__}:GivenModels",
    names_models=True,
)
PREFIX = "langchain:"
LONGEST = 8192
"""Tokens that a text may have; LangChain does not say what a model reads, and cuts or refuses by itself."""
_given: dict[str, tuple[Embeddings, int]] = {}


def model_of(embeddings: Embeddings) -> str:
    """Make embeddings known to this process, and return the name of their model: the class, and which model it says.

    :raises ModelError: They give no vector.
    """
    named = next((str(getattr(embeddings, name, "") or "") for name in ("model", "model_name", "model_id")), "")
    name = re.sub(r"[^\w./-]", "_", f"{type(embeddings).__name__}/{named}".rstrip("/"))
    try:
        dim = len(embeddings.embed_query("How many numbers has a vector?"))
    except Exception as error:
        raise ModelError(f"{type(embeddings).__name__} embedded no text: {error}") from error
    _given[name] = embeddings, dim
    return PREFIX + name


def _known(name: str) -> tuple[Embeddings, int]:
    if name not in _given:
        raise ModelError(
            f"the collection's vectors were made by LangChain's {name!r}, which was not given here. Type: "
            "QdrantEmbedVectorStore.open(…, embedding=…) with the same embeddings."
        )
    return _given[name]


class GivenModels(ExternalModels):
    """Models that live in this process, by the names of their embeddings."""

    def describe(self, name: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the dimensions, counted, and a limit that leaves long texts to the model."""
        return {"dim": _known(str(values["api_model"]))[1], "max_tokens": LONGEST}


class EmbeddingsRuntime(TextRuntime):
    """Hands texts to LangChain's embeddings: questions to `embed_query`, others to `embed_documents`."""

    takes_threads = True

    def __init__(self, resolved: Any, precision: str = "") -> None:
        self._embeddings, self.dim = _known(resolved.preset.api_model)

    def sentence(self, batch: TextBatch) -> FloatArray:
        """Return the vectors, (texts, dim)."""
        texts = list(batch.texts)
        if batch.kind == "query":
            return np.asarray([self._embeddings.embed_query(text) for text in texts], np.float32)
        return np.asarray(self._embeddings.embed_documents(texts), np.float32)
