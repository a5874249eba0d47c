"""Graphs that are built of a model's files, against torch: every family, states, pooling, side of padding."""

import numpy as np
import pytest

from qdrant_embed.models.resolve import resolve
from qdrant_embed.runtimes.families.known_families import FAMILIES, unbuilt
from qdrant_embed.runtimes.torch.graph import build_graph
from qdrant_embed.tokenization.batch import TokenBatch
from tests.support.tiny_models import save_tiny_model

openvino = pytest.importorskip("openvino")
LENGTHS = (64, 1, 17, 40)


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    made = {}

    def make(kind, **settings):
        key = (kind, *sorted(settings.items()))
        if key not in made:
            made[key] = save_tiny_model(tmp_path_factory.mktemp(kind), kind, **settings)
        return made[key]

    return make


def batch(side="right", pad_id=0):
    """Return texts of all lengths, padded to the longest."""
    ids = np.random.default_rng(1).integers(5, 60, (len(LENGTHS), max(LENGTHS)))
    mask = (np.arange(max(LENGTHS)) < np.array(LENGTHS)[:, None]).astype(np.int64)
    mask = mask if side == "right" else mask[:, ::-1].copy()
    return TokenBatch(np.where(mask == 1, ids, pad_id), mask)


def built(resolved, *, pooled=True):
    from qdrant_embed.runtimes.families.built_graph import build
    from qdrant_embed.runtimes.openvino.requests import core

    graph = build(resolved, pooled=pooled)
    compiled = core().compile_model(graph.model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda given: np.array(compiled([given.ids, given.mask])[0])


def assert_alike(found, wanted):
    """Compare vectors, or states, by cosine and in length."""
    lengths = np.linalg.norm(found, axis=-1), np.linalg.norm(wanted, axis=-1)
    np.testing.assert_allclose(*lengths, rtol=1e-4)
    assert (np.einsum("...d,...d->...", found, wanted) / np.prod(lengths, axis=0)).min() >= 0.99999


@pytest.mark.parametrize("kind", FAMILIES)
@pytest.mark.parametrize("side", ["right", "left"])
def test_states_are_those_of_torch(folder_of, kind, side):
    resolved = resolve(str(folder_of(kind)))
    assert unbuilt(resolved) == ""
    texts = batch(side, resolved.files.tokenizer().token_to_id("<pad>") or 0)
    wanted = build_graph(resolved, pooled=False).run(texts)
    seen = texts.mask == 1
    assert_alike(built(resolved, pooled=False)(texts)[seen], wanted[seen])
