"""Models that fastembed runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.models import fastembed_catalog
from qdrant_embed.models.resolve import ResolvedModel
from qdrant_embed.native import initializing
from qdrant_embed.runtimes import TextRuntime
from qdrant_embed.runtimes.batching import batches_by_length
from qdrant_embed.runtimes.out_of_memory import halved
from qdrant_embed.tokenization.batch import TextBatch
from qdrant_embed.tokenization.model_counters import counter_of, special_tokens_of
from qdrant_embed.tokens import encodable
from qdrant_embed.types import FloatArray


class FastembedRuntime(TextRuntime):
    """fastembed tokenizes, pools and perhaps normalizes; prompts and windows are added above, as for every model.

    :raises ConfigurationError: The preset is one of another runtime.
    :raises ModelError: The model's files are not to be had.
    """

    def __init__(self, resolved: ResolvedModel) -> None:
        if resolved.preset.runtime != "fastembed":
            raise ConfigurationError(
                f"{resolved.preset.name!r} is no model of fastembed. Name one as fastembed:NAME, or write a preset "
                'with runtime = "fastembed".'
            )
        with initializing("onnxruntime"):
            self._model = fastembed_catalog.load(resolved.preset)
            list(self._model.passage_embed(["a"], batch_size=1))
        self._counter = counter_of(resolved.preset)
        self._special = special_tokens_of(resolved.preset, self._counter)

    def sentence(self, batch: TextBatch) -> FloatArray:
        """Return sentence vectors (n, dim), made by fastembed's own call for documents or for queries.

        Texts of similar length go together, since each batch is padded to its longest.

        :raises ModelError: Memory does not suffice for a single text.
        """
        texts = [encodable(text) for text in batch.texts]
        tokens = [count + self._special for count in self._counter.count_batch(texts)]
        ask = self._model.query_embed if batch.kind == "query" else self._model.passage_embed

        def embed(places: Sequence[int]) -> list[FloatArray]:
            return list(ask([texts[place] for place in places], batch_size=len(places)))

        found: dict[int, FloatArray] = {}
        for places in batches_by_length(tokens):
            rows = [row for part in halved(embed, places, tokens.__getitem__) for row in part]
            found.update(zip(places, rows, strict=True))
        return np.stack([found[place] for place in range(len(texts))]).astype(np.float32)
