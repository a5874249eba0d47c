"""A text has the vector that it has alone, whatever it is embedded beside and whatever its tokenizer pads."""

import numpy as np
import pytest

from qdrant_embed import load_embedder, load_multivector, load_sparse
from tests.support.late_import import Late
from tests.support.tiny_encoders import save_colbert, save_splade
from tests.support.tiny_models import edit_json, save_tiny_model

MultiVectorEncoder = Late("sentence_transformers", "MultiVectorEncoder")
SentenceTransformer = Late("sentence_transformers", "SentenceTransformer")
SparseEncoder = Late("sentence_transformers", "SparseEncoder")

SHORT, LONG = "keys", "Master keys are rotated every ninety days by the harbour master; a lost key is reported."


@pytest.mark.parametrize(
    ("architecture", "runtime", "pooling"),
    [
        *((kind, "torch", ("mean", "cls", "lasttoken")[row % 3])  # what pools knows nothing of what is pooled
          for row, kind in enumerate(("bert", "distilbert", "roberta", "mpnet", "qwen3", "modernbert"))),
        *(("bert", "torch", pooling) for pooling in ("cls", "lasttoken")),
        ("bert", "openvino:float32", "cls"),  # which side it pads on is settled before any runtime is asked
    ],
)  # fmt: skip
def test_a_tokenizer_that_pads_left_changes_no_vector(architecture, runtime, pooling, tmp_path, monkeypatch):
    if runtime.startswith("openvino"):
        pytest.importorskip("openvino")
        monkeypatch.setenv("QDRANT_EMBED_CACHE", str(tmp_path / "cache"))
    folder = save_tiny_model(tmp_path / "model", architecture, pooling=pooling, padding_side="left")
    alone = SentenceTransformer(str(folder), device="cpu").encode([SHORT])[0]
    ours = load_embedder(folder, runtime=runtime)
    np.testing.assert_allclose(ours.embed_documents([SHORT])[0], alone, atol=1e-5)
    np.testing.assert_allclose(ours.embed_documents([LONG, SHORT])[1], alone, atol=1e-5)


def test_a_preset_cannot_make_vectors_depend_on_their_neighbors(tmp_path):
    folder = save_tiny_model(tmp_path / "model", "bert")
    presets = tmp_path / "mine.toml"
    presets.write_text(f'[models.mine]\nsource = "{folder}"\npadding = "left"\n')
    ours = load_embedder("mine", presets=presets)
    with_a_longer_one = ours.embed_documents([LONG, SHORT])[1]
    np.testing.assert_allclose(with_a_longer_one, ours.embed_documents([SHORT])[0], atol=1e-6)


def test_sparse_and_multivector_models_pad_right_too(tmp_path):
    splade, colbert = save_splade(tmp_path / "splade"), save_colbert(tmp_path / "colbert")
    for folder in (splade, colbert):
        edit_json(folder / "tokenizer_config.json", padding_side="left")
    alone = SparseEncoder(str(splade), device="cpu").encode_document([SHORT], convert_to_sparse_tensor=False)[0]
    found = load_sparse(splade).embed_documents([LONG, SHORT])[1]
    np.testing.assert_allclose(found.values, alone.numpy()[found.indices], atol=1e-5)
    alone = MultiVectorEncoder(str(colbert), device="cpu").encode_document([SHORT], convert_to_numpy=True)[0]
    np.testing.assert_allclose(load_multivector(colbert).embed_documents([LONG, SHORT])[1], alone, atol=1e-5)
