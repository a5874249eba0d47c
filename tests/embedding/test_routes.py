"""Models whose questions go through other modules than their texts, against sentence-transformers."""

import numpy as np
import pytest

from qdrant_embed import load_embedder, load_multivector
from qdrant_embed.errors import ModelError
from tests.support.late_import import Late
from tests.support.tiny_models import edit_json, save_transformer

torch = Late("torch")
MultiVectorEncoder = Late("sentence_transformers", "MultiVectorEncoder")
SentenceTransformer = Late("sentence_transformers", "SentenceTransformer")
Normalize = Late("sentence_transformers.base.modules", "Normalize")
Router = Late("sentence_transformers.base.modules", "Router")
Dense = Late("sentence_transformers.base.modules.dense", "Dense")
MultiVectorMask = Late("sentence_transformers.multi_vector_encoder.modules", "MultiVectorMask")
Pooling = Late("sentence_transformers.sentence_transformer.modules", "Pooling")
StaticEmbedding = Late("sentence_transformers.sentence_transformer.modules", "StaticEmbedding")
Transformer = Late("sentence_transformers.sentence_transformer.modules", "Transformer")

TEXTS = ["The gates open at six.", "keys", "Master keys are rotated every ninety days by the harbour master."]


@pytest.fixture(scope="module")
def transformer(tmp_path_factory):
    return save_transformer(tmp_path_factory.mktemp("bert"), "bert")


def dense(width=32, **settings):
    return Dense(32, width, activation_function=torch.nn.Tanh(), **settings)


def head(width=8):
    return dense(width, bias=False, module_input_name="token_embeddings")


def build(transformer, shape):
    torch.manual_seed(3)
    text = Transformer(str(transformer))
    pooling = Pooling(32)
    if shape == "heads":
        return [text, pooling, Router.for_query_document([dense()], [dense()]), Normalize()]
    if shape == "narrow heads":
        return [text, pooling, Router.for_query_document([dense(8)], [dense(8)])]
    if shape == "one head":
        return [text, pooling, Router.for_query_document([dense(), Normalize()], [Normalize()])]
    if shape == "mapped":
        ways = {("query", "text"): "b", (None, "text"): "a"}
        return [text, pooling, Router({"a": [dense()], "b": [dense()]}, route_mappings=ways), Normalize()]
    if shape == "poolings":
        return [text, Router.for_query_document([Pooling(32, "cls")], [Pooling(32)]), Normalize()]
    if shape == "two towers":
        other = Transformer(str(transformer))
        torch.nn.init.normal_(other.model.embeddings.word_embeddings.weight)
        return [Router.for_query_document([other, Pooling(32, "max")], [text, pooling]), Normalize()]
    table = StaticEmbedding(text.tokenizer.backend_tokenizer, embedding_dim=32)
    return [Router.for_query_document([table], [text, pooling]), Normalize()]


SHAPES = ["heads", "narrow heads", "one head", "mapped", "poolings", "two towers", "words"]


@pytest.mark.parametrize("shape", SHAPES)
def test_each_side_goes_its_own_way(transformer, tmp_path, shape):
    SentenceTransformer(modules=build(transformer, shape), device="cpu").save_pretrained(
        str(tmp_path), create_model_card=False
    )
    theirs, ours = SentenceTransformer(str(tmp_path), device="cpu"), load_embedder(tmp_path, runtime="torch")
    documents, queries = theirs.encode_document(TEXTS), theirs.encode_query(TEXTS)
    assert ours.dim == documents.shape[1]
    np.testing.assert_allclose(ours.embed_documents(TEXTS), documents, atol=2e-6)
    np.testing.assert_allclose(ours.embed_queries(TEXTS), queries, atol=2e-6)
    assert not np.allclose(documents, queries, atol=1e-2)


def test_converted_graphs_and_remembered_vectors_are_those_of_a_side(transformer, tmp_path, monkeypatch):
    pytest.importorskip("openvino")
    monkeypatch.setenv("QDRANT_EMBED_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("QDRANT_EMBED_EMBEDDINGS", str(tmp_path / "vectors.sqlite"))
    folder = tmp_path / "model"
    SentenceTransformer(modules=build(transformer, "heads"), device="cpu").save_pretrained(
        str(folder), create_model_card=False
    )
    theirs = SentenceTransformer(str(folder), device="cpu")
    for _ in range(2):
        ours = load_embedder(folder, runtime="openvino:float32")
        np.testing.assert_allclose(ours.embed_queries(TEXTS), theirs.encode_query(TEXTS), atol=1e-5)
        np.testing.assert_allclose(ours.embed_documents(TEXTS), theirs.encode_document(TEXTS), atol=1e-5)


def test_sides_that_cannot_be_compared_are_refused(transformer, tmp_path):
    modules = [Transformer(str(transformer)), Pooling(32), Router.for_query_document([dense(8)], [dense(16)])]
    SentenceTransformer(modules=modules, device="cpu").save_pretrained(str(tmp_path), create_model_card=False)
    with pytest.raises(ModelError, match=r"16 \(documents\) and 8 \(questions\)"):
        load_embedder(tmp_path)


def test_a_side_without_a_route_is_named(transformer, tmp_path):
    modules = [Transformer(str(transformer)), Pooling(32), Router({"q": [dense()], "document": [dense()]})]
    SentenceTransformer(modules=modules, device="cpu").save_pretrained(str(tmp_path), create_model_card=False)
    with pytest.raises(ModelError, match=r"no route for questions \(it has q, document"):
        load_embedder(tmp_path)


def test_code_on_a_route_is_not_run(transformer, tmp_path):
    SentenceTransformer(modules=build(transformer, "heads"), device="cpu").save_pretrained(
        str(tmp_path), create_model_card=False
    )
    (stated,) = tmp_path.rglob("router_config.json")
    types = {f"{side}_0_Dense": "mine.Dense" for side in ("query", "document")}
    edit_json(stated, types=types)
    with pytest.raises(ModelError, match=r"needs code of its own \(mine.Dense"):
        load_embedder(tmp_path)


@pytest.mark.parametrize("first", [False, True])
def test_tokens_go_their_own_way_too(transformer, tmp_path, first):
    torch.manual_seed(5)
    text = Transformer(str(transformer))
    if first:
        modules = [Router.for_query_document([Transformer(str(transformer)), head()], [text, head()])]
    else:
        modules = [text, Router.for_query_document([head()], [head()])]
    modules += [MultiVectorMask(), Normalize(module_input_name="token_embeddings")]
    MultiVectorEncoder(modules=modules, device="cpu").save_pretrained(str(tmp_path), create_model_card=False)
    theirs, ours = MultiVectorEncoder(str(tmp_path), device="cpu"), load_multivector(tmp_path)
    assert ours.dim == 8
    for found, expected in (
        (ours.embed_documents(TEXTS), theirs.encode_document(TEXTS, convert_to_numpy=True)),
        (ours.embed_queries(TEXTS), theirs.encode_query(TEXTS, convert_to_numpy=True)),
    ):
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, atol=2e-6)
