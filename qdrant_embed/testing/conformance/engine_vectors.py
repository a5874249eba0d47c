"""What every engine must do alike about vectors and rankings: points that do not fit, hits, facets, taken names."""
# ruff: noqa: S101  (asserting is what this module is for)

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from qdrant_client import models

from qdrant_embed.errors import CollectionExistsError, CollectionNotFoundError, StoreError, UnsupportedByEngineError
from qdrant_embed.store.engine import Engine
from qdrant_embed.testing.conformance.engine_cases import (
    BM25,
    COUNT,
    DENSE,
    DIM,
    NAME,
    TOKENS,
    dense_query,
    load,
    point_id,
    refused,
)

ROW = [1.0] * DIM

MISFITS: Mapping[str, Any] = {
    "too short": {DENSE: [1.0, 2.0]},
    "too long": {DENSE: np.ones(DIM + 1, np.float32)},
    "rows of different sizes": {TOKENS: [ROW, [1.0, 2.0]]},
    "rows too long": {TOKENS: np.ones((3, DIM + 1), np.float32)},
    "unknown name": {"no such vector": ROW},
    "no name": ROW,
    "several for one": {DENSE: [ROW, ROW]},
    "sparse for dense": {DENSE: models.SparseVector(indices=[1], values=[1.0])},
    "dense for sparse": {BM25: ROW},
    "an index twice": {BM25: models.SparseVector(indices=[1, 1], values=[1.0, 2.0])},
    "fewer values than indices": {BM25: models.SparseVector.model_construct(indices=[1, 2], values=[1.0])},
}
"""Vectors that have no place in the sample collection."""


def check_misfits_are_refused(engine: Engine) -> None:
    """Check that vectors of another name, kind or size are refused, and that the collection goes on."""
    load(engine)
    for kind, vector in MISFITS.items():
        point = models.PointStruct.model_construct(id=point_id(0), vector=vector, payload={"number": -1})
        with refused(StoreError, kind):
            engine.upsert(NAME, [point])
    terms = models.SparseVector.model_construct(indices=[1, 2], values=[1.0])
    with refused(StoreError, "a question of fewer values than indices"):
        engine.query_points(NAME, terms, using=BM25)
    assert engine.count(NAME).count == COUNT
    assert len(engine.query_points(NAME, dense_query(), using=DENSE, limit=COUNT).points) == COUNT


def check_hits_carry_what_was_asked_for(engine: Engine) -> None:
    """Check that hits have the vectors that were asked for and no others, however they are ranked."""
    load(engine)
    varied = models.NearestQuery(nearest=dense_query(), mmr=models.Mmr(diversity=0.5))
    for query in (dense_query(), varied):
        for wanted, names in ((False, None), (True, {DENSE, BM25, TOKENS}), ([TOKENS], {TOKENS})):
            one = engine.query_points(NAME, query, using=DENSE, with_vectors=wanted, limit=2).points
            request = models.QueryRequest(query=query, using=DENSE, with_vector=wanted, limit=2)
            for point in (*one, *engine.query_batch_points(NAME, [request, request])[1].points):
                found = set(point.vector) if isinstance(point.vector, dict) else point.vector
                assert found == names, f"{found} instead of {names}"


def check_ties_of_facets(engine: Engine) -> None:
    """Check that of values that are equally frequent the first come, exact or not."""
    load(engine)
    for exact in (True, False):
        hits = engine.facet(NAME, "number", limit=7, exact=exact).hits
        assert [hit.value for hit in hits] == list(range(7)), f"exact={exact}"


def check_names_that_are_taken(engine: Engine) -> None:
    """Check that names that are missing, or taken, raise what is a `ValueError` too: stores expect it of a client."""
    load(engine)
    params = models.VectorParams(size=2, distance=models.Distance.DOT)
    with refused(CollectionExistsError, "a name that is taken", "already exists"):
        engine.create_collection(NAME, params)
    with refused(CollectionNotFoundError, "a name that is missing"):
        engine.get_collection("nowhere")
    assert issubclass(CollectionExistsError, ValueError)
    assert issubclass(CollectionNotFoundError, ValueError)


def check_examples_are_needed(engine: Engine) -> None:
    """Check that recommendations without examples, or of examples that do not go together, are refused."""
    load(engine)
    sizes: list[Any] = [dense_query(), dense_query()[1:]]
    given = (
        models.RecommendInput(),
        models.RecommendInput(strategy=models.RecommendStrategy.BEST_SCORE),
        models.RecommendInput(negative=[point_id(0)]),
        models.RecommendInput(positive=sizes),
    )
    for recommend in given:
        with refused(StoreError, str(recommend)):
            engine.query_points(NAME, models.RecommendQuery(recommend=recommend), using=DENSE)


def check_points_without_vectors(engine: Engine) -> None:
    """Check that a collection without vectors keeps points and ranks none, or is refused by name and not made."""
    given: tuple[dict[str, Any], ...] = ({}, {"vectors_config": {}}, {"sparse_vectors_config": {}})
    for config in given:
        engine.delete_collection(NAME)
        try:
            engine.create_collection(NAME, **config)
        except UnsupportedByEngineError as error:
            assert "no vectors" in str(error), str(error)
            assert not engine.collection_exists(NAME), "a collection that was refused is there"
            continue
        engine.upsert(NAME, [models.PointStruct(id=point_id(0), vector={}, payload={"number": 7})])
        assert not engine.get_collection(NAME).config.params.vectors
        assert engine.count(NAME).count == 1
        assert [record.payload for record in engine.scroll(NAME)[0]] == [{"number": 7}]
        with refused(StoreError, "a question where there are no vectors"):
            engine.query_points(NAME, dense_query())


def check_random_samples(engine: Engine) -> None:
    """Check that a sample has points of the collection, each once, and that an offset leaves some out or is refused."""
    load(engine)
    random = models.SampleQuery(sample=models.Sample.RANDOM)
    everything = {point_id(number) for number in range(COUNT)}
    assert {point.id for point in engine.query_points(NAME, random, limit=COUNT).points} == everything
    for limit, offset in ((COUNT, 10), (5, COUNT - 2), (5, COUNT + 5)):
        request = models.QueryRequest(query=random, limit=limit, offset=offset)
        try:
            one = engine.query_points(NAME, random, limit=limit, offset=offset)
            answers = [one, *engine.query_batch_points(NAME, [request, request])]
        except UnsupportedByEngineError:
            with refused(UnsupportedByEngineError, "a sample with an offset, in a batch", "offset"):
                engine.query_batch_points(NAME, [request])
            continue
        for answer in answers:
            found = [point.id for point in answer.points]
            assert len(set(found)) == len(found) == max(0, min(limit, COUNT - offset)), f"{limit=}, {offset=}"


CHECKS: tuple[Callable[[Engine], None], ...] = (
    check_misfits_are_refused,
    check_hits_carry_what_was_asked_for,
    check_ties_of_facets,
    check_names_that_are_taken,
    check_examples_are_needed,
    check_points_without_vectors,
    check_random_samples,
)
