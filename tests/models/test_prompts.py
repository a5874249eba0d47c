"""Tasks, templates, depth and states, as users choose them, on tiny models beside plain computations."""

import json
import shutil

import numpy as np
import pytest

from qdrant_embed import Recipe
from qdrant_embed.embedding import load_embedder
from qdrant_embed.errors import ConfigurationError, ModelError, TextTooLongError, UnknownNameError
from qdrant_embed.models.license_warning import LicenseWarning
from qdrant_embed.models.presets import Preset, with_layers
from qdrant_embed.models.prompts import with_task
from qdrant_embed.recipe import fingerprint

TEXTS = ["w1 w2 w3", "w4", "w5 w6 w7 w8 w9"]


def preset(**values):
    return Preset(name="mine", **values)


INSTRUCTED = {
    "task_template": "Instruct: {task}\nQuery:",
    "tasks": {"search": "Find passages", "sts": {"query": "same: ", "document": "same: "}},
    "task": "search",
}


@pytest.mark.parametrize(
    ("values", "task", "query", "document"),
    [
        ({"query_prompt": "q: ", "document_prompt": "d: "}, "", "q: ", "d: "),
        (INSTRUCTED, "", "Instruct: Find passages\nQuery:", ""),
        (INSTRUCTED, "search", "Instruct: Find passages\nQuery:", ""),
        (INSTRUCTED, "sts", "same: ", "same: "),
        (INSTRUCTED, "Find a refutation of the claim", "Instruct: Find a refutation of the claim\nQuery:", ""),
        ({"tasks": {"cluster": "c: "}, "query_prompt": "q: "}, "cluster", "c: ", ""),
        ({"query_template": "{task}? {text}!", "tasks": {"a": "Why"}, "task": "a"}, "", "Why? {text}!", ""),
        ({"query_template": "{text}</s>", "document_template": "{text}</s>"}, "", "{text}</s>", "{text}</s>"),
    ],
)
def test_a_task_settles_the_prompts(values, task, query, document):
    settled = with_task(preset(**values), task)
    assert (settled.query_prompt, settled.document_prompt) == (query, document)


@pytest.mark.parametrize(
    ("values", "task"), [(INSTRUCTED, "serch"), ({}, "search"), ({"tasks": {"a": "b"}}, "some sentence")]
)
def test_an_unknown_task_is_refused_and_near_ones_named(values, task):
    with pytest.raises(UnknownNameError, match="unknown task"):
        with_task(preset(**values), task)


def test_a_model_that_needs_a_task_asks_for_it():
    with pytest.raises(ConfigurationError, match="asks for a task"):
        with_task(preset(query_template="{task}: {text}"))


@pytest.fixture
def write_preset(tmp_path, plain_folder):
    """Return a function that writes a preset around the tiny BERT without modules, and loads it."""

    def write(folder=plain_folder, tables="", load=None, **values):
        lines = [f"{key} = {json.dumps(value)}" for key, value in {"pooling": "mean", **values}.items()]
        text = "\n".join(["[models.mine]", f'source = "{folder}"', *lines, tables])
        (tmp_path / "mine.toml").write_text(text + "\n")
        return load_embedder("mine", presets=tmp_path / "mine.toml", **(load or {}))

    return write


@pytest.fixture(scope="module")
def layers_of(plain_folder):
    """Return a function that gives every layer's states of one text, by transformers alone."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    model, tokenizer = AutoModel.from_pretrained(plain_folder).eval(), AutoTokenizer.from_pretrained(plain_folder)

    def layers(text):
        with torch.inference_mode():
            output = model(**tokenizer(text, return_tensors="pt"), output_hidden_states=True)
        return [layer[0].numpy() for layer in output.hidden_states]

    return layers


def unit(rows):
    rows = np.array(rows)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_layers_cut_the_model_and_stand_in_the_fingerprint(write_preset, layers_of, caplog):
    whole, half = write_preset(depths=[1]), write_preset(depths=[1], load={"layers": 1})
    np.testing.assert_allclose(half.embed_documents(TEXTS), unit([layers_of(t)[1].mean(0) for t in TEXTS]), atol=1e-5)
    assert half.fingerprint == {**whole.fingerprint, "layers": 1}
    assert "is cut to" not in caplog.text
    small = write_preset(load={"layers": 1, "compression": "8d!"})
    assert "cut to 1 blocks, but was not trained to be cut" in caplog.text
    np.testing.assert_allclose(small.embed_documents(TEXTS), unit(half.embed_documents(TEXTS)[:, :8]), atol=1e-5)


def test_layers_cut_a_folder_of_sentence_transformers_too(save_model, layers_of):
    vectors = load_embedder(save_model(), layers=1).embed_documents(TEXTS)
    np.testing.assert_allclose(vectors, unit([layers_of(text)[1].mean(0) for text in TEXTS]), atol=1e-5)


@pytest.mark.parametrize(("states", "dim"), [("first", 32), ("input", 32), ("top2", 64), ("last", 32)])
def test_states_of_other_layers_are_pooled(write_preset, layers_of, states, dim):
    from safetensors.numpy import load_file
    from transformers import AutoTokenizer

    embedder = write_preset(states=states)
    assert embedder.dim == dim
    folder = embedder._resolved.files.folder
    table = load_file(folder / "model.safetensors")["embeddings.word_embeddings.weight"]
    tokenizer = AutoTokenizer.from_pretrained(folder)

    def expected(text):
        if states == "first":
            return table[tokenizer(text)["input_ids"]].mean(0)
        layers = layers_of(text)
        return {"input": layers[0], "last": layers[2], "top2": np.concatenate(layers[1:], axis=1)}[states].mean(0)

    np.testing.assert_allclose(embedder.embed_documents(TEXTS), unit([expected(text) for text in TEXTS]), atol=1e-5)
    assert embedder.fingerprint.get("states", "last") == states


@pytest.mark.parametrize("padding", ["left", "right"])
def test_the_highest_layers_are_averaged_without_the_first_token(write_preset, layers_of, padding):
    """Distilled Sentence Embedding: [CLS] is left out, [SEP] is not."""
    embedder = write_preset(states="top2", pooled="all-but-first", padding=padding)
    expected = [np.concatenate([layer[1:].mean(0) for layer in layers_of(text)[1:]]) for text in TEXTS]
    # BERT counts positions from the left edge, so that padding there would move them: no padding, one by one.
    batches = [[text] for text in TEXTS] if padding == "left" else [TEXTS]
    vectors = np.concatenate([embedder.embed_documents(batch) for batch in batches])
    np.testing.assert_allclose(vectors, unit(expected), atol=1e-5)
    assert embedder.fingerprint["pooled"] == "all-but-first"


@pytest.mark.parametrize("runtime", ["api", "fastembed", "static", "paragraphs", "hashing"])
def test_layers_are_refused_where_nobody_counts_them(runtime):
    with pytest.raises(ConfigurationError, match=rf"layers=2 makes no sense for 'x' \(runtime {runtime}\)"):
        with_layers(Preset(name="x", runtime=runtime), 2)


def test_first_states_do_not_depend_on_word_order_but_last_ones_do(write_preset):
    orders = ["w1 w2 w3", "w3 w1 w2"]
    one, other = write_preset(states="first").embed_documents(orders)
    np.testing.assert_allclose(one, other, atol=1e-6)
    one, other = write_preset().embed_documents(orders)
    assert np.abs(one - other).max() > 1e-3


def test_text_stands_inside_its_template(write_preset, layers_of):
    """PromptEOL: what follows the text decides the last state."""
    embedder = write_preset(pooling="lasttoken", document_template="query {text} . passage", query_template="{text} .")
    expected = [layers_of(f"query {text} . passage")[2][-1] for text in TEXTS]
    np.testing.assert_allclose(embedder.embed_documents(TEXTS), unit(expected), atol=1e-5)
    expected = [layers_of(f"{text} .")[2][-1] for text in TEXTS]
    np.testing.assert_allclose(embedder.embed_queries(TEXTS), unit(expected), atol=1e-5)


@pytest.mark.parametrize("padding", ["left", "right"])
def test_echo_pools_the_second_copy_alone(write_preset, layers_of, padding):
    embedder = write_preset(pooled="text", padding=padding, document_template="query : {text} . passage : {text} .")
    expected = []
    for text in TEXTS:
        words = len(text.split())
        states = layers_of(f"query : {text} . passage : {text} .")[2]
        first = 1 + 2 + words + 1 + 2  # [CLS], query :, the first copy, its stop, passage :
        expected.append(states[first : first + words].mean(0))
    # BERT counts positions from the left edge, so that padding there would move them: no padding, one by one.
    batches = [[text] for text in TEXTS] if padding == "left" else [TEXTS]
    vectors = np.concatenate([embedder.embed_documents(batch) for batch in batches])
    np.testing.assert_allclose(vectors, unit(expected), atol=1e-5)


def test_a_prompt_can_be_left_out_of_the_mean(write_preset, layers_of):
    alone = write_preset(pooled="text").embed_documents(TEXTS)
    np.testing.assert_allclose(alone, unit([layers_of(text)[2][1:-1].mean(0) for text in TEXTS]), atol=1e-5)
    embedder = write_preset(pooled="text", document_prompt="passage : ")
    expected = [layers_of(f"passage : {text}")[2][3:-1].mean(0) for text in TEXTS]
    np.testing.assert_allclose(embedder.embed_documents(TEXTS), unit(expected), atol=1e-5)
    assert np.isfinite(embedder.embed_documents([""])).all()


def test_a_text_too_long_for_its_template_is_read_in_windows_that_each_have_it(write_preset, layers_of):
    words = [f"w{number}" for number in range(12)]
    embedder = write_preset(max_tokens=16, pooled="text", document_template="query {text} . {text} :")
    assert embedder.chunk_budget == 5  # (16 - [CLS] - [SEP] - query - . - :) / 2, rounded down
    windows = [" ".join(words[start:end]) for start, end in ((0, 5), (5, 10), (7, 12))]
    expected = np.mean([layers_of(f"query {window} . {window} :")[2][8:13].mean(0) for window in windows], axis=0)
    encoded = embedder.encode_documents([" ".join(words)])
    np.testing.assert_allclose(encoded.vectors, unit([expected]), atol=1e-5)
    assert (encoded.windowed, encoded.truncated) == (1, 0)
    strict = write_preset(max_tokens=16, document_template="query {text} . {text} :", load={"window": "error"})
    with pytest.raises(TextTooLongError, match="the model takes 5 beside prompt"):
        strict.embed_documents([" ".join(words)])


def test_tasks_reach_the_model_through_embedder_call_and_pickle(write_preset, layers_of):
    import pickle

    tables = '[models.mine.tasks]\nask = "query : "\nsame = {query = "w59 ", document = "w58 "}\n'
    embedder = write_preset(tables=tables, load={"task": "same"})
    expected = {p: unit([layers_of(f"{p}{text}")[2].mean(0) for text in TEXTS]) for p in ("w59 ", "w58 ", "query : ")}
    for each in (embedder, pickle.loads(pickle.dumps(embedder))):
        np.testing.assert_allclose(each.embed_queries(TEXTS), expected["w59 "], atol=1e-5)
        np.testing.assert_allclose(each.embed_documents(TEXTS), expected["w58 "], atol=1e-5)
        np.testing.assert_allclose(each.embed_queries(TEXTS, task="ask"), expected["query : "], atol=1e-5)


def test_recipe_holds_layers_and_task_only_where_they_are_chosen():
    usual, chosen = Recipe(), Recipe(layers=4, task="search")
    assert not {"layers", "task"} & set(usual.as_dict())
    assert Recipe.from_dict(chosen.as_dict()) == chosen
    assert len({fingerprint(recipe, {}) for recipe in (usual, chosen, Recipe(layers=4))}) == 3


def test_windows_that_do_not_suit_the_model_are_refused(write_preset):
    write_preset(windows=["gp", "pi"], load={"window": "truncate"})
    message = "'pcw' does not suit 'mine': .*Choose one of error, truncate, gp:TOKENS, pi:TOKENS"
    with pytest.raises(ConfigurationError, match=message):
        write_preset(windows=["gp", "pi"])


def test_a_license_note_is_said_once_and_when_the_weights_are_loaded(write_preset):
    embedder = write_preset(license="Some-NC", license_note="not for commercial use.")
    with pytest.warns(LicenseWarning, match=r"mine \(Some-NC\): not for commercial use"):
        embedder.embed_documents(TEXTS)
    write_preset(license="Some-NC", license_note="not for commercial use.").embed_documents(TEXTS)


def test_an_architecture_other_than_the_files_say_is_refused(write_preset):
    with pytest.raises(ConfigurationError, match=r"architecture = 'llama', but config\.json says model_type = 'bert'"):
        write_preset(architecture="llama")


def test_a_model_with_code_of_its_own_is_loaded_only_as_what_a_preset_names(plain_folder, tmp_path, write_preset):
    folder = shutil.copytree(plain_folder, tmp_path / "coded")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "bert_of_mine", "auto_map": {"AutoModel": "modeling_mine.Mine"}}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"brings code of its own \(modeling_mine\.Mine\), which is not run"):
        write_preset(folder)
    vectors = write_preset(folder, architecture="bert").embed_documents(TEXTS)
    np.testing.assert_array_equal(vectors, write_preset(plain_folder).embed_documents(TEXTS))


def test_to_run_all_blocks_is_to_cut_nothing(save_model, caplog):
    folder = save_model()
    whole, all_blocks = load_embedder(folder), load_embedder(folder, layers=2)
    assert all_blocks.fingerprint == whole.fingerprint
    assert not caplog.records
    np.testing.assert_array_equal(all_blocks.embed_documents(["w1"]), whole.embed_documents(["w1"]))
    load_embedder(folder, layers=1)
    assert "cut to 1 blocks" in caplog.text
