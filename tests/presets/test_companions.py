"""Every sparse and multi-vector preset, with a tiny model of its architecture and layout in place of its weights."""

import pytest

from qdrant_embed import load_multivector, load_sparse
from qdrant_embed.models.license_warning import LicenseWarning, _warn
from qdrant_embed.models.preset_files import read_presets
from qdrant_embed.testing.conformance.auxiliary_models import assert_close
from tests.support.tiny_encoders import save_colbert, save_splade

PRESETS = {name: entry.values for name, entry in read_presets().items()}
SPARSE = {
    "splade-ensembledistil": "bare",
    "splade-v3": "modules",
    "opensearch-doc-v2": "router",
    "opensearch-doc-v3": "router",
}
MULTIVECTOR = {"colbert-v2": "stanford", "answerai-colbert-small": "pylate", "gte-modern-colbert": "pylate"}
TEXTS = ["Crane four lifts twelve tons.", "Key", "The gates open at six in the morning and close at ten at night."]


def test_none_is_left_out():
    kinds = {name: values["kind"] for name, values in PRESETS.items() if values.get("kind", "dense") != "dense"}
    assert kinds == {**dict.fromkeys(SPARSE, "sparse"), **dict.fromkeys(MULTIVECTOR, "multivector")}


@pytest.mark.filterwarnings("ignore::qdrant_embed.models.license_warning.LicenseWarning")
@pytest.mark.parametrize("name", SPARSE)
def test_a_sparse_preset_gives_the_weights_of_the_reference(name, tmp_path):
    from sentence_transformers import SparseEncoder

    folder = save_splade(tmp_path / "model", layout=SPARSE[name], architecture=PRESETS[name]["architecture"])
    reference = SparseEncoder(str(folder), device="cpu")
    embedder = load_sparse(name, presets=lay_over(tmp_path, name, folder, dim=len(reference.tokenizer)))
    for found, expected in (
        (embedder.embed_documents(TEXTS), reference.encode_document(TEXTS)),
        (embedder.embed_queries(TEXTS), reference.encode_query(TEXTS)),
    ):
        for vector, row in zip(found, expected.to_dense().numpy(), strict=True):
            assert vector.indices.tolist() == row.nonzero()[0].tolist()
            assert vector.values == pytest.approx(row[vector.indices], abs=1e-5)


@pytest.mark.parametrize("name", MULTIVECTOR)
def test_a_multivector_preset_gives_the_vectors_of_the_reference(name, tmp_path):
    from sentence_transformers import MultiVectorEncoder

    values = PRESETS[name]
    folder = save_colbert(
        tmp_path / "model",
        layout=MULTIVECTOR[name],
        architecture=values["architecture"],
        expansion={"strategy": "fixed", "length": 32},
    )
    embedder = load_multivector(name, presets=lay_over(tmp_path, name, folder, dim=8))
    reference = MultiVectorEncoder(str(folder), device="cpu")
    for found, expected in (
        (embedder.embed_documents(TEXTS), reference.encode_document(TEXTS, convert_to_numpy=True)),
        (embedder.embed_queries(TEXTS), reference.encode_query(TEXTS, convert_to_numpy=True)),
    ):
        assert_close(embedder, expected, found, "our way")
    assert embedder.max_tokens == 48 if "max_tokens" in values else 40
    assert embedder.preset.query_tokens == 32


def test_a_license_is_said_when_a_sparse_model_is_loaded(tmp_path):

    _warn.cache_clear()
    folder = save_splade(tmp_path / "model")
    embedder = load_sparse("splade-v3", presets=lay_over(tmp_path, "splade-v3", folder, dim=400))
    with pytest.warns(LicenseWarning, match="non-commercial"):
        embedder.embed_queries(["a"])


def lay_over(tmp_path, name, folder, **changes):
    """Put other weights, and what is smaller about them, into a preset, as a user would."""
    values = {"source": str(folder), **changes}
    if "max_tokens" in PRESETS[name]:
        values["max_tokens"] = 48
    lines = [f'[models."{name}"]', *(f"{key} = {value!r}" for key, value in values.items())]
    path = tmp_path / "mine.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
