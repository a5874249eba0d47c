"""The engine's own codes beside their twins in numpy: the same scores, and where no two are equal, the same ranking.

What is compared is the embedded engine (Qdrant 1.18's code), without rescoring and without a graph, so that nothing but
the codes ranks. One bit a dimension is exact. `binary1.5` and `binary2` are not repeated here: their bits depend on
statistics of each dimension that the engine gathers while it reads. `int8` is repeated as it is built for up to 100,000
vectors; of more the engine takes its bounds from a sample of its own choice. Product codes and TurboQuant are learned
or rotated inside the engine with numbers that it does not give away.
"""

import numpy as np
import pytest
from qdrant_client import models

from qdrant_embed.compression import Compression
from qdrant_embed.store import quantization
from qdrant_embed.store.methods.client_requests import search_params

DIM, COUNT = 96, 400
GAP = 1e-4
"""Scores that lie further apart are certainly different: sums in float32 are right to some 1e-6 here."""


def sample(count=COUNT, seed=0):
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((count, DIM)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def staircase(query, seed=1):
    """Return vectors of which the first differs from a query in the sign of 0 dimensions, the next of 1, and so on."""
    rng = np.random.default_rng(seed)
    rows = np.abs(rng.standard_normal((DIM + 1, DIM)).astype(np.float32)) * np.where(query > 0, 1, -1)
    for flips, row in enumerate(rows):
        row[rng.permutation(DIM)[:flips]] *= -1
    return rows.astype(np.float32) / np.linalg.norm(rows, axis=1, keepdims=True).astype(np.float32)


def signs(vectors):
    """A number above zero is a set bit."""
    return np.where(vectors > 0, 1.0, -1.0)


def stepped(query, bits):
    """A query's numbers in whole steps from minus to plus its largest, brought back to -1 … 1."""
    largest, steps = np.abs(query).max(), 2**bits - 1
    return 2 * np.rint((query + largest) / (2 * largest) * steps) / steps - 1


def binary(vectors, query, query_bits=1):
    """Bits that agree, less bits that differ; weighed by the query's steps where it keeps several bits."""
    return signs(vectors) @ (signs(query) if query_bits == 1 else stepped(query, query_bits))


def int8(vectors, query):
    """128 steps between two quantiles of all numbers, of queries too; what lies outside is given the outermost step."""
    numbers = np.sort(vectors.ravel())
    # The engine cuts off as many numbers as it would cut off vectors: far fewer than the quantile of the numbers.
    cut = max(1, int(len(vectors) * (1 - quantization.INT8_QUANTILE) / 2))
    low, high = numbers[cut], numbers[-cut]
    step = (high - low) / 127

    def coded(given):
        steps = np.clip((given - low) / step, 0, 127).astype(np.float64)
        return np.floor(steps + 0.5) * step + low  # halves go up, not to the even number

    return coded(vectors) @ coded(query)


TWINS = {
    "binary": binary,
    "binary+query4": lambda vectors, query: binary(vectors, query, 4),
    "binary+query8": lambda vectors, query: binary(vectors, query, 8),
    "int8": int8,
}


def engine_scores(engine, vectors, query, setting, distance="dot"):
    """Return the engine's ids, best first, and its scores by id."""
    compression = Compression.parse(setting)
    params = quantization.vector_params(DIM, distance, compression)
    engine.create_collection(
        "twin",
        {"dense": params.model_copy(update={"hnsw_config": models.HnswConfigDiff(m=0)})},
        optimizers_config=models.OptimizersConfigDiff(indexing_threshold=1),
    )
    points = [
        models.PointStruct(id=place, vector={"dense": row.tolist()}, payload={}) for place, row in enumerate(vectors)
    ]
    engine.upsert("twin", points, wait=True)
    engine.finish_bulk_load("twin")
    asked = models.QueryRequest(
        query=query.tolist(),
        using="dense",
        limit=len(vectors),
        params=search_params(quantization.code_use(compression, 128)),
    )
    found = engine.query_batch_points("twin", requests=[asked])[0].points
    scores = np.full(len(vectors), np.nan)
    for point in found:
        scores[point.id] = point.score
    return [point.id for point in found], scores


def ranking(scores):
    """Return the places of all scores that no other is equal to, best first."""
    order = np.argsort(-scores, kind="stable")
    apart = np.abs(np.diff(scores[order])) > GAP
    alone = np.concatenate([[True], apart]) & np.concatenate([apart, [True]])
    return order[alone].tolist()


@pytest.mark.parametrize("distance", ["dot", "cosine"])
@pytest.mark.parametrize("setting", TWINS)
def test_scores_and_ranking_are_those_of_the_twin(folder_engine, setting, distance):
    vectors, (query,) = sample(), sample(1, seed=5)
    order, scores = engine_scores(folder_engine, vectors, query, setting, distance)
    twin = TWINS[setting](vectors, query)
    np.testing.assert_allclose(scores, twin, atol=GAP / 10)
    wanted = ranking(twin)
    kept = set(wanted)
    assert [place for place in order if place in kept] == wanted
    # Of one bit, or of sixteen steps, so many scores are equal that the test below has vectors of its own.
    assert len(wanted) > COUNT / 2 or setting in ("binary", "binary+query4")


@pytest.mark.parametrize("setting", ["binary", "binary+query4", "binary+query8"])
@pytest.mark.parametrize("distance", ["dot", "cosine", "euclid"])
def test_without_ties_every_place_is_the_twins(folder_engine, setting, distance):
    """Each vector differs from the query in another number of signs; under a distance only the ranking is compared."""
    (query,) = sample(1, seed=6)
    vectors = staircase(query)
    order, scores = engine_scores(folder_engine, vectors, query, setting, distance)
    twin = TWINS[setting](vectors, query)
    if setting == "binary":
        assert order == list(range(DIM + 1))
    assert [place for place in order if place in set(ranking(twin))] == ranking(twin)
    assert len(ranking(twin)) > DIM / 2
    if distance != "euclid":
        np.testing.assert_allclose(scores, twin, atol=GAP / 10)


def test_int8_cuts_off_what_lies_outside(folder_engine):
    """One number far outside does not widen the steps of all others."""
    vectors, (query,) = sample(), sample(1, seed=7)
    vectors[3, 5] = 40.0
    _, scores = engine_scores(folder_engine, vectors, query, "int8")
    np.testing.assert_allclose(scores, int8(vectors, query), atol=GAP / 10)
    others = np.arange(COUNT) != 3
    np.testing.assert_allclose(scores[others], (vectors @ query)[others], atol=0.02)
