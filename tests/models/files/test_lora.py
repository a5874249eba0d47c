"""LoRA adapters added to weights, beside a model that computes with them as training does."""

import json

import numpy as np
import pytest

from qdrant_embed.embedding import load_embedder
from qdrant_embed.errors import ModelError
from tests.support.tiny_adapters import hook_adapter, save_tiny_adapter
from tests.support.tiny_models import edit_json, save_tiny_model

TEXTS = ["Crane four lifts twelve tons.", "Key", "The gates open at six in the morning."]
LAYERS = ("q_proj", "v_proj", "up_proj")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return save_tiny_model(tmp_path_factory.mktemp("base"), "mistral", pooling="")


@pytest.fixture
def write_preset(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nobody"))

    def write(source, *lines):
        path = tmp_path / "mine.toml"
        path.write_text("\n".join(["[models.mine]", f'source = "{source}"', 'pooling = "mean"', *lines]))
        return path

    return write


def expected(base, adapter, texts=TEXTS, **options):
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(base), AutoModel.from_pretrained(base).eval()
    hook_adapter(model, adapter, **options)
    with torch.inference_mode():
        rows = [model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(0).numpy() for text in texts]
    return np.array([row / np.linalg.norm(row) for row in rows])


@pytest.mark.parametrize("prefix", ["", "model.", "model.model."])
def test_an_adapter_is_added_to_the_model_it_names(base, tmp_path, write_preset, prefix):
    adapter = save_tiny_adapter(tmp_path / "adapter", base, LAYERS, prefix=prefix)
    vectors = load_embedder("mine", presets=write_preset(adapter)).embed_documents(TEXTS)
    np.testing.assert_allclose(vectors, expected(base, adapter, prefix=prefix), atol=2e-5)
    plain = load_embedder("mine", presets=write_preset(base)).embed_documents(TEXTS)
    assert np.abs(vectors - plain).max() > 1e-2


def test_word_tables_and_another_scale(base, tmp_path, write_preset):
    adapter = save_tiny_adapter(tmp_path / "adapter", base, ("embed_tokens", "o_proj"), use_rslora=True)
    vectors = load_embedder("mine", presets=write_preset(adapter)).embed_documents(TEXTS)
    np.testing.assert_allclose(vectors, expected(base, adapter, scale=8 / 2**0.5), atol=2e-5)


def test_questions_may_have_an_adapter_of_their_own(base, write_preset):
    for seed, name in enumerate(("for_questions", "for_texts")):
        save_tiny_adapter(base / name, base, seed=seed)
    presets = write_preset(base, 'adapter = "for_texts"', 'query_adapter = "for_questions"')
    embedder = load_embedder("mine", presets=presets)
    np.testing.assert_allclose(embedder.embed_documents(TEXTS), expected(base, base / "for_texts"), atol=2e-5)
    np.testing.assert_allclose(embedder.embed_queries(TEXTS), expected(base, base / "for_questions"), atol=2e-5)


def test_every_adapter_has_a_name_of_its_own(base, tmp_path, write_preset):
    for seed, name in enumerate(("one", "other")):
        save_tiny_adapter(base / name, base, seed=seed)
    sides = [(), ('adapter = "one"',), ('adapter = "other"',), ('adapter = "one"', 'query_adapter = "other"')]
    names = [load_embedder("mine", presets=write_preset(base, *lines)).fingerprint["model"] for lines in sides]
    edit_json(base / "one" / "adapter_config.json", lora_alpha=4)
    names.append(load_embedder("mine", presets=write_preset(base, *sides[1])).fingerprint["model"])
    assert len(set(names)) == 5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"use_dora": True}, r"use_dora = True, which is not known here\. Merge it .*merge_and_unload"),
        ({"peft_type": "IA3"}, "peft_type = 'IA3'"),
        ({"modules_to_save": ["embed_tokens"]}, "modules_to_save"),
        ({"base_model_name_or_path": None}, "which model it belongs to"),
    ],
)
def test_what_is_more_than_a_sum_of_products_is_refused(base, tmp_path, write_preset, changes, message):
    adapter = save_tiny_adapter(tmp_path / "adapter", base)
    edit_json(adapter / "adapter_config.json", **changes)
    with pytest.raises(ModelError, match=message):
        load_embedder("mine", presets=write_preset(adapter))


def test_the_adapter_of_another_model_is_refused(base, tmp_path, write_preset):
    other = save_tiny_model(tmp_path / "other", "bert", pooling="")
    adapter = save_tiny_adapter(tmp_path / "adapter", other, ("query",), base_model_name_or_path=str(base))
    with pytest.raises(ModelError, match=r"does not fit .* encoder\.layer\.0\.attention\.self\.query, .*has nothing"):
        load_embedder("mine", presets=write_preset(adapter)).embed_documents(["a"])


def test_a_pickled_or_missing_adapter_is_refused_with_what_to_type(base, tmp_path, write_preset):
    adapter = save_tiny_adapter(tmp_path / "adapter", base)
    (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")
    with pytest.raises(ModelError, match=r"adapter_model.bin.*save_pretrained\(NEW_FOLDER\)"):
        load_embedder("mine", presets=write_preset(adapter))
    with pytest.raises(ModelError, match=r"holds no adapter: adapter_config.json is missing"):
        load_embedder("mine", presets=write_preset(base, 'adapter = "nowhere"'))


def test_an_adapter_may_stand_beside_its_base(base, tmp_path, write_preset):
    adapter = save_tiny_adapter(tmp_path / "adapter", base, base_model_name_or_path="../base")
    (tmp_path / "base").symlink_to(base)
    assert json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"] == "../base"
    assert load_embedder("mine", presets=write_preset(adapter)).embed_documents(["a"]).shape == (1, 32)
