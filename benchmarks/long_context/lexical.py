"""BM25 over the same windows, a document by its best one: what needs no model."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from qdrant_embed.embedding.bm25 import Bm25Encoder


def bm25(questions: Sequence[str], chunks: Sequence[Sequence[str]]) -> np.ndarray:
    """Return the scores (questions, documents) of each document's best window.

    :param chunks: The windows of each document. They make up the collection that words are counted in.
    """
    encoder = Bm25Encoder("english")
    known: dict[str, dict[int, float]] = {}
    for chunk in (chunk for own in chunks for chunk in own):
        if chunk not in known:
            known[chunk] = dict(zip(*encoder.encode_document(chunk), strict=True))
    total = sum(map(len, chunks))
    holding = Counter(term for own in chunks for chunk in own for term in known[chunk])
    scores = np.zeros((len(questions), len(chunks)), np.float32)
    for row, question in enumerate(questions):
        terms = {
            term: weight * math.log(1 + (total - holding[term] + 0.5) / (holding[term] + 0.5))
            for term, weight in zip(*encoder.encode_query(question), strict=True)
        }
        found = {chunk: sum(terms[t] * held[t] for t in terms.keys() & held.keys()) for chunk, held in known.items()}
        scores[row] = [max((found[chunk] for chunk in own), default=0.0) for own in chunks]
    return scores
