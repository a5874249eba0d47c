"""How far a model reads, and what could make it read further, from its files alone."""

import pickle
import re
import shutil

import numpy as np
import pytest

from qdrant_embed.embedding import load_embedder
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.long_context import METHODS
from qdrant_embed.models.long_context_support import LEARNED, ROTARY, context_support, kind_of
from qdrant_embed.models.preset_files import read_presets
from qdrant_embed.models.presets import make_preset, preset_defaults
from qdrant_embed.models.resolve import resolve
from tests.support.tiny_models import edit_json, save_static_model, save_tiny_model

TRAINED = 32


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    made = {}

    def make(kind):
        if kind not in made:
            pooling = "" if kind == "qwen2_vl" else "mean"
            made[kind] = save_tiny_model(tmp_path_factory.mktemp(kind), kind, pooling=pooling, max_tokens=TRAINED)
        return made[kind]

    return make


@pytest.mark.parametrize(
    ("kind", "methods"),
    [
        *((kind, LEARNED) for kind in ("bert", "roberta", "xlm-roberta", "mpnet", "distilbert")),
        *((kind, ROTARY) for kind in ("nomic_bert", "modernbert", "gte", "llama", "qwen3", "gemma3_text")),
        ("qwen2_vl", ()),
    ],
)
def test_methods_follow_from_the_kind_of_positions(folder_of, tmp_path, kind, methods):
    # A preset, since a model that sees pictures comes as a bare folder that does not say how it is pooled.
    presets = tmp_path / "own.toml"
    presets.write_text(
        f"[models.own]\nsource = {str(folder_of(kind))!r}\npooling = 'mean'\ndim = 32\nmax_tokens = {TRAINED}\n"
    )
    reach = context_support(resolve("own", presets))
    assert reach.methods == methods
    assert not methods or (reach.tokens == TRAINED and reach.trained == TRAINED)
    assert kind in reach.why


def test_minilm_is_said_to_read_256_tokens_and_to_have_512_positions():
    reach = context_support(resolve("minilm"))
    assert (reach.tokens, reach.trained, reach.methods) == (256, 512, LEARNED)
    assert reach.why == "bert has a learned table of 512 positions"


def test_what_does_not_suit_is_refused_with_the_reason_and_what_does():
    known = "error, truncate, pcw, windows, late, gp:TOKENS, rp:TOKENS, pi:TOKENS"
    reason = "'ntk' does not suit 'minilm': bert has a learned table of 512 positions. Choose one of " + known
    with pytest.raises(ConfigurationError, match=re.escape(reason)):
        load_embedder("minilm", window="ntk:4096")


def test_models_whose_positions_are_elsewhere_take_none(tmp_path):
    for name in ("hashing", "openai-small", save_static_model(tmp_path)):
        try:
            resolved = resolve(name)
        except Exception as error:
            pytest.fail(str(error))
        reach = context_support(resolved)
        assert (reach.kind, reach.methods) == ("", ())
        with pytest.raises(ConfigurationError, match="its positions are not ours to change"):
            load_embedder(name, window="pi:900000")


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ("pi:32", "reads 32 tokens as it is; give pi:32 a longer target, e.g. pi:64"),
        ("pi:64,from=33", "were trained for 32 tokens; give from=32 or less"),
    ],
)
def test_targets_that_make_no_sense_are_refused(folder_of, window, message):
    with pytest.raises(ConfigurationError, match=message):
        load_embedder(folder_of("bert"), window=window)


def test_selfextend_that_does_not_reach_its_target_names_what_would(folder_of):
    with pytest.raises(ConfigurationError, match=r"reach 56 tokens .* g=5,w=8"):
        load_embedder(folder_of("llama"), window="selfextend:128,g=2,w=8")


def test_a_model_that_its_own_files_stretch_is_left_alone(folder_of, tmp_path):
    folder = shutil.copytree(folder_of("llama"), tmp_path / "model")
    rope = {"rope_type": "yarn", "factor": 4.0, "rope_theta": 10000.0, "original_max_position_embeddings": 8}
    edit_json(folder / "config.json", rope_parameters=rope)
    assert "stretched by its own files already (yarn)" in context_support(resolve(folder)).why


def test_a_longer_target_is_what_the_embedder_says_it_reads(folder_of):
    embedder = load_embedder(folder_of("bert"), window="gp:100", runtime="torch")
    assert embedder.max_tokens == 100
    assert embedder.chunk_budget == 98
    encoded = embedder.encode_documents(["harbour", "harbour " * 90, "harbour " * 300])
    assert encoded.extended == 2
    assert (encoded.windowed, encoded.truncated) == (1, 0), "what is longer still is read in windows of the new length"


def test_an_embedder_with_an_extension_pickles(folder_of):
    embedder = load_embedder(folder_of("bert"), window="pi:100+truncate", runtime="torch")
    again = pickle.loads(pickle.dumps(embedder))
    assert (again.max_tokens, again.window, again.fingerprint) == (100, embedder.window, embedder.fingerprint)
    texts = ["harbour", "harbour " * 60]
    np.testing.assert_array_equal(again.embed_documents(texts), embedder.embed_documents(texts))


def test_fingerprints_tell_extensions_apart(folder_of):
    folder = folder_of("bert")
    windows = ("pcw", "gp:100", "pi:100", "pi:101", "pi:100,from=16", "pi:100,scale=0")
    prints = [load_embedder(folder, window=window).fingerprint for window in windows]
    assert len({str(sorted(one.items())) for one in prints}) == len(windows)
    assert load_embedder(folder, window="gp:100+truncate").fingerprint == prints[1]


def test_presets_state_what_follows_from_their_architecture():
    presets = {name: entry.values for name, entry in read_presets().items()}
    stated, derived = {}, {}
    for name, values in presets.items():
        # Where a preset states none, its files decide.
        if "windows" in values and values.get("architecture") and not values.get("unloadable"):
            preset = make_preset(name, {**preset_defaults(), **values})
            kind, _ = kind_of(preset.architecture, {}, preset)
            stated[name] = tuple(word for word in preset.windows if word in METHODS)
            derived[name] = {"learned": LEARNED, "rotary": ROTARY, "": ()}[kind]
    assert stated
    assert stated == derived
