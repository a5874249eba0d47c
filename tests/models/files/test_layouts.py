"""Sparse and multi-vector models in every layout that the hub has, against sentence-transformers' own classes."""

import numpy as np
import pytest

from qdrant_embed import load_embedder, load_multivector, load_sparse
from qdrant_embed.embedding.cache import EMBEDDINGS_VARIABLE
from qdrant_embed.errors import ConfigurationError, ModelError, TextTooLongError
from qdrant_embed.testing.conformance.auxiliary_models import check_auxiliary
from tests.support.late_import import Late
from tests.support.tiny_encoders import save_colbert, save_splade
from tests.support.tiny_models import edit_json, save_tiny_model

MultiVectorEncoder = Late("sentence_transformers", "MultiVectorEncoder")
SparseEncoder = Late("sentence_transformers", "SparseEncoder")

TEXTS = [
    "The gates open at six, daily.",
    "",
    "Master keys are rotated every ninety days by the harbour master.",
    " ",
    "w4 . , .",
]
FIXED, AT_LEAST = {"strategy": "fixed", "length": 20}, {"strategy": "min", "length": 16}
COLBERTS = [
    ("modules", None),
    ("modules", FIXED),
    ("modules", AT_LEAST),
    ("pylate", None),
    ("pylate", FIXED),
    ("stanford", FIXED),
]
BARE = '[models.bare]\nkind = "sparse"\npooling = "none"\nnormalize = false\ndistance = "dot"\n'


@pytest.fixture(scope="module")
def colberts(tmp_path_factory):
    """Return a function that gives the folder of a tiny ColBERT."""
    made = {}

    def make(layout, expansion):
        key = layout, str(expansion)
        if key not in made:
            made[key] = save_colbert(tmp_path_factory.mktemp("colbert"), layout=layout, expansion=expansion)
        return made[key]

    return make


@pytest.fixture(scope="module")
def splade(tmp_path_factory):
    return save_splade(tmp_path_factory.mktemp("splade"))


@pytest.mark.parametrize(("layout", "expansion"), COLBERTS)
def test_vectors_of_tokens_are_those_of_the_reference(colberts, layout, expansion):
    folder = colberts(layout, expansion)
    ours, theirs = load_multivector(folder), MultiVectorEncoder(str(folder), device="cpu")
    for found, expected in (
        (ours.embed_documents(TEXTS), theirs.encode_document(TEXTS, convert_to_numpy=True)),
        (ours.embed_queries(TEXTS), theirs.encode_query(TEXTS, convert_to_numpy=True)),
    ):
        assert [vectors.shape for vectors in found] == [vectors.shape for vectors in expected]
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("layout", ["modules", "router", "bare"])
@pytest.mark.parametrize("pooling", ["max", "sum"])
def test_weights_of_terms_are_those_of_the_reference(tmp_path, layout, pooling):
    if (layout, pooling) == ("bare", "sum"):
        pytest.skip("a bare model does not say how it is pooled; its terms take the most")
    folder = save_splade(tmp_path / "model", layout=layout, pooling=pooling)
    mine = tmp_path / "mine.toml"
    mine.write_text(f'{BARE}source = "{folder}"\n')
    ours = load_sparse("bare", presets=mine) if layout == "bare" else load_sparse(folder)
    theirs = SparseEncoder(str(folder), device="cpu")
    for found, expected in (
        (ours.embed_documents(TEXTS), theirs.encode_document(TEXTS)),
        (ours.embed_queries(TEXTS), theirs.encode_query(TEXTS)),
    ):
        rows = np.zeros(expected.shape, np.float32)
        for row, vector in zip(rows, found, strict=True):
            row[vector.indices] = vector.values
        np.testing.assert_allclose(rows, expected.to_dense().numpy(), atol=1e-5)


@pytest.mark.parametrize(("layout", "expansion"), [("modules", AT_LEAST), ("stanford", FIXED)])
def test_multivector_embedders_conform(colberts, layout, expansion):
    check_auxiliary(load_multivector(colberts(layout, expansion)))


@pytest.mark.parametrize("layout", ["modules", "router"])
def test_sparse_embedders_conform(tmp_path, layout):
    check_auxiliary(load_sparse(save_splade(tmp_path, layout=layout)))


def test_a_long_text_keeps_every_term_of_its_windows(splade):
    embedder = load_sparse(splade)
    parts = ["crane four lifts " * 12, "keys are rotated " * 12]
    whole, *alone = embedder.embed_documents(["".join(parts), *parts])
    strongest = {term for part in alone for term in part.indices[np.argsort(-part.values)[:20]].tolist()}
    assert len(strongest & set(whole.indices.tolist())) >= 0.9 * len(strongest)


def test_windows_of_a_text_are_joined_as_the_tokens_of_one_are(tmp_path):
    text = "harbour keys " * 80
    for pooling, join in (("max", np.maximum), ("sum", np.add)):
        embedder = load_sparse(save_splade(tmp_path / pooling, pooling=pooling))
        cuts = embedder._cutters["document"].cut([text], "", embedder._window)[0]
        assert len(cuts.texts) > 2
        rows = np.zeros((len(cuts.texts), embedder.dim), np.float32)
        for row, vector in zip(rows, embedder.embed_documents(cuts.texts), strict=True):
            row[vector.indices] = vector.values
        whole = embedder.embed_documents([text])[0]
        np.testing.assert_allclose(whole.values, join.reduce(rows)[whole.indices], rtol=1e-5)


def test_vectors_of_windows_stand_one_after_another(colberts):
    embedder = load_multivector(colberts("pylate", FIXED))
    text = "harbour keys " * 80
    cut = embedder._cutters["document"].cut([text], embedder.preset.document_prompt, embedder._window)[0]
    whole, *parts = embedder.embed_documents([text, *(piece.removeprefix("[unused1] ") for piece in cut.texts)])
    np.testing.assert_allclose(whole, np.concatenate(parts), atol=1e-5)


def test_a_question_that_just_fits_is_not_cut(colberts):
    folder = colberts("pylate", FIXED)
    ours, theirs = load_multivector(folder), MultiVectorEncoder(str(folder), device="cpu")
    room = 20 - 3  # [CLS], the marker, [SEP]
    words = ["key"] * room
    while ours.token_counter.count(" ".join(words)) > room:
        words.pop()
    question = " ".join(words)
    assert ours.token_counter.count(question) == room
    found = ours.embed_queries([question])[0]
    np.testing.assert_allclose(found, theirs.encode_query([question], convert_to_numpy=True)[0], atol=1e-5)
    assert len(ours.embed_queries([question + " key"])[0]) == 2 * 20


def test_error_and_truncate_are_kept_to(splade, colberts):
    long = "harbour keys " * 200
    for load, folder in ((load_sparse, splade), (load_multivector, colberts("modules", None))):
        with pytest.raises(TextTooLongError):
            load(folder, window="error").embed_documents([long])
        assert load(folder, window="truncate").encode_documents([long]).truncated == 1


@pytest.mark.parametrize(
    ("load", "kind", "instead"),
    [
        (load_sparse, "dense", "load_embedder"),
        (load_multivector, "dense", "load_embedder"),
        (load_embedder, "sparse", "load_sparse"),
        (load_multivector, "sparse", "load_sparse"),
        (load_embedder, "multivector", "load_multivector"),
        (load_sparse, "multivector", "load_multivector"),
    ],
)
def test_a_model_of_another_kind_is_refused(tmp_path, load, kind, instead):
    save = {"dense": save_tiny_model, "sparse": save_splade, "multivector": save_colbert}[kind]
    with pytest.raises(ConfigurationError, match=f"is a {kind} model.*{instead}"):
        load(save(tmp_path))


@pytest.mark.parametrize(("kind", "load"), [("sparse", load_sparse), ("multivector", load_multivector)])
def test_a_preset_cannot_make_a_dense_model_another(tmp_path, kind, load):
    mine = tmp_path / "mine.toml"
    folder = save_tiny_model(tmp_path / "dense")
    mine.write_text(f'[models.lie]\nkind = "{kind}"\nsource = "{folder}"\n')
    with pytest.raises(ConfigurationError, match="those of a dense model"):
        load("lie", presets=mine)
    bare = save_tiny_model(tmp_path / "bare", pooling="")
    mine.write_text(f'[models.lie]\nkind = "{kind}"\npooling = "none"\nsource = "{bare}"\n')
    with pytest.raises(ModelError, match=f"hold no {kind} model"):
        load("lie", presets=mine).embed_documents(["a"])


def test_a_skip_list_and_an_expansion_of_ones_own(tmp_path, colberts):
    mine, folder = tmp_path / "mine.toml", colberts("modules", FIXED)
    mine.write_text(
        f'[models.mine]\nsource = "{folder}"\nskiplist = "off"\nquery_expansion = "min"\nquery_tokens = 24\n'
    )
    theirs, ours = load_multivector(folder), load_multivector("mine", presets=mine)
    assert theirs.fingerprint != ours.fingerprint
    assert len(ours.embed_documents(["a . , ."])[0]) == len(theirs.embed_documents(["a . , ."])[0]) + 3
    assert len(ours.embed_queries(["a"])[0]) == 24


def test_other_settings_make_another_fingerprint(tmp_path):
    folder = save_colbert(tmp_path)
    before = load_multivector(folder).fingerprint
    edit_json(folder / "2_MultiVectorMask" / "config.json", skiplist_words=["!"])
    assert load_multivector(folder).fingerprint != before


def test_vectors_are_remembered_on_disk(tmp_path, monkeypatch, splade, colberts):
    monkeypatch.setenv(EMBEDDINGS_VARIABLE, str(tmp_path / "vectors.sqlite"))
    for load, folder in ((load_sparse, splade), (load_multivector, colberts("modules", None))):
        first, second = load(folder), load(folder)
        before = first.embed_documents(TEXTS)
        monkeypatch.setattr(second, "_pass", lambda *_: pytest.fail("the model was run again"))
        for one, other in zip(before, second.embed_documents(TEXTS), strict=True):
            for left, right in ((one.values, other.values) if load is load_sparse else (one, other),):
                np.testing.assert_array_equal(left, right)


def save_raw(folder, **settings):
    """Save a multi-vector model whose vectors are not normalized."""
    import torch
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.base.modules.dense import Dense
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

    save_tiny_model(folder / "transformer", "bert", pooling="")
    torch.manual_seed(11)
    dense = Dense(32, 8, activation_function=torch.nn.Identity(), module_input_name="token_embeddings")
    modules = [Transformer(str(folder / "transformer"), **settings), dense, MultiVectorMask()]
    MultiVectorEncoder(modules=modules, device="cpu").save_pretrained(str(folder / "raw"), create_model_card=False)
    return folder / "raw"


def test_vectors_of_tokens_keep_their_lengths_where_the_model_does_not_normalize(tmp_path):
    folder = save_raw(tmp_path)
    ours, theirs = load_multivector(folder), MultiVectorEncoder(str(folder), device="cpu")
    assert (ours.preset.normalize, ours.preset.distance) == (False, "dot")
    found, expected = ours.embed_documents(TEXTS), theirs.encode_document(TEXTS, convert_to_numpy=True)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_collections_compare_such_vectors_as_they_are(tmp_path):
    from qdrant_client import models

    from qdrant_embed import Recipe
    from qdrant_embed.embedding.recipe_models import RecipeModels
    from qdrant_embed.types import MULTIVECTOR

    for folder, expected in ((save_raw(tmp_path), "DOT"), (save_colbert(tmp_path / "unit"), "COSINE")):
        layout = RecipeModels.of(Recipe(model="hashing", multivector=str(folder))).layout
        assert layout.vectors()[MULTIVECTOR].distance == models.Distance[expected]


def test_questions_are_read_whole_where_only_texts_have_a_limit(tmp_path):
    folder = save_raw(tmp_path, document_length=12)
    ours, theirs = load_multivector(folder), MultiVectorEncoder(str(folder), device="cpu")
    long = " ".join(["keys"] * 40)
    assert (ours.max_tokens, ours.preset.query_tokens) == (12, 64)
    expected = theirs.encode_query([long], convert_to_numpy=True)[0]
    found = ours.embed_queries([long])[0]
    assert len(expected) > 12
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("kind", ["sparse", "multivector"])
def test_prompted_texts_end_where_the_reference_ends_them(kind, tmp_path):
    long = " ".join(["keys", "gates", "cranes", "harbour"] * 40)
    if kind == "sparse":
        folder = save_splade(tmp_path)
        edit_json(folder / "config_sentence_transformers.json", prompts={"query": "query: ", "document": "passage: "})
        expected = SparseEncoder(str(folder), device="cpu").encode_document([long], convert_to_sparse_tensor=False)
        found = load_sparse(folder, window="truncate").embed_documents([long])[0]
        np.testing.assert_allclose(found.values, expected[0].numpy()[found.indices], atol=1e-5)
        assert len(found.indices) == int((expected[0] != 0).sum())
        return
    folder = save_colbert(tmp_path)
    expected = MultiVectorEncoder(str(folder), device="cpu").encode_document([long], convert_to_numpy=True)[0]
    np.testing.assert_allclose(
        load_multivector(folder, window="truncate").embed_documents([long])[0], expected, atol=1e-5
    )
