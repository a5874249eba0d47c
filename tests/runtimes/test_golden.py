"""MiniLM in every runtime beside numbers that were written down once: `golden_minilm.json` names their reference.

A comparison of runtimes with each other would not see what they all do wrong. ONNX, whose export takes long,
is compared with torch on one layer (tests/runtimes/conversion/test_converted.py).
"""

import json
from pathlib import Path

import numpy as np
import pytest

from qdrant_embed.embedding import load_embedder

GOLDEN = json.loads((Path(__file__).parent / "golden_minilm.json").read_text(encoding="utf-8"))
TEXTS = [entry["text"] for entry in GOLDEN["texts"]]
TOLERANCES = {"torch": 2e-6, "openvino:float32": 1e-5, "torch:bf16": 4e-3, "openvino:bf16": 4e-3}
"""Runtime → how far a number may be from the reference; a usual one is 0.05."""


def available(runtime):
    if runtime.startswith("openvino"):
        pytest.importorskip("openvino")
        from qdrant_embed.runtimes.openvino.runtime import best_precision

        if runtime.endswith("bf16") and best_precision() != "bf16":
            pytest.skip("the processor has no bf16")
    return runtime


@pytest.mark.model
@pytest.mark.parametrize("runtime", TOLERANCES)
def test_minilm_gives_the_numbers_of_the_reference(runtime):
    embedder = load_embedder("minilm", runtime=available(runtime))
    found = embedder.embed_documents(TEXTS)
    wanted = np.array([entry["first"] for entry in GOLDEN["texts"]])
    np.testing.assert_allclose(found[:, :16], wanted, atol=TOLERANCES[runtime])
    many = 20 * TOLERANCES[runtime]  # the errors of 384 numbers go either way
    np.testing.assert_allclose(found.sum(axis=1), [entry["sum"] for entry in GOLDEN["texts"]], atol=many)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), [entry["norm"] for entry in GOLDEN["texts"]], atol=1e-5)
    np.testing.assert_allclose(embedder.embed_queries(TEXTS[:2]), found[:2], atol=2 * TOLERANCES[runtime])
