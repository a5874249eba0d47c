"""Every preset with a tiny model of its architecture in the place of its weights."""

import shutil

import pytest

from qdrant_embed.models.preset_files import read_presets
from tests.support.tiny_adapters import save_tiny_adapter
from tests.support.tiny_models import edit_json, save_static_model, save_tiny_model, save_word_table

PRESETS = read_presets()

DIM, TOKENS = 32, 96
BARE = ("e5-base-4k", "jina-v3", "genc-", "e2rank-", "muril-", "marathi-words", "defsent-", "vlm2vec-")
"""Models that are no sentence-transformers folders: their presets have to say everything."""
OWN_CODE = ("kalm-v2", "qzhou", "nemotron-", "nomic-v1", "arctic-m-long", "arctic-m-v2")
"""Models whose repositories bring code for what transformers can do by itself."""
DENSE = {"embeddinggemma": (64, 32), "labse": (32,)}


def stated(name):
    return PRESETS[name].values


def architecture(name):
    return stated(name).get("architecture", "xlm-roberta" if name == "multilingual-mpnet" else "bert")


def blueprint(name):
    """Return what decides the tiny model: presets that share it take the same way."""
    values = stated(name)
    bare = name.startswith(BARE)
    pooling = "" if bare else values.get("pooling", "mean")
    return (
        *(architecture(name), pooling, DENSE.get(name, ()), values.get("padding", "right")),
        *(name == "embeddinggemma", name.startswith(OWN_CODE)),
    )


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """Return a function that gives the folder for a preset, and one for the reference: the same without own code."""
    made = {}

    def make(name):
        key = blueprint(name)
        if key not in made:
            kind, pooling, dense, side, gemma, own_code = key
            settings = {"use_bidirectional_attention": True} if gemma else {}
            plain = tmp_path_factory.mktemp("plain")
            save_tiny_model(plain, kind, pooling=pooling, dense=dense, max_tokens=TOKENS, padding_side=side, **settings)
            for seed, adapter in enumerate(filter(None, map(stated(name).get, ("adapter", "query_adapter")))):
                save_tiny_adapter(plain / adapter, plain, seed=seed)
            folder = plain
            if own_code:
                folder = shutil.copytree(plain, tmp_path_factory.mktemp("own") / "model")
                theirs = "llama_bidirec" if kind == "llama" else kind
                edit_json(folder / "config.json", model_type=theirs, auto_map={"AutoModel": "modeling_own.OwnModel"})
            made[key] = folder, plain
        return made[key]

    return make


@pytest.fixture(scope="session")
def static_folder(tmp_path_factory):
    """Return a function that gives a table for a static preset."""

    def make(name):
        folder = tmp_path_factory.mktemp("static")
        return save_word_table(folder, dim=DIM) if stated(name).get("pooling") else save_static_model(folder, dim=DIM)

    return make


@pytest.fixture
def lay_over(tmp_path, monkeypatch):
    """Return a function that puts other weights, and other values, into a preset, as a user would."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nobody"))

    def write(name, folder, **changes):
        values = {"source": str(folder), "dim": DIM, **changes}
        if "max_tokens" in stated(name):
            values["max_tokens"] = TOKENS
        values |= {key: smaller for key, smaller in (("dims", [8, 16]), ("depths", [1])) if key in stated(name)}
        path = tmp_path / "mine.toml"
        lines = [f'[models."{name}"]', *(f"{key} = {_toml(value)}" for key, value in values.items())]
        path.write_text("\n".join(lines), encoding="utf-8")
        return path

    return write


def _toml(value):
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return str(value)
