"""What the embedded engine makes of `qdrant_client.models`, beyond the conformance suite."""

import uuid
from datetime import UTC, datetime

import numpy as np
import pytest
from qdrant_client import models

from qdrant_embed.errors import CollectionNotFoundError, StoreError, UnsupportedByEngineError
from qdrant_embed.testing.conformance.engine_cases import BM25, DENSE, NAME, dense_query, load

DOT = models.Distance.DOT


@pytest.fixture
def both(folder_engine, memory_engine):
    load(folder_engine)
    load(memory_engine)
    return folder_engine, memory_engine


X = models.MultExpression(mult=["number", 0.1])
EXPRESSIONS = {
    "constant": 2.5,
    "variable": "number",
    "condition": models.FieldCondition(key="flag", match=models.MatchValue(value=True)),
    "sum": models.SumExpression(sum=["$score", X]),
    "max": models.MaxExpression(max=[1.0, X]),
    "min": models.MinExpression(min=[1.0, X]),
    "neg": models.NegExpression(neg=X),
    "abs": models.AbsExpression(abs=models.NegExpression(neg=X)),
    "div": models.DivExpression(div=models.DivParams(left="$score", right="number", by_zero_default=9.0)),
    "sqrt": models.SqrtExpression(sqrt="number"),
    "pow": models.PowExpression(pow=models.PowParams(base=X, exponent=2.0)),
    "exp": models.ExpExpression(exp=X),
    "log10": models.Log10Expression(log10=models.SumExpression(sum=[1.0, X])),
    "ln": models.LnExpression(ln=models.SumExpression(sum=[1.0, X])),
    "default": models.SumExpression(sum=["missing", "$score"]),
    "geo": models.GeoDistance(
        geo_distance=models.GeoDistanceParams(origin=models.GeoPoint(lon=4.0, lat=52.0), to="place")
    ),
    "lin decay": models.LinDecayExpression(lin_decay=models.DecayParamsExpression(x="number", target=20.0, scale=30.0)),
    "exp decay": models.ExpDecayExpression(exp_decay=models.DecayParamsExpression(x="number", scale=30.0)),
    "gauss decay": models.GaussDecayExpression(
        gauss_decay=models.DecayParamsExpression(
            x=models.DatetimeKeyExpression(datetime_key="modified"),
            target=models.DatetimeExpression(datetime="2026-02-01T00:00:00Z"),
            scale=864_000.0,
            midpoint=0.3,
        )
    ),
}


def test_formulas_give_the_scores_of_qdrant_client(both):
    near = models.Prefetch(query=dense_query(), using=DENSE, limit=60)
    for name, expression in EXPRESSIONS.items():
        query = models.FormulaQuery(formula=expression, defaults={"missing": 3.0})
        left, right = (
            {point.id: point.score for point in engine.query_points(NAME, query, prefetch=near, limit=60).points}
            for engine in both
        )
        assert left.keys() == right.keys()
        assert left == {key: pytest.approx(score, rel=1e-4) for key, score in right.items()}, name


def test_a_batch_answers_like_single_queries(folder_engine):
    load(folder_engine)
    requests = [
        models.QueryRequest(query=dense_query(), using=DENSE, limit=3, with_payload=True),
        models.QueryRequest(query=dense_query()[::-1], using=DENSE, limit=2, with_vector=[DENSE]),
    ]
    first, second = folder_engine.query_batch_points(NAME, requests)
    assert first.points == folder_engine.query_points(NAME, dense_query(), using=DENSE, limit=3).points
    assert [len(point.vector[DENSE]) for point in second.points] == [8, 8]
    assert second.points[0].payload is None
    assert folder_engine.query_batch_points(NAME, []) == []


def test_payload_fields_can_be_chosen(folder_engine):
    load(folder_engine)
    include = models.PayloadSelectorInclude(include=["number"])
    exclude = models.PayloadSelectorExclude(exclude=["text", "parts"])
    records, _ = folder_engine.scroll(NAME, limit=1, with_payload=include)
    assert set(records[0].payload) == {"number"}
    records, _ = folder_engine.scroll(NAME, limit=1, with_payload=exclude)
    assert "number" in records[0].payload
    assert not {"text", "parts"} & set(records[0].payload)


def test_ordering_sampling_and_no_ranking(folder_engine):
    load(folder_engine)
    order = models.OrderByQuery(order_by=models.OrderBy(key="number", direction=models.Direction.DESC, start_from=40))
    found = folder_engine.query_points(NAME, order, limit=3).points
    assert [(point.payload["number"], point.order_value) for point in found] == [(40, 40), (39, 39), (38, 38)]
    sampled = folder_engine.query_points(NAME, models.SampleQuery(sample=models.Sample.RANDOM), limit=60).points
    assert len({point.id for point in sampled}) == 60
    assert len(folder_engine.query_points(NAME, limit=4).points) == 4


def test_bm25_over_a_text_index(folder_engine):
    folder_engine.create_collection("c", {"v": models.VectorParams(size=1, distance=DOT)})
    scoring = models.TextIndexParams(
        type=models.TextIndexType.TEXT,
        scoring=True,
        stopwords=models.StopwordsSet(languages=[models.Language.ENGLISH], custom=["quay"]),
        stemmer=models.SnowballParams(type=models.Snowball.SNOWBALL, language=models.SnowballLanguage.ENGLISH),
    )
    folder_engine.create_payload_index("c", "text", field_schema=scoring)
    texts = ["cranes lift the cargo", "a quay", "the crane at the quay stands still and rusts"]
    folder_engine.upsert(
        "c", [models.PointStruct(id=n, vector={"v": [1.0]}, payload={"text": text}) for n, text in enumerate(texts)]
    )
    found = folder_engine.query_points("c", models.TextQuery(text="the crane"), using="text").points
    assert [point.id for point in found] == [0, 2]
    schema = folder_engine.get_collection("c").payload_schema["text"]
    assert (schema.data_type, schema.points) == (models.PayloadSchemaType.TEXT, 2), "one text is all stop words"


def test_times_and_uuids_in_a_payload_are_stored_as_text(folder_engine):
    folder_engine.create_collection("c", {"v": models.VectorParams(size=1, distance=DOT)})
    made, key = datetime(2026, 5, 1, tzinfo=UTC), uuid.uuid4()
    folder_engine.upsert("c", [models.PointStruct(id=key, vector={"v": [1.0]}, payload={"made": made, "key": key})])
    found = folder_engine.retrieve("c", [key])[0]
    assert (found.id, found.payload) == (str(key), {"made": "2026-05-01T00:00:00Z", "key": str(key)})


def test_a_point_that_cannot_be_stored_is_named(folder_engine):
    folder_engine.create_collection("c", {"v": models.VectorParams(size=1, distance=DOT)})
    good = models.PointStruct(id=1, vector={"v": [1.0]})
    for bad in ({"x": float("inf")}, {"x": "\ud800"}, {"x": object()}):
        point = models.PointStruct.model_construct(id=77, vector={"v": [1.0]}, payload=bad)
        with pytest.raises(StoreError, match="the point 77 cannot be stored"):
            folder_engine.upsert("c", [good, point])


def test_the_unnamed_vector(folder_engine):
    folder_engine.create_collection("c", models.VectorParams(size=2, distance=DOT))
    folder_engine.upsert("c", [models.PointStruct(id=1, vector=[1.0, 2.0])])
    folder_engine.upsert("c", [models.PointStruct.model_construct(id=2, vector=np.float32([3, 4]), payload=None)])
    assert folder_engine.retrieve("c", [2], with_vectors=True)[0].vector == [3.0, 4.0]
    assert [point.score for point in folder_engine.query_points("c", [1.0, 1.0]).points] == [7.0, 3.0]
    assert isinstance(folder_engine.get_collection("c").config.params.vectors, models.VectorParams)


QUANTIZATIONS = {
    "scalar": models.ScalarQuantization(
        scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=0.99, always_ram=True)
    ),
    "product": models.ProductQuantization(
        product=models.ProductQuantizationConfig(compression=models.CompressionRatio.X4)
    ),
    "binary": models.BinaryQuantization(
        binary=models.BinaryQuantizationConfig(
            encoding=models.BinaryQuantizationEncoding.ONE_AND_HALF_BITS,
            query_encoding=models.BinaryQuantizationQueryEncoding.SCALAR8BITS,
        )
    ),
    "turbo": models.TurboQuantization(
        turbo=models.TurboQuantQuantizationConfig(bits=models.TurboQuantBitSize.BITS4, memory=models.Memory.PINNED)
    ),
}


@pytest.mark.parametrize("kind", QUANTIZATIONS)
def test_quantization_is_kept_and_used(folder_engine, kind):
    params = models.VectorParams(
        size=16,
        distance=models.Distance.COSINE,
        datatype=models.Datatype.FLOAT16,
        quantization_config=QUANTIZATIONS[kind],
        hnsw_config=models.HnswConfigDiff(m=8),
    )
    folder_engine.create_collection(
        "c", {"v": params}, optimizers_config=models.OptimizersConfigDiff(indexing_threshold=1)
    )
    vectors = np.random.default_rng(1).standard_normal((300, 16)).astype(np.float32)
    folder_engine.upsert(
        "c",
        [
            models.PointStruct.model_construct(id=n, vector={"v": vector}, payload=None)
            for n, vector in enumerate(vectors)
        ],
    )
    folder_engine.finish_bulk_load("c")
    info = folder_engine.get_collection("c")
    assert info.indexed_vectors_count == info.points_count == 300
    assert info.config.params.vectors == {"v": params}
    search = models.SearchParams(
        quantization=models.QuantizationSearchParams(rescore=True, oversampling=30.0), indexed_only=True, hnsw_ef=300
    )
    found = folder_engine.query_points("c", vectors[5], using="v", limit=1, search_params=search).points
    assert [point.id for point in found] == [5]
    assert found[0].score == pytest.approx(1.0, abs=2e-3)


def test_a_collection_can_be_given_quantization_later(folder_engine):
    folder_engine.create_collection("c", {"v": models.VectorParams(size=4, distance=DOT)}, metadata={"kept": 1})
    folder_engine.upsert("c", [models.PointStruct(id=1, vector={"v": [1.0, 2.0, 3.0, 4.0]})])
    folder_engine.update_collection(
        "c", quantization_config=QUANTIZATIONS["scalar"], hnsw_config=models.HnswConfigDiff(ef_construct=64)
    )
    folder_engine.update_collection(
        "c",
        hnsw_config=models.HnswConfigDiff(m=24),
        vectors_config={"v": models.VectorParamsDiff(quantization_config=QUANTIZATIONS["turbo"])},
    )
    config = folder_engine.get_collection("c").config
    assert config.quantization_config == QUANTIZATIONS["scalar"]
    assert (config.hnsw_config.m, config.hnsw_config.ef_construct) == (24, 64)
    assert config.params.vectors["v"].quantization_config == QUANTIZATIONS["turbo"]
    assert config.metadata == {"kept": 1}
    assert folder_engine.count("c").count == 1
    with pytest.raises(UnsupportedByEngineError, match="only for vectors that have it"):
        folder_engine.update_collection("c", quantization_config=models.Disabled.DISABLED)
    with pytest.raises(StoreError, match="no vector 'w'; vectors found: 'v'"):
        folder_engine.update_collection("c", vectors_config={"w": models.VectorParamsDiff(on_disk=True)})


@pytest.mark.parametrize("kind", QUANTIZATIONS)
def test_quantization_of_a_vector_that_is_switched_off_is_removed(folder_engine, kind):
    params = models.VectorParams(size=64, distance=DOT, quantization_config=QUANTIZATIONS[kind], on_disk=True)
    threshold = models.OptimizersConfigDiff(indexing_threshold=1)
    folder_engine.create_collection("c", {"v": params}, optimizers_config=threshold)
    rows = np.random.default_rng(1).standard_normal((300, 64)).astype(np.float32)
    points = [models.PointStruct.model_construct(id=n, vector={"v": row}, payload=None) for n, row in enumerate(rows)]
    folder_engine.upsert("c", points)
    folder_engine.finish_bulk_load("c")
    assert codes_on_disk(folder_engine)
    off = models.VectorParamsDiff(quantization_config=models.Disabled.DISABLED)
    folder_engine.update_collection("c", vectors_config={"v": off})
    nearest = [int(np.argmax(rows @ rows[5]))]
    assert [p.id for p in folder_engine.query_points("c", rows[5], using="v", limit=1).points] == nearest
    folder_engine.finish_bulk_load("c")
    assert not codes_on_disk(folder_engine)
    assert folder_engine.get_collection("c").config.params.vectors["v"].quantization_config is None
    assert [p.id for p in folder_engine.query_points("c", rows[5], using="v", limit=1).points] == nearest


def codes_on_disk(engine):
    return [path for path in engine.path.rglob("*") if path.name.startswith("quantized")]


UNSUPPORTED = {
    "lookup": {"query": 1, "lookup_from": models.LookupLocation(collection="other")},
    "inference": {"query": models.Document(text="x", model="y"), "using": DENSE},
    "sparse variety in a prefetch": {
        "prefetch": models.Prefetch(
            query=models.NearestQuery(
                nearest=models.SparseVector(indices=[1], values=[1.0]), mmr=models.Mmr(diversity=0.5)
            ),
            using=BM25,
        ),
        "query": models.FusionQuery(fusion=models.Fusion.RRF),
    },
}


@pytest.mark.parametrize("kind", UNSUPPORTED)
def test_what_the_engine_lacks_is_refused_with_a_way_out(folder_engine, kind):
    load(folder_engine)
    with pytest.raises(UnsupportedByEngineError, match="a Qdrant server has"):
        folder_engine.query_batch_points(NAME, [models.QueryRequest(**UNSUPPORTED[kind])])


def test_settings_that_the_engine_lacks_are_refused(folder_engine):
    with pytest.raises(UnsupportedByEngineError, match="flush_interval_sec"):
        folder_engine.create_collection(
            "c",
            models.VectorParams(size=2, distance=DOT),
            optimizers_config=models.OptimizersConfigDiff(flush_interval_sec=1),
        )
    assert not folder_engine.collection_exists("c")


def test_an_index_can_be_made_again(folder_engine):
    load(folder_engine)
    before = folder_engine.get_collection(NAME).payload_schema
    folder_engine.create_payload_index(NAME, "number", field_schema=models.PayloadSchemaType.INTEGER)
    assert folder_engine.get_collection(NAME).payload_schema == before
    assert before["source"].params.prefix is True
    assert before["document"].data_type == models.PayloadSchemaType.UUID


def test_idf_may_be_counted_over_a_part(folder_engine):
    load(folder_engine)
    guide = models.Filter(must=[models.FieldCondition(key="source", match=models.MatchPrefix(prefix="guide"))])
    params = models.SearchParams(idf=models.IdfCorpusParams(corpus=guide))
    terms = models.SparseVector(indices=folder_engine.scroll(NAME, with_vectors=[BM25])[0][0].vector[BM25].indices[:1],
                                values=[1.0])  # fmt: skip
    whole = folder_engine.query_points(NAME, terms, using=BM25).points
    part = folder_engine.query_points(NAME, terms, using=BM25, search_params=params).points
    assert whole[0].score != part[0].score
    everywhere = models.SearchParams(idf=models.IdfScope.GLOBAL)
    assert folder_engine.query_points(NAME, terms, using=BM25, search_params=everywhere).points == whole


def test_aliases_are_refused_where_they_make_no_sense(folder_engine):
    load(folder_engine)

    def change(collection, alias):
        made = models.CreateAlias(collection_name=collection, alias_name=alias)
        folder_engine.update_collection_aliases([models.CreateAliasOperation(create_alias=made)])

    change(NAME, "a")
    with pytest.raises(StoreError, match="itself an alias"):
        change("a", "b")
    with pytest.raises(StoreError, match="a name of its own"):
        change(NAME, NAME)
    with pytest.raises(CollectionNotFoundError):
        change("nowhere", "b")
    with pytest.raises(StoreError, match="already exists"):
        load_under = {"vectors_config": models.VectorParams(size=1, distance=DOT)}
        folder_engine.create_collection("a", **load_under)
    rename = models.RenameAlias(old_alias_name="a", new_alias_name="z")
    folder_engine.update_collection_aliases([models.RenameAliasOperation(rename_alias=rename)])
    with pytest.raises(StoreError, match="no alias 'a'; aliases found: z"):
        folder_engine.update_collection_aliases([models.RenameAliasOperation(rename_alias=rename)])
    assert folder_engine.count("z").count == 60
