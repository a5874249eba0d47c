"""No runtime opens a connection, whatever it is asked to do."""

import os
import subprocess
import sys

import pytest

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
embedder = load_embedder(sys.argv[1], runtime=sys.argv[2])
assert embedder.embed_documents(["w1 w2"]).shape[0] == 1
import time; time.sleep(0.5)
assert not tried, tried
print("silent", embedder.runtime)
"""


@pytest.mark.parametrize("runtime", ["torch", "openvino:float32", "onnx"])
def test_no_runtime_phones_home(save_model, runtime, tmp_path):
    pytest.importorskip({"torch": "torch", "onnx": "onnxscript"}.get(runtime, "openvino"))
    dropped = ("PYTEST", "HF_", "CI")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    environment |= {"QDRANT_EMBED_CACHE": str(tmp_path), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(save_model()), runtime],
        env=environment, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert f"silent {runtime}" in done.stdout, done.stderr[-2000:]
