import json
import shutil

import numpy as np
import pytest

from qdrant_embed import load_embedder
from qdrant_embed.errors import ConfigurationError, ModelError
from qdrant_embed.models.files.model_folder import read_model_files
from qdrant_embed.models.resolve import resolve
from tests.support.tiny_models import save_tiny_model


@pytest.fixture
def folder(save_model, tmp_path):
    """Return a copy that a test may spoil."""
    return shutil.copytree(save_model(), tmp_path / "copy")


def edit(path, **changes):
    values = json.loads(path.read_text()) if path.exists() else {}
    values.update(changes)
    path.write_text(json.dumps({key: value for key, value in values.items() if value is not None}))


def test_values_come_from_the_models_files_and_say_which(save_model):
    files = read_model_files(
        save_model("cls", prompts={"query": "q ", "document": "d "}, similarity_fn_name="dot", normalize=False)
    )
    expected = {
        "dim": (32, "1_Pooling/config.json"),
        "max_tokens": (24, "tokenizer_config.json"),
        "pooling": ("cls", "1_Pooling/config.json"),
        "normalize": (False, "modules.json"),
        "distance": ("dot", "config_sentence_transformers.json"),
        "query_prompt": ("q ", "config_sentence_transformers.json"),
        "document_prompt": ("d ", "config_sentence_transformers.json"),
    }
    assert {name: (files.values[name], files.origins[name]) for name in files.values} == expected
    assert files.plain


@pytest.mark.parametrize(
    ("config", "pooling", "dim"),
    [
        (
            {"word_embedding_dimension": 32, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False},
            "cls",
            32,
        ),
        ({"word_embedding_dimension": 32, "pooling_mode_lasttoken": True}, "lasttoken", 32),
        ({"word_embedding_dimension": 32, "pooling_mode_cls_token": True, "pooling_mode_max_tokens": True}, "none", 64),
        ({"embedding_dimension": 32, "pooling_mode": ["mean", "max", "cls"]}, "none", 96),
        ({"embedding_dimension": 32, "pooling_mode": ["max"]}, "max", 32),
        ({"embedding_dimension": 32, "pooling_mode": "mean_sqrt_len_tokens"}, "mean_sqrt_len_tokens", 32),
    ],
)
def test_every_way_to_write_a_pooling_is_read(folder, config, pooling, dim):
    (folder / "1_Pooling/config.json").write_text(json.dumps(config))
    files = read_model_files(folder)
    assert (files.values["pooling"], files.values["dim"]) == (pooling, dim)


@pytest.mark.parametrize(
    ("settings", "query", "document"),
    [
        ({"prompts": {"query": "q ", "document": ""}, "default_prompt_name": "query"}, "q ", ""),
        ({"prompts": {"both": "b "}, "default_prompt_name": "both"}, "", ""),
        ({"prompts": {"query": "q ", "document": "", "corpus": "c "}}, "q ", ""),
        ({"prompts": {"query": "q ", "passage": "p "}}, "q ", ""),
        ({"prompts": {"query": "q ", "document": "d ", "passage": "p "}}, "q ", "d "),
        ({"prompts": {"query": None, "document": None}}, "", ""),
        ({"prompts": {"other": "o "}}, "", ""),
    ],
)
def test_prompts_are_those_that_sentence_transformers_uses(folder, settings, query, document):
    from sentence_transformers import SentenceTransformer

    (folder / "config_sentence_transformers.json").write_text(json.dumps(settings))
    values = read_model_files(folder).values
    assert (values.get("query_prompt", ""), values.get("document_prompt", "")) == (query, document)
    theirs = SentenceTransformer(str(folder), device="cpu").prompts
    assert (theirs["query"] or "", theirs["document"] or "") == (query, document)


def test_a_prompt_that_is_not_used_is_said_once(folder, caplog):
    settings = {"prompts": {"query": "q ", "passage": "p "}}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(settings))
    for _ in range(2):
        assert load_embedder(folder).preset.document_prompt == ""
    assert [record.message.count("named passage") for record in caplog.records] == [1]


DEFAULT = {"prompts": {"query": "q ", "both": "Master keys "}, "default_prompt_name": "both"}


def test_a_default_prompt_counts_for_neither_side_as_there_and_is_said(folder, caplog):
    from sentence_transformers import SentenceTransformer

    (folder / "config_sentence_transformers.json").write_text(json.dumps(DEFAULT))
    ours, theirs, texts = load_embedder(folder), SentenceTransformer(str(folder), device="cpu"), ["gates are rotated"]
    np.testing.assert_allclose(ours.embed_documents(texts), theirs.encode_document(texts), atol=1e-5)
    np.testing.assert_allclose(ours.embed_queries(texts), theirs.encode_query(texts), atol=1e-5)
    assert not np.allclose(ours.embed_documents(texts), theirs.encode(texts), atol=1e-3)
    assert [record.message for record in caplog.records if "a prompt named both, which is not used" in record.message]


@pytest.mark.parametrize(
    ("settings", "stated", "unused"),
    [
        (DEFAULT, {}, "both"),
        (DEFAULT, {"query_prompt": "", "document_prompt": "Master keys "}, ""),
        (DEFAULT | {"default_prompt_name": None}, {}, ""),
        (DEFAULT | {"default_prompt_name": "query"}, {}, ""),
        ({"prompts": {"both": ""}, "default_prompt_name": "both"}, {}, ""),
        ({"prompts": {"passage": "p "}, "default_prompt_name": "passage"}, {}, "passage"),
        ({"prompts": {"corpus": "c ", "both": "b "}, "default_prompt_name": "both"}, {}, "corpus and both"),
        ({"prompts": {"passage": "p "}}, {"document_prompt": "p "}, ""),
        ({}, {}, ""),
    ],
)
def test_which_prompts_no_text_gets(folder, tmp_path, caplog, settings, stated, unused):
    (folder / "config_sentence_transformers.json").write_text(json.dumps(settings))
    name = f"in-{tmp_path.name}"  # it is said once for each model
    lines = [f"{key} = {json.dumps(value)}" for key, value in {"source": str(folder), **stated}.items()]
    (tmp_path / "mine.toml").write_text("\n".join([f"[models.{name}]", *lines]))
    resolve(name, tmp_path / "mine.toml")
    said = [record.getMessage().split(", which is not used")[0] for record in caplog.records]
    assert said == ([f"{name} states a prompt named {unused}"] if unused else [])


def test_a_vocabulary_alone_makes_the_tokenizer_that_transformers_makes(tmp_path):
    from sentence_transformers import SentenceTransformer

    folder = save_tiny_model(tmp_path, "bert")
    tokens = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    whole = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = [word for word, _ in sorted(tokens.items(), key=lambda item: item[1]) if word not in whole]
    # No more than the table has rows: which words come last differs from run to run, and a text may have them.
    (folder / "vocab.txt").write_text("\n".join([*whole, *words][: len(tokens)]))
    (folder / "tokenizer.json").unlink()
    edit(folder / "tokenizer_config.json", tokenizer_class="BertTokenizer", unk_token="[UNK]")
    texts = ["Master keys are rotated.", "gates"]
    theirs = SentenceTransformer(str(folder), device="cpu").encode_document(texts)
    np.testing.assert_allclose(load_embedder(folder).embed_documents(texts), theirs, atol=1e-5)


def test_without_any_vocabulary_what_to_type_is_said(tmp_path):
    folder = save_tiny_model(tmp_path, "bert")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"tokenizer\.json does not exist"):
        load_embedder(folder).embed_documents(["a"])


@pytest.mark.parametrize(
    ("stated", "tokenizer", "config", "expected"),
    [
        (16, 12, {"max_position_embeddings": 64}, 16),
        (None, int(1e30), {"max_position_embeddings": 64}, 64),
        (None, 12, {"max_position_embeddings": 64}, 12),
        (512, 512, {"max_position_embeddings": 64}, 64),
        (None, None, {"max_position_embeddings": 66, "model_type": "xlm-roberta", "pad_token_id": 1}, 64),
        (None, None, {"max_position_embeddings": 66, "model_type": "mpnet", "pad_token_id": 1}, 64),
        (None, int(1e30), {"max_position_embeddings": -1}, None),
    ],
)
def test_the_length_is_what_the_model_can_really_take(folder, stated, tokenizer, config, expected):
    edit(folder / "sentence_bert_config.json", max_seq_length=stated)
    edit(folder / "tokenizer_config.json", model_max_length=tokenizer)
    edit(folder / "config.json", **config)
    assert read_model_files(folder).values.get("max_tokens") == expected


def test_matryoshka_dimensions_are_found(folder):
    edit(folder / "config.json", matryoshka_dimensions=[32, 16, 8])
    assert read_model_files(folder).values["dims"] == [8, 16]


@pytest.mark.parametrize("spoil", ["", "2_Dense"])
def test_pickled_weights_are_refused_with_what_to_type(save_model, tmp_path, spoil):
    folder = shutil.copytree(save_model(dense=16), tmp_path / "copy")
    weights = folder / spoil / "model.safetensors"
    weights.rename(weights.with_name("pytorch_model.bin"))
    with pytest.raises(ModelError, match=r"pickled weights only .*save_pretrained\(NEW_FOLDER\)"):
        read_model_files(folder)


def test_missing_weights_are_named(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="no safetensors weights"):
        read_model_files(folder)


def test_a_folder_that_holds_no_model_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"not a model folder: .*config.json is missing"):
        read_model_files(tmp_path)


@pytest.mark.parametrize(
    "name", ["config.json", "1_Pooling/config.json", "sentence_bert_config.json", "tokenizer_config.json"]
)
@pytest.mark.parametrize("written", ["[]", "null", '"bert"'])
def test_json_of_another_shape_is_named(folder, name, written):
    (folder / name).write_text(written)
    with pytest.raises(ModelError, match=name.rpartition("/")[2]):
        resolve(folder)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("config_sentence_transformers.json", {"prompts": ["query: "]}),
        ("config_sentence_transformers.json", {"truncate_dim": {"dim": 8}}),
        ("config_sentence_transformers.json", {"similarity_fn_name": 1}),
        ("config.json", {"architectures": 5}),
        ("config.json", {"max_position_embeddings": "many"}),
        ("1_Pooling/config.json", {"pooling_mode": 5}),
        ("tokenizer_config.json", {"model_max_length": "long"}),
    ],
)
def test_values_of_another_type_are_told_in_a_sentence(folder, name, changes):
    edit(folder / name, **changes)
    with pytest.raises(ModelError, match="of another type than in other models"):
        resolve(folder)


def test_broken_json_is_named(folder):
    (folder / "config.json").write_text("{")
    with pytest.raises(ModelError, match=r"config\.json in .* is not valid JSON"):
        read_model_files(folder)


@pytest.mark.parametrize(
    ("place", "type", "message"),
    [
        (0, "sentence_transformers.models.BoW", "begins with a BoW module"),
        (0, "sentence_transformers.models.StaticEmbedding", "goes on from its table by Pooling, Normalize"),
        (1, "custom_pooling.Pooling", r"needs code of its own \(custom_pooling\.Pooling\), which is not run"),
    ],
)
def test_modules_that_cannot_be_run_are_refused(folder, place, type, message):
    modules = json.loads((folder / "modules.json").read_text())
    modules[place]["type"] = type
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ModelError, match=message):
        read_model_files(folder)


def test_dimensions_that_the_files_keep_are_kept(save_model):
    from sentence_transformers import SentenceTransformer

    folder = save_model(truncate_dim=8)
    theirs, ours = SentenceTransformer(str(folder), device="cpu"), load_embedder(folder)
    expected = theirs.encode_document(["w1 w2", "w3"])
    found = ours.embed_documents(["w1 w2", "w3"])
    assert (ours.dim, found.shape, expected.shape) == (8, (2, 8), (2, 8))
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6)
    assert load_embedder(folder, compression="32d").dim == 32
    assert load_embedder(folder, compression="4d!").dim == 4
    assert load_embedder(folder, compression="4d!+full+rescore4").dim == 8
    with pytest.raises(ConfigurationError, match="was not trained to be cut to 4"):
        load_embedder(folder, compression="4d")


def test_a_normalization_of_tokens_is_none_of_the_vector(save_model, tmp_path):
    from sentence_transformers import SentenceTransformer

    folder = shutil.copytree(save_model(), tmp_path / "copy")
    tokens = dict.fromkeys(("module_input_name", "module_output_name"), "token_embeddings")
    edit(folder / "2_Normalize" / "config.json", **tokens)
    theirs = SentenceTransformer(str(folder), device="cpu").encode_document(["w1 w2"])
    found = load_embedder(folder).embed_documents(["w1 w2"])
    assert abs(np.linalg.norm(theirs) - 1) > 0.1
    np.testing.assert_allclose(found, theirs, rtol=1e-5)


def test_models_of_one_tokenizer_file_share_what_counts_until_it_is_another(folder):
    first, other = (load_embedder(folder).token_counter for _ in range(2))
    assert first is other
    assert read_model_files(folder).tokenizer() is not first.tokenizer, "whoever changes it changes a copy"
    saved = read_model_files(folder).transformer / "tokenizer.json"
    saved.write_text(saved.read_text() + "\n")
    again = load_embedder(folder).token_counter
    assert again is not first
    assert again.name == first.name
