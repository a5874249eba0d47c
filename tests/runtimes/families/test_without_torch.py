"""A process in which torch, transformers and sentence-transformers cannot be imported: models run all the same."""

import inspect
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from qdrant_embed.embedding import load_embedder
from tests.support.tiny_models import edit_json, save_tiny_model

pytest.importorskip("openvino")

ABSENT = """
import importlib.abc, json, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "transformers", "sentence_transformers"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
"""
PROGRAM = """
from qdrant_embed.embedding import load_embedder
from qdrant_embed.errors import QdrantEmbedError
from qdrant_embed.runtimes import choice
from qdrant_embed.runtimes.openvino import runtime as openvino

openvino.multiplies_int8 = lambda: True
choice.may_have_gpu = lambda: False
uses, folder, unknown, text, spans = json.load(sys.stdin)
found = {}
for name, settings in uses.items():
    embedder = load_embedder(folder, **settings)
    found[name] = embedder.runtime, vectors_of(embedder, text, spans).tolist()
try:
    load_embedder(unknown).embed_documents([text])
except QdrantEmbedError as error:
    found["unknown"] = type(error).__name__, str(error)
print(json.dumps(found))
"""
EXACT = {"runtime": "openvino:float32"}
USES = {
    "auto": {},
    "int8": {"runtime": "openvino:int8"},
    "usual": EXACT,
    "stretched": {**EXACT, "window": "pi:256"},
    "cut": {**EXACT, "layers": 1, "compression": "8d!"},
    "late": {**EXACT, "window": "late"},
    "windows": {**EXACT, "window": "windows"},
}
TEXT = "The gates of the harbour open at six. " * 12
SPANS = [(0, 40), (40, 200), (200, len(TEXT))]


def vectors_of(embedder, text, spans):
    if str(embedder.window) == "late":
        return embedder.embed_late(text, spans)
    if str(embedder.window) == "windows":
        return embedder.encode_windows([text]).vectors[0].vectors
    return embedder.embed_documents([text, "keys"])


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    place = tmp_path_factory.mktemp("models")
    save_tiny_model(place / "bert", "bert", dense=[16])
    edit_json(place / "bert" / "2_Dense" / "config.json", activation_function="torch.nn.modules.linear.Identity")
    return (
        str(place / "bert"),
        str(save_tiny_model(place / "unknown", "phi3")),
    )


@pytest.fixture(scope="module")
def found(folders, tmp_path_factory):
    """Return what the process found, by use."""
    given = json.dumps([USES, *folders, TEXT, SPANS])
    settings = {"QDRANT_EMBED_CACHE": str(tmp_path_factory.mktemp("cache")), "QDRANT_EMBED_RUNTIME": "auto"}
    program = ABSENT + inspect.getsource(vectors_of) + PROGRAM
    done = subprocess.run(
        [sys.executable, "-c", program], input=given, capture_output=True, text=True, env={**os.environ, **settings}
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("use", USES)
def test_vectors_are_those_of_torch(folders, found, use):
    runtime, vectors = found[use]
    assert runtime == USES[use].get("runtime", runtime)
    assert runtime.startswith("openvino")
    settings = {key: value for key, value in USES[use].items() if key != "runtime"}
    wanted = vectors_of(load_embedder(folders[0], runtime="torch", **settings), TEXT, SPANS)
    least = 0.99999 if runtime == "openvino:float32" else 0.99
    assert np.einsum("nd,nd->n", wanted, np.array(vectors)).min() >= least


def test_an_architecture_that_is_not_built_is_named_with_what_to_type(found):
    kind, message = found["unknown"]
    assert kind == "MissingExtraError"
    for said in ("the architecture 'phi3' is not run without torch", "pip install 'qdrant-embed[torch]'"):
        assert said in message
    assert "https://download.pytorch.org/whl/cpu" in message
