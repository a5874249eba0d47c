"""No runtime opens a connection, whatever it is asked to do."""

import os
import subprocess
import sys
from types import ModuleType

import pytest

from qdrant_embed.models import fastembed_catalog
from tests.support.tiny_models import save_static_model

SCRIPT = """
import socket, sys
tried = []
def refuse(self, address, *_):
    if self.family in (socket.AF_INET, socket.AF_INET6):
        tried.append(address)
        raise OSError("the network is refused")
socket.socket.connect = socket.socket.connect_ex = refuse
def refuse_name(*address, **_):
    tried.append(address[:2])
    raise OSError("the network is refused")
socket.getaddrinfo = refuse_name
from qdrant_embed.embedding import load_embedder
for runtime in sys.argv[2].split():
    runtime, _, other = runtime.partition("@")
    embedder = load_embedder(other or sys.argv[1], runtime=runtime, presets=sys.argv[3] if len(sys.argv) > 3 else None)
    assert embedder.embed_documents(["w1 w2"]).shape[0] == 1
    print("end of", runtime, file=sys.stderr)
    import time; time.sleep(0.5)
    assert not tried, tried
    print("silent", embedder.runtime)
"""


def require_silence(folder, *words):
    """Run the script for each runtime, one after the other; return what it wrote on stderr."""
    dropped = ("PYTEST", "HF_", "CI", "FASTEMBED")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    environment |= {"QDRANT_EMBED_CACHE": str(folder), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *map(str, words)],
        env=environment, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines() == [f"silent {runtime.partition('@')[0]}" for runtime in words[1].split()], (
        done.stderr[-2000:]
    )
    return done.stderr


@pytest.mark.model
def test_no_runtime_phones_home_and_torch_loads_without_a_word(conversions, shallow_minilm):
    for package in ("openvino", "onnxscript"):
        pytest.importorskip(package)
    said = require_silence(conversions, "minilm", f"torch openvino:float32 onnx@{shallow_minilm}")
    assert said.startswith("end of torch\n"), "something is printed while a model loads"


def test_neither_does_a_table_of_words(tmp_path):
    require_silence(tmp_path, save_static_model(tmp_path / "model"), "static")


def test_neither_does_fastembed(onnx_folder, tmp_path):
    pytest.importorskip("fastembed")
    presets = tmp_path / "tiny.toml"
    presets.write_text(
        f'[models.tiny]\nruntime = "fastembed"\nsource = "{onnx_folder}"\ndim = 32\nmax_tokens = 24\npooling = "mean"\n'
    )
    require_silence(tmp_path, "tiny", "fastembed", presets)


def test_fastembed_finds_the_hubs_client_silenced_whatever_was_set_before(monkeypatch):
    from huggingface_hub import constants

    pytest.importorskip("onnxruntime")
    theirs = ModuleType("fastembed")
    theirs.TextEmbedding = object
    monkeypatch.setitem(sys.modules, "fastembed", theirs)
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "0")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", False)
    assert fastembed_catalog._library() is object
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == "1"
    assert constants.HF_HUB_DISABLE_TELEMETRY
