"""A tiny model made to read four times as much: what it keeps, what it learns, and how it is loaded again."""

import json

import numpy as np
import pytest

from qdrant_embed.embedding import load_embedder
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.training import ExtendOptions, extend
from tests.support.tiny_models import SENTENCES, save_tiny_model

TRAINED, TARGET = 32, 128
CORPUS = [" ".join(SENTENCES[at:] + SENTENCES[:at]) * 2 for at in range(len(SENTENCES))]
SHORT = ["The gates of the harbour open at six.", "lost key", "x"]
QUICK = {"steps": 80, "batch": 8, "rate": 3e-3}


@pytest.fixture(scope="module", params=["bert", "xlm-roberta"])
def parent(request, tmp_path_factory):
    prompts = {"query": "query: ", "document": "passage: "}
    return save_tiny_model(tmp_path_factory.mktemp("parent"), request.param, max_tokens=TRAINED, prompts=prompts)


@pytest.fixture(scope="module", params=["pi", "rp"])
def extended(parent, request, tmp_path_factory):
    out = tmp_path_factory.mktemp("extended") / "model"
    return extend(parent, TARGET, CORPUS, out, options=ExtendOptions(method=request.param, **QUICK))


def rows_of(folder):
    from qdrant_embed.long_context.patches.absolute_positions import first_row, position_table
    from qdrant_embed.models.resolve import resolve
    from qdrant_embed.runtimes.torch.load import load_model

    table, _ = position_table(load_model(resolve(folder))[0].model)
    return table.weight.detach().numpy()[first_row(table) :]


def test_short_texts_have_exactly_the_vectors_of_the_parent(parent, extended):
    old, new = (load_embedder(folder, runtime="torch") for folder in (parent, extended.folder))
    assert (new.max_tokens, old.max_tokens) == (TARGET, TRAINED)
    np.testing.assert_array_equal(new.embed_documents(SHORT), old.embed_documents(SHORT))
    np.testing.assert_array_equal(new.embed_queries(SHORT), old.embed_queries(SHORT))
    assert new.fingerprint["model"] != old.fingerprint["model"]


def test_long_texts_are_read_in_one_pass(extended):
    embedder = load_embedder(extended.folder, runtime="torch")
    text = "harbour " * (100 // embedder.token_counter.count("harbour "))
    assert TRAINED < embedder.token_counter.count(text) < TARGET
    encoded = embedder.encode_documents([text])
    assert (encoded.windowed, encoded.truncated) == (0, 0)


def test_old_rows_are_as_they_were_and_new_ones_were_trained(parent, extended):
    factor = json.loads((extended.folder / "qdrant_embed.json").read_text())["short_factor"]
    old, new = rows_of(parent), rows_of(extended.folder)
    assert (len(old), len(new)) == (TRAINED, TARGET)
    places = np.arange(TRAINED) * factor
    np.testing.assert_array_equal(new[places], old)
    from qdrant_embed.long_context.positions import extended_table

    untrained = extended_table(old, "pi" if factor > 1 else "rp", TARGET)
    changed = (np.abs(new - untrained).max(axis=1) > 1e-4).nonzero()[0]
    assert set(changed) <= set(range(TARGET)) - set(places.tolist())
    assert len(changed) > 0.9 * (TARGET - TRAINED)


def test_training_brings_shifted_vectors_nearer_to_the_parents(extended):
    interpolated = json.loads((extended.folder / "qdrant_embed.json").read_text())["short_factor"] > 1
    assert extended.tokens == TARGET
    if interpolated:
        assert extended.after > extended.before
    else:
        assert extended.after > extended.before - 0.02, "repeated rows are right already"


def test_the_same_seed_gives_the_same_model_and_another_another(parent, tmp_path):
    losses = []
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        said = []
        options = ExtendOptions(seed=seed, steps=3, batch=4, progress=lambda *step, said=said: said.append(step))
        extend(parent, TARGET, CORPUS, tmp_path / name, options=options)
        losses.append(said)
    assert losses[0] == losses[1] != losses[2]
    assert [step[:2] for step in losses[0]] == [(1, 3), (2, 3), (3, 3)]
    prints = [load_embedder(tmp_path / name).fingerprint["model"] for name in ("one", "same", "other")]
    assert prints[0] == prints[1] != prints[2]


def test_a_target_between_multiples_is_rounded_up(parent, tmp_path):
    assert extend(parent, 70, CORPUS, tmp_path / "model", options=ExtendOptions(steps=1, batch=2)).tokens == 96


def test_attention_over_long_texts_is_sharpened_unless_a_preset_says_otherwise(extended, tmp_path):
    """Training saw no text longer than the old window in one piece."""
    presets = tmp_path / "own.toml"
    presets.write_text(f"[models.blunt]\nsource = {str(extended.folder)!r}\nscale_from = 0\n")
    sharp, blunt = load_embedder(extended.folder, runtime="torch"), load_embedder("blunt", presets=presets)
    assert (sharp.fingerprint["scale_from"], blunt.fingerprint.get("scale_from")) == (TRAINED, None)
    np.testing.assert_array_equal(sharp.embed_documents(SHORT), blunt.embed_documents(SHORT))
    text = "harbour " * (100 // sharp.token_counter.count("harbour "))
    assert not np.allclose(sharp.embed_documents([text]), blunt.embed_documents([text]), atol=1e-4)
    with pytest.raises(ConfigurationError, match="was made longer already"):
        load_embedder(extended.folder, window="gp:128")


@pytest.mark.parametrize(
    ("kind", "tokens", "texts", "message"),
    [
        ("llama", 64, CORPUS, "has no table of positions to make longer: llama has rotary positions"),
        ("bert", 32, CORPUS, "has 32 positions already; give a longer target than 32, e.g. 256"),
        ("bert", 64, ["short"], "there have to be two or more"),
    ],
)
def test_what_cannot_be_trained_is_refused(tmp_path, kind, tokens, texts, message):
    folder = save_tiny_model(tmp_path / "parent", kind, max_tokens=32)
    with pytest.raises(ConfigurationError, match=message):
        extend(folder, tokens, texts, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_overwritten(tmp_path):
    with pytest.raises(ConfigurationError, match="exists; name a folder that does not"):
        extend("minilm", 1024, CORPUS, tmp_path)


@pytest.mark.parametrize("options", [{"method": "gp"}, {"steps": 0}, {"batch": 1}])
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ConfigurationError, match=r"positions are tuned from|make no training"):
        ExtendOptions(**options)
