"""Sparse embedders (the SPLADE family): a weight for every term of the vocabulary that a text is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qdrant_embed.embedding.auxiliary import AuxiliaryEmbedder
from qdrant_embed.models.files.layouts import sums_terms
from qdrant_embed.types import FloatArray, SparseVector


class SparseEmbedder(AuxiliaryEmbedder[SparseVector]):
    """Texts to weights of terms, by models such as SPLADE (Formal et al. 2021) through `SparseEncoder`.

    Of a text that is longer than the model, each term has the largest weight of any window, or their sum where the
    model adds up what its tokens say; that is what it does with the tokens of one window.
    """

    kind = "sparse"
    # Each token has a number for every term: 30 522 of them are 125 MB for a thousand tokens.
    batch_tokens = 1024

    def _settle(self, model: Any) -> None:
        model.max_seq_length = self.max_tokens

    def _pass(self, texts: Sequence[str], side: str) -> Sequence[FloatArray]:
        model = self._model()
        encode = model.encode_query if side == "query" else model.encode_document
        dense = encode(
            list(texts),
            prompt="",
            batch_size=len(texts),
            show_progress_bar=False,
            convert_to_tensor=False,
            convert_to_sparse_tensor=False,
            save_to_cpu=True,
        )
        return [_packed(np.asarray(row.float().numpy(), np.float32)) for row in dense]

    def _joined(self, windows: Sequence[FloatArray]) -> SparseVector:
        parts = [window.reshape(2, -1) for window in windows]
        indices = np.concatenate([part[0].astype(np.int64) for part in parts])
        values = np.concatenate([part[1] for part in parts])
        if len(parts) == 1:
            return SparseVector(indices, values)
        terms, place = np.unique(indices, return_inverse=True)
        joined = np.zeros(len(terms), np.float32)
        files = self._resolved.files
        add = files is not None and files.layout is not None and sums_terms(files.layout)
        (np.add if add else np.maximum).at(joined, place, values)
        return SparseVector(terms, joined)


def _packed(weights: FloatArray) -> FloatArray:
    """Return terms and weights side by side as one float32 array; a vocabulary has fewer than 2^24 terms."""
    terms = np.flatnonzero(weights)
    return np.concatenate([terms.astype(np.float32), weights[terms]])
