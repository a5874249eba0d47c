"""What is of a wrong type is refused by the name of the argument, never by an error from deep inside."""

import math

import pytest

from qdrant_embed import (
    Collection,
    Document,
    IngestOptions,
    ReadOptions,
    Recipe,
    describe_model,
    load_embedder,
    load_recipe,
    preview_chunks,
)
from qdrant_embed.errors import ConfigurationError


@pytest.fixture(scope="module")
def docs():
    with Collection.open("typed", at=":memory:", recipe=Recipe(model="hashing")) as collection:
        collection.ingest([Document(text="The gate opens at nine.", source="gate")])
        yield collection


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda docs: docs.search("gate", min_score="0.5"), "min_score="),
        (lambda docs: docs.search("gate", min_score=math.nan), "min_score="),
        (lambda docs: docs.similar(None), "to="),
        (lambda docs: docs.similar([7]), "to="),
        (lambda docs: docs.get(docs.search("gate")[0]), "ids="),
        (lambda docs: docs.chunks(None), "source="),
        (lambda docs: docs.chunks(docs.search("gate")[0]), "source="),
        (lambda docs: docs.neighbors("gate"), "hit="),
        (lambda docs: docs.neighbors(docs.search("gate")[0], before="1"), "before="),
        (lambda docs: docs.recompress(256), "compression="),
        (lambda docs: docs.calibrate("a question"), "questions="),
        (lambda docs: docs.evaluate({"a question": 1}), "questions="),
        (lambda docs: docs.evaluate(settings="dense"), "settings="),
        (lambda docs: docs.calibrate(options={"k": 5}), "options="),
        (lambda docs: docs.vectors.train_codes("64"), "bits="),
        (lambda docs: docs.vectors.export_codes(5), "path="),
        (lambda docs: docs.preview(5), "what="),
        (lambda docs: docs.ingest([], options={"force": True}), "options="),
        (lambda docs: docs.ingest([], reading={"include": ["*.md"]}), "reading="),
        (lambda docs: docs.ingest_each("./docs"), "paths="),
        (lambda docs: docs.count(filter={2026: "x"}), "'2026'"),
        (lambda docs: docs.index_field(5), "'5'"),
        (lambda _: IngestOptions(stall_seconds="5"), "stall_seconds="),
        (lambda _: ReadOptions(exclude=None), "exclude="),
        (lambda _: Recipe(model=None), "model="),
        (lambda _: Recipe(chunk_tokens="256"), "chunk_tokens="),
        (lambda _: Recipe(overlap=None), "overlap="),
        (lambda _: load_embedder(5), "model="),
        (lambda _: load_recipe("minilm"), r"Recipe\(model='minilm'\)"),
        (lambda _: preview_chunks("minilm", "a text"), r"Recipe\(model='minilm'\)"),
        (lambda _: describe_model(None), "name="),
        (lambda _: Collection.open(None, at=":memory:"), "name="),
        (lambda _: Collection.open("", at=":memory:", recipe=Recipe(model="hashing")), "is empty"),
        (lambda _: Collection.drop(5, at=":memory:"), "name="),
        (lambda _: Collection.open("x", at=":memory:", runtime=None), "runtime="),
    ],
)
def test_it_is_named(docs, call, named):
    with pytest.raises(ConfigurationError, match=named):
        call(docs)


def test_neighbors_may_be_asked_for_without_an_end(docs):
    (hit,) = docs.search("gate")
    assert docs.neighbors(hit, before=10**12, after=10**12)[0].id == hit.id


@pytest.mark.parametrize("name", ["a/b", "../up", "what?", "tab\there", "n" * 256])
def test_a_name_that_some_engine_would_refuse_is_refused_by_all(tmp_path, name):
    for at in (":memory:", tmp_path):
        with pytest.raises(ConfigurationError, match="cannot be called"):
            Collection.open(name, at=at, recipe=Recipe(model="hashing"))


def test_a_source_under_another_root_is_told_its_roots():
    with Collection.open("rooted", at=":memory:", recipe=Recipe(model="hashing")) as docs:
        docs.ingest([Document(text="The gate opens at nine.", source="gate")], root="harbour")
        with pytest.raises(ConfigurationError, match="Did you mean 'harbour'"):
            docs.chunks("gate", root="harbor")
