"""Points to store and questions to ask, for the conformance suite of engines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import numpy as np
import qdrant_edge
from qdrant_client import models

from qdrant_embed.errors import StoreError
from qdrant_embed.store.engine import Engine

NAME = "conformance"
DENSE, BM25, TOKENS = "dense", "bm25", "tokens"
DIM = 8
COUNT = 60
FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = ["harbour", "crane", "pilot", "tide", "vessel", "cargo", "lock", "buoy", "anchor", "quay", "rope", "signal"]
INDEXES: Mapping[str, models.PayloadSchemaType | models.KeywordIndexParams | models.TextIndexParams] = {
    "source": models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, prefix=True),
    "document": models.PayloadSchemaType.UUID,
    "number": models.PayloadSchemaType.INTEGER,
    "weight": models.PayloadSchemaType.FLOAT,
    "flag": models.PayloadSchemaType.BOOL,
    "modified": models.PayloadSchemaType.DATETIME,
    "place": models.PayloadSchemaType.GEO,
    "text": models.TextIndexParams(
        type=models.TextIndexType.TEXT,
        tokenizer=models.TokenizerType.WORD,
        lowercase=True,
        phrase_matching=True,
    ),
}


def point_id(number: int) -> str:
    """Return the id of the sample's point of this number."""
    return str(uuid5(UUID(int=0), f"point {number}"))


def document_id(number: int) -> str:
    """Return the document that a point belongs to: five points each."""
    return str(uuid5(UUID(int=0), f"document {number // 5}"))


def text(number: int) -> str:
    """Return a text of its own length and words, so that no two have the same BM25 score."""
    return " ".join(np.random.default_rng(number).choice(WORDS, 3 + number))


def sample_points() -> list[models.PointStruct]:
    """Return points with a dense vector (numpy), a sparse one, a multi-vector, and payloads of every kind."""
    random = np.random.default_rng(7)
    dense = random.standard_normal((COUNT, DIM)).astype(np.float32)
    tokens = random.standard_normal((COUNT, 3, DIM)).astype(np.float32)
    bm25 = qdrant_edge.Bm25()
    points = []
    for number in range(COUNT):
        terms = bm25.embed_document(text(number))
        sparse = models.SparseVector(indices=terms.indices, values=terms.values)
        vectors: dict[str, Any] = {DENSE: dense[number], BM25: sparse, TOKENS: tokens[number]}
        points.append(models.PointStruct.model_construct(id=point_id(number), vector=vectors, payload=_payload(number)))
    return points


def _payload(number: int) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "text": text(number),
        "source": f"{'guide' if number % 2 else 'notes'}/page-{number // 5}.md",
        "document": document_id(number),
        "number": number,
        "weight": number / 4,
        "flag": number % 3 == 0,
        "modified": (FIRST_DAY + timedelta(days=number)).isoformat(),
        "place": {"lon": 4.0 + number / 100, "lat": 52.0},
        "tags": WORDS[: number % 4],
        "parts": [{"kind": WORDS[number % 5], "size": number}, {"kind": "rope", "size": 100 - number}],
    }
    if number % 6 == 0:
        fields["author"] = None
    elif number % 6 < 4:
        fields["author"] = "Åsa" if number % 2 else "Bo"
    return fields


def dense_query() -> list[float]:
    """Return the vector to search with."""
    found: list[float] = np.random.default_rng(11).standard_normal(DIM).astype(np.float32).tolist()
    return found


def sparse_query() -> models.SparseVector:
    """Return the terms to search with."""
    terms = qdrant_edge.Bm25().embed_query("crane tide rope")
    return models.SparseVector(indices=terms.indices, values=terms.values)


def _field(key: str, **condition: Any) -> models.FieldCondition:
    return models.FieldCondition(key=key, **condition)


def _geo(lon: float, lat: float) -> models.GeoPoint:
    return models.GeoPoint(lon=lon, lat=lat)


_RING = models.GeoLineString(points=[_geo(4.05, 51), _geo(4.3, 51), _geo(4.3, 53), _geo(4.05, 53), _geo(4.05, 51)])
_SOME: list[Any] = [point_id(number) for number in (3, 5, 8, 13)]

CONDITIONS: Mapping[str, models.Condition] = {
    "keyword": _field("source", match=models.MatchValue(value="guide/page-3.md")),
    "uuid": _field("document", match=models.MatchValue(value=document_id(12))),
    "integer": _field("number", match=models.MatchValue(value=12)),
    "bool": _field("flag", match=models.MatchValue(value=True)),
    "any keyword": _field("source", match=models.MatchAny(any=["guide/page-3.md", "notes/page-1.md", "nowhere"])),
    "any uuid": _field("document", match=models.MatchAny(any=[document_id(0), document_id(30)])),
    "any integer": _field("number", match=models.MatchAny(any=[1, 2, 59, 1000])),
    "except": _field("author", match=models.MatchExcept(**{"except": ["Bo"]})),
    "prefix": _field("source", match=models.MatchPrefix(prefix="guide/page-1")),
    "text": _field("text", match=models.MatchText(text="crane TIDE")),
    "any of the text": _field("text", match=models.MatchTextAny(text_any="buoy anchor")),
    "phrase": _field("text", match=models.MatchPhrase(phrase="harbour crane")),
    "range": _field("number", range=models.Range(gte=10, lt=20)),
    "float range": _field("weight", range=models.Range(gt=3.25, lte=7.5)),
    "time range": _field(
        "modified", range=models.DatetimeRange(gte=FIRST_DAY + timedelta(days=4), lt=datetime(2026, 1, 20, tzinfo=UTC))
    ),
    "geo box": _field(
        "place", geo_bounding_box=models.GeoBoundingBox(top_left=_geo(4.1, 53), bottom_right=_geo(4.2, 51))
    ),
    "geo radius": _field("place", geo_radius=models.GeoRadius(center=_geo(4.25, 52), radius=9000)),
    "geo polygon": _field("place", geo_polygon=models.GeoPolygon(exterior=_RING)),
    "values count": _field("tags", values_count=models.ValuesCount(gte=2)),
    "field is empty": _field("author", is_empty=True),
    "field is null": _field("author", is_null=True),
    "is empty": models.IsEmptyCondition(is_empty=models.PayloadField(key="author")),
    "is null": models.IsNullCondition(is_null=models.PayloadField(key="author")),
    "has id": models.HasIdCondition(has_id=_SOME),
    "has vector": models.HasVectorCondition(has_vector=BM25),
    "nested": models.NestedCondition(
        nested=models.Nested(
            key="parts",
            filter=models.Filter(
                must=[
                    _field("kind", match=models.MatchValue(value="rope")),
                    _field("size", range=models.Range(gt=80)),
                ]
            ),
        )
    ),
}  # fmt: skip
"""Every kind of condition, by name."""


def filters() -> dict[str, models.Filter]:
    """Return every condition alone, and conditions combined in every way."""
    some, other = CONDITIONS["range"], CONDITIONS["bool"]
    combined = {
        "must": models.Filter(must=[some, other]),
        "one must, not in a list": models.Filter(must=some),
        "should": models.Filter(should=[some, other]),
        "must not": models.Filter(must_not=[some, other]),
        "must and should": models.Filter(must=[some], should=[other, CONDITIONS["prefix"]]),
        "at least two": models.Filter(
            min_should=models.MinShould(conditions=[some, other, CONDITIONS["prefix"]], min_count=2)
        ),
        "a filter in a filter": models.Filter(must=[models.Filter(should=[some, CONDITIONS["uuid"]]), other]),
    }
    return {name: models.Filter(must=[condition]) for name, condition in CONDITIONS.items()} | combined


def queries() -> dict[str, dict[str, Any]]:
    """Return the arguments of `query_points` for every kind of query that ranks alike on every engine."""
    return _plain_queries() | _staged_queries() | _queries_by_example()


def _plain_queries() -> dict[str, dict[str, Any]]:
    vector = dense_query()
    return {
        "dense": {"query": vector, "using": DENSE},
        "numpy": {"query": np.asarray(vector, np.float32), "using": DENSE},
        "nearest": {"query": models.NearestQuery(nearest=vector), "using": DENSE, "limit": 3, "offset": 2},
        "filtered": {"query": vector, "using": DENSE, "query_filter": models.Filter(must=[CONDITIONS["prefix"]])},
        "exact": {"query": vector, "using": DENSE, "search_params": models.SearchParams(exact=True, hnsw_ef=64)},
        "above a score": {"query": vector, "using": DENSE, "score_threshold": 0.3, "limit": 50},
        "sparse": {"query": sparse_query(), "using": BM25, "limit": 50},
        "multi-vector": {"query": [vector, vector[::-1]], "using": TOKENS},
    }


def _staged_queries() -> dict[str, dict[str, Any]]:
    near = models.Prefetch(query=dense_query(), using=DENSE, limit=20)
    words = models.Prefetch(query=sparse_query(), using=BM25, limit=20)
    weighted = models.Rrf(k=60, weights=[3.0, 1.0])
    flag = CONDITIONS["bool"]
    boosted: list[Any] = ["$score", models.MultExpression(mult=[0.5, flag]), models.NegExpression(neg=0.25)]
    return {
        "rank fusion": {"prefetch": [near, words], "query": models.RrfQuery(rrf=models.Rrf(k=60)), "limit": 30},
        "rank fusion, default k": {"prefetch": [near, words], "query": models.FusionQuery(fusion=models.Fusion.RRF)},
        "weighted rank fusion": {"prefetch": [near, words], "query": models.RrfQuery(rrf=weighted)},
        "score fusion": {"prefetch": [near, words], "query": models.FusionQuery(fusion=models.Fusion.DBSF)},
        "two stages": {"prefetch": near, "query": [dense_query()], "using": TOKENS, "limit": 5},
        "formula": {"prefetch": near, "query": models.FormulaQuery(formula=models.SumExpression(sum=boosted))},
    }


def _queries_by_example() -> dict[str, dict[str, Any]]:
    best = models.RecommendStrategy.BEST_SCORE
    averaged = models.RecommendInput(positive=_SOME[:2], negative=_SOME[2:3])
    scored = models.RecommendInput(positive=_SOME[:2], negative=[dense_query()], strategy=best)
    pair = models.ContextPair(positive=_SOME[1], negative=_SOME[2])
    found = models.DiscoverInput(target=_SOME[0], context=[pair])
    varied = models.NearestQuery(nearest=dense_query(), mmr=models.Mmr(diversity=0.4, candidates_limit=30))
    terms = models.NearestQuery(nearest=sparse_query(), mmr=models.Mmr(diversity=0.7, candidates_limit=30))
    rows = [dense_query(), dense_query()[::-1]]
    given = models.RecommendInput(positive=[rows, rows[:1]], negative=[rows[1:]])
    return {
        "by id": {"query": point_id(4), "using": DENSE},
        "recommend": {"query": models.RecommendQuery(recommend=averaged), "using": DENSE},
        "recommend by best score": {"query": models.RecommendQuery(recommend=scored), "using": DENSE},
        "discover": {"query": models.DiscoverQuery(discover=found), "using": DENSE},
        "context": {"query": models.ContextQuery(context=[pair]), "using": DENSE, "limit": COUNT},
        "varied": {"query": varied, "using": DENSE},
        "varied, sparse": {"query": terms, "using": BM25, "limit": 5},
        "varied, page two": {"query": terms, "using": BM25, "limit": 3, "offset": 2},
        "recommend by terms": {"query": models.RecommendQuery(recommend=averaged), "using": BM25},
        "recommend by several vectors": {"query": models.RecommendQuery(recommend=averaged), "using": TOKENS},
        "recommend by several, given": {"query": models.RecommendQuery(recommend=given), "using": TOKENS},
    }


def load(engine: Engine, name: str = NAME) -> None:
    """Make the sample collection anew."""
    if engine.collection_exists(name):
        engine.delete_collection(name)
    engine.create_collection(
        name,
        {
            DENSE: models.VectorParams(size=DIM, distance=models.Distance.COSINE),
            TOKENS: models.VectorParams(
                size=DIM,
                distance=models.Distance.DOT,
                multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM),
            ),
        },
        sparse_vectors_config={BM25: models.SparseVectorParams(modifier=models.Modifier.IDF)},
        metadata={"made_by": {"suite": NAME}, "version": 1},
    )
    for field, schema in INDEXES.items():
        engine.create_payload_index(name, field, field_schema=schema)
    engine.upsert(name, sample_points())
    engine.finish_bulk_load(name)


@contextmanager
def refused(kind: type[StoreError], what: str, text: str = "") -> Iterator[None]:
    """Assert that a block raises an error whose message holds a text."""
    try:
        yield
    except kind as error:
        if text in str(error):
            return
        raise AssertionError(f"{what}: {error}") from error
    raise AssertionError(f"{what}: {kind.__name__} was not raised")
