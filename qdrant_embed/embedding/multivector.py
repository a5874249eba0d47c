"""Multi-vector embedders (the ColBERT family): a vector for every token, compared token by token when searching."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from qdrant_embed.compression.truncation import LARGEST_HALF, finish
from qdrant_embed.embedding.auxiliary import AuxiliaryEmbedder
from qdrant_embed.errors import ModelError
from qdrant_embed.models.files.layouts import STANFORD_QUERY_TOKENS
from qdrant_embed.runtimes.torch.load import starts
from qdrant_embed.types import FloatArray


class MultiVectorEmbedder(AuxiliaryEmbedder[FloatArray]):
    """Texts to vectors of tokens (tokens, dim), by ColBERT models (Khattab and Zaharia 2020, section 3).

    Passes are those of `MultiVectorEncoder`; vectors have unit length if the model's are normalized. Of a text that is
    longer than the model, the vectors of its windows stand one after another. A text of which no token is kept has a
    single vector: the first direction, or zeros where nothing is normalized.
    """

    kind = "multivector"
    batch_tokens = 4096

    def _settle(self, model: Any) -> None:
        preset = self.preset
        model.max_seq_length = max(self.max_tokens, preset.query_tokens)
        for transformer in starts(model):
            self._set_lengths(transformer)
        if preset.skiplist:
            for module in model:
                if hasattr(module, "skiplist_words"):
                    module.skiplist_words = list(string.punctuation) if preset.skiplist == "punctuation" else []
                    module.resolve_with_tokenizer(model.tokenizer)

    def _set_lengths(self, transformer: Any) -> None:
        preset = self.preset
        transformer.document_length = self.max_tokens
        stated = transformer.query_expansion
        if preset.query_expansion == "off":
            stated = None
        elif preset.query_expansion:
            attend = bool(stated and stated["attend"])
            length = preset.query_tokens or STANFORD_QUERY_TOKENS
            stated = {"strategy": preset.query_expansion, "attend": attend, "length": length}
        elif stated and stated["strategy"] == "fixed":
            stated = {**stated, "length": preset.query_tokens or stated["length"]}
        transformer.query_expansion = None
        fixed = bool(stated) and stated["strategy"] == "fixed"
        transformer.query_length = None if fixed else preset.query_tokens or self.max_tokens
        transformer.query_expansion = stated

    def _pass(self, texts: Sequence[str], side: str) -> Sequence[FloatArray]:
        model = self._model()
        encode = model.encode_query if side == "query" else model.encode_document
        found = encode(list(texts), prompt="", batch_size=len(texts), show_progress_bar=False, convert_to_numpy=True)
        return [np.asarray(vectors, np.float32).ravel() for vectors in found]

    def _joined(self, windows: Sequence[FloatArray]) -> FloatArray:
        vectors = np.concatenate([window.reshape(-1, self.dim) for window in windows])
        vectors = vectors if len(vectors) else np.zeros((1, self.dim), np.float32)
        if not self.preset.normalize and np.abs(vectors).max() > LARGEST_HALF:
            raise ModelError(
                f"{self.preset.name!r} gave a vector with a value beyond {LARGEST_HALF:.0f}, where the half precision "
                "ends in which vectors of tokens are stored; write normalize = true into its preset."
            )
        return finish(vectors, dim=self.dim, normalize=self.preset.normalize)
