"""Embeddings of LangChain as a runtime: `langchain:NAME` is the model of a collection whose vectors they make."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings

from qdrant_embed.errors import ModelError
from qdrant_embed.runtimes import ExternalModels, RuntimeSpec, TextBatch, TextRuntime
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
LEAST = 0.99
"""Cosine below which two vectors of one text are those of two models."""
_PROBE = "How many numbers has a vector?"
_given: dict[str, dict[int, tuple[Embeddings, FloatArray]]] = {}
"""Name of a model → its dimensions → what makes its vectors, and the one of the probe."""


def model_of(embeddings: Embeddings, name: str = "") -> str:
    """Make embeddings known to this process, and return the name of their model: the class, and which model it says.

    :param name: What to call it instead.
    :raises ModelError: They give no vector, or others of this name give another one.
    """
    stated = next((str(getattr(embeddings, word, "") or "") for word in ("model", "model_name", "model_id")), "")
    called = re.sub(r"[^\w./-]", "_", name or f"{type(embeddings).__name__}/{stated}".rstrip("/"))
    try:
        vector = np.asarray(embeddings.embed_query(_PROBE), np.float32)
    except Exception as error:
        raise ModelError(f"{type(embeddings).__name__} embedded no text: {error}") from error
    known = _given.setdefault(called, {})
    if len(vector) in known and known[len(vector)][0] is not embeddings:
        alike = cosine(vector, known[len(vector)][1])
        if alike < LEAST:
            raise ModelError(
                f"this process already has embeddings called {called!r}, and these are others: the vectors of one "
                f"text have a cosine of {alike:.4f}. Type: QdrantEmbedVectorStore.open(…, embedding=…, "
                "embedding_name='…') for one of them, always with the same name."
            )
    known.pop(len(vector), None)
    known[len(vector)] = embeddings, vector
    return PREFIX + called


def cosine(one: FloatArray, other: FloatArray) -> float:
    """Return the cosine of two vectors; 0 where one is zero."""
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / lengths if lengths else 0.0


def _known(name: str) -> dict[int, tuple[Embeddings, FloatArray]]:
    if not _given.get(name):
        raise ModelError(
            f"the collection's vectors were made by LangChain's {name!r}, which was not given here. Type: "
            "QdrantEmbedVectorStore.open(…, embedding=…) with the same embeddings."
        )
    return _given[name]


class GivenModels(ExternalModels):
    """Models that live in this process, by the names of their embeddings."""

    def describe(self, name: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the dimensions, those that were given last, and a limit that leaves long texts to the model."""
        return {"dim": next(reversed(_known(str(values["api_model"])))), "max_tokens": LONGEST}


class EmbeddingsRuntime(TextRuntime):
    """Hands texts to LangChain's embeddings: questions to `embed_query`, others to `embed_documents`."""

    takes_threads = True

    def __init__(self, resolved: Any, precision: str = "") -> None:
        self.dim: int = resolved.preset.dim
        self._embeddings = _known(resolved.preset.api_model)[self.dim][0]

    def sentence(self, batch: TextBatch) -> FloatArray:
        """Return the vectors, (texts, dim)."""
        texts = list(batch.texts)
        if batch.kind == "query":
            return np.asarray([self._embeddings.embed_query(text) for text in texts], np.float32)
        return np.asarray(self._embeddings.embed_documents(texts), np.float32)
