"""Models that fastembed runs."""

from __future__ import annotations

import numpy as np

from qdrant_embed.embedding import fastembed_models
from qdrant_embed.embedding.resolving import Resolved
from qdrant_embed.embedding.runtimes import Batch
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.tokens import encodable
from qdrant_embed.types import FloatArray

_TEXTS_AT_ONCE = 64


class FastembedRuntime:
    """fastembed tokenises, pools and perhaps normalises; prompts and windows are added above, as for every model.

    :raises ConfigurationError: The preset is one of another runtime.
    :raises ModelError: The model's files are not to be had.
    """

    def __init__(self, resolved: Resolved) -> None:
        if resolved.preset.runtime != "fastembed":
            raise ConfigurationError(
                f"{resolved.preset.name!r} is no model of fastembed. Name one as fastembed:NAME, or write a preset "
                'with runtime = "fastembed".'
            )
        self._model = fastembed_models.load(resolved.preset)

    def sentence(self, batch: Batch) -> FloatArray:
        """Return sentence vectors (n, dim), made by fastembed's own call for documents or for queries.

        Texts of similar length go together, since each batch is padded to its longest.
        """
        texts = [encodable(text) for text in batch.texts]
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        ask = self._model.query_embed if batch.kind == "query" else self._model.passage_embed
        found = list(ask([texts[place] for place in order], batch_size=_TEXTS_AT_ONCE))
        vectors = np.empty((len(texts), found[0].shape[-1]), np.float32)
        vectors[order] = np.stack(found)
        return vectors
