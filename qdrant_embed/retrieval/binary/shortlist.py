"""Which points' whole vectors shall rank what codes found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qdrant_embed.retrieval.binary.adaptive_rescoring import CONSIDERED, rescore_in_rounds
from qdrant_embed.retrieval.binary.candidates import Candidates
from qdrant_embed.retrieval.binary.index import BinaryIndex
from qdrant_embed.retrieval.query_plan import QueryPlan, QueryVector
from qdrant_embed.store.collection_codec import CollectionCodec
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.scroll import vector_of
from qdrant_embed.types import DENSE, FloatArray, IntArray


def shortlist(engine: Engine, name: str, index: BinaryIndex, ranked: QueryPlan, vector: QueryVector) -> tuple[Any, ...]:
    """Return ids of the `ranked.rescored` points that pass its filter and whose whole vectors shall rank."""
    wanted, codec = ranked.rescored, ranked.codec
    if not codec.compression.rounds:
        return tuple(index.candidates(vector.encoded, wanted, wanted, ranked.condition).ids())
    candidates = index.candidates(vector.encoded, wanted, CONSIDERED * wanted, ranked.condition)
    reader = _Reader(engine, name, codec, candidates, vector)
    chosen = rescore_in_rounds(candidates.scores, candidates.codes(), codec.vector_codec.bits, wanted, reader.read)
    return tuple(candidates.ids(chosen))


@dataclass(frozen=True, slots=True)
class _Reader:
    engine: Engine
    name: str
    codec: CollectionCodec
    candidates: Candidates
    vector: QueryVector

    def read(self, places: IntArray) -> tuple[IntArray, FloatArray, FloatArray]:
        """Return what `rescore_in_rounds` learns from: see `retrieval.binary.adaptive_rescoring.Reader`."""
        vector_codec, ids = self.codec.vector_codec, self.candidates.ids(places)
        records = self.engine.retrieve(self.name, ids, with_payload=False, with_vectors=[DENSE])
        rows = {record.id: np.atleast_2d(np.asarray(vector_of(record, DENSE), np.float32)) for record in records}
        there = [place for place, point in enumerate(ids) if point in rows]
        windows = self.candidates.windows(places)
        # A point with several windows was found by the code of one of them.
        found = [rows[ids[place]][windows[place]] for place in there]
        vectors = self.codec.raw(np.array(found, np.float32).reshape(len(there), vector_codec.dim))
        return (
            places[there],
            vector_codec.real_scores(self.vector.whole, vectors),
            vector_codec.queries(vectors).vectors,
        )
