"""Codes of tokens that a collection keeps: what is stored, what it ranks by, and what it leaves alone."""

import numpy as np
import pytest

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.embedding.stored_tokens import StoredTokens, directions
from qdrant_embed.errors import ConfigurationError, RecipeMismatchError
from qdrant_embed.pooling.token_merging import merged
from qdrant_embed.testing import check_reranker

QUESTION = "w7 w12 w55"


@pytest.fixture(scope="module")
def model(save_model):
    return str(save_model())


def documents(count=20):
    generator = np.random.default_rng(3)
    for number in range(count):
        yield Document(text=" ".join(f"w{word}" for word in generator.integers(0, 60, 15)), source=f"{number}")


@pytest.fixture(scope="module", params=["folder", "memory"])
def kept(request, model, tmp_path_factory):
    """Return documents with codes of 32 bits, as many as the tiny model's states have numbers, in each local engine."""
    at = ":memory:" if request.param == "memory" else tmp_path_factory.mktemp("kept")
    with Collection.open("kept", at=at, recipe=Recipe(model=model, multivector="self:32")) as made:
        made.ingest(documents())
        yield made


def stored_codes(collection):
    records, _ = collection.engine.scroll(collection.name, limit=100, with_vectors=["tokens"])
    return {record.payload["text"]: np.asarray(record.vector["tokens"]) for record in records}


def test_what_is_stored_are_the_signs_of_merged_tokens(kept):
    codes, made = stored_codes(kept), kept.parts.stored_tokens
    assert len(codes) == 20
    for text, found in codes.items():
        (vectors,) = kept.embedder.tokens.embed_documents([text])
        assert found.shape == (12, 4), "four fifths of 15 tokens, four bytes each"
        signs = merged(vectors, 0.8) @ directions(32, made.bits) > 0
        np.testing.assert_array_equal(np.unpackbits(found.astype(np.uint8), axis=1), signs)


def test_the_suite_runs_over_it_and_no_passage_is_read_again(kept, monkeypatch):
    hits = kept.search(QUESTION, k=12)
    monkeypatch.setattr(type(kept.embedder.tokens), "embed_documents", None)
    check_reranker(kept.parts.reranker("tokens"), QUESTION, hits)


def test_all_directions_give_the_maxima_of_the_signs(kept):
    made = kept.parts.stored_tokens
    (asked,), (plain,) = made.embed_queries([QUESTION]), kept.embedder.tokens.embed_queries([QUESTION])
    np.testing.assert_allclose(np.linalg.norm(asked, axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(asked @ asked.T, plain @ plain.T, atol=1e-5)
    codes = next(iter(stored_codes(kept).values()))
    signs = np.where(np.unpackbits(codes.astype(np.uint8), axis=1), 1.0, -1.0)
    expected = [max(float(token @ sign) / np.sqrt(32) for sign in signs) for token in asked]
    np.testing.assert_allclose(made.nearest(asked, codes), expected, atol=1e-5)


def test_searches_without_the_reranker_are_as_without_the_codes(kept, model, make_collection):
    plain = make_collection(model=model)
    plain.ingest(documents())
    for mode in ("hybrid", "dense", "bm25"):
        with_codes, without = (one.search(QUESTION, k=20, mode=mode) for one in (kept, plain))
        # Scores have six digits, of which a processor may round the last one either way.
        expected = {hit.source: pytest.approx(hit.score, rel=3e-6) for hit in without}
        assert {hit.source: hit.score for hit in with_codes} == expected
    with pytest.raises(ConfigurationError, match=r"no multivector vectors.*hybrid, rrf, dense, bm25, or"):
        kept.search(QUESTION, mode="multivector")


def test_equal_texts_share_their_codes_and_a_second_ingest_reads_nothing(model, make_collection):
    made = make_collection(model=model, multivector="self:32")
    made.ingest([Document(text="w1 w2 w3 w4 w5", source="a")])
    again = made.ingest([Document(text="w1 w2 w3 w4 w5", source="b")])
    assert again.embedded == 0
    records, _ = made.engine.scroll(made.name, limit=10, with_vectors=["tokens"])
    one, other = (np.asarray(record.vector["tokens"]) for record in records)
    np.testing.assert_array_equal(one, other)


def test_a_change_of_compression_takes_them_along(model, make_collection):
    made = make_collection(model=model, multivector="self:32")
    made.ingest(documents(6))
    before = stored_codes(made)
    made.recompress("float16")
    after = stored_codes(made)
    assert before.keys() == after.keys()
    for text, codes in before.items():
        np.testing.assert_array_equal(codes, after[text])
    assert made.search(QUESTION, rerank="tokens")


def test_another_number_of_bits_is_another_recipe(model, tmp_path):
    Collection.open("kept", at=tmp_path, recipe=Recipe(model=model, multivector="self:32")).close()
    with pytest.raises(RecipeMismatchError, match="multivector"):
        Collection.open("kept", at=tmp_path, recipe=Recipe(model=model, multivector="self:16"))


@pytest.mark.parametrize("word", ["self:x", "self:0", "self:12", "self:-8"])
def test_other_words_are_refused_before_anything_is_made(model, tmp_path, word):
    with pytest.raises(ConfigurationError, match=r"a multiple of 8; type 'self' for 192, or 'self:384'"):
        Collection.open("kept", at=tmp_path, recipe=Recipe(model=model, multivector=word))


def test_models_without_token_states_or_with_too_few_numbers_are_refused(model, make_collection):
    with pytest.raises(ConfigurationError, match=r"Recipe\(multivector='self'\) compares the states of single tokens"):
        make_collection(multivector="self")
    from qdrant_embed import load_embedder

    embedder = load_embedder(model)
    with pytest.raises(ConfigurationError, match=r"more bits than the 32 numbers.*type 'self:32' or fewer"):
        StoredTokens("self", embedder.tokens, embedder.token_counter).encode_documents(["w1"])
