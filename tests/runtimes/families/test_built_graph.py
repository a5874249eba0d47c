"""Graphs that are built of a model's files, against torch: every family, states, pooling, side of padding."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import (
    Dense,
    Dropout,
    LayerNorm,
    Normalize,
    Pooling,
    Transformer,
)

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.long_context import WindowStrategy
from qdrant_embed.models.long_context_support import with_extension
from qdrant_embed.models.resolve import resolve
from qdrant_embed.pooling.token_pooling import POOLINGS
from qdrant_embed.runtimes.families.known_families import FAMILIES, unbuilt
from qdrant_embed.runtimes.torch.graph import build_graph
from qdrant_embed.tokenization.batch import TokenBatch
from tests.support.tiny_models import ARCHITECTURES, save_tiny_model, save_transformer

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


def batch(side="right", pad_id=0, lengths=LENGTHS):
    """Return texts of all lengths, padded to the longest."""
    ids = np.random.default_rng(1).integers(5, 60, (len(lengths), max(lengths)))
    mask = (np.arange(max(lengths)) < np.array(lengths)[:, None]).astype(np.int64)
    mask = mask if side == "right" else mask[:, ::-1].copy()
    return TokenBatch(np.where(mask == 1, ids, pad_id), mask)


def shaped(folder, **values):
    resolved = resolve(str(folder))
    return replace(resolved, preset=replace(resolved.preset, **values))


def extended(folder, window):
    return with_extension(resolve(str(folder)), WindowStrategy.parse(window))


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


@pytest.mark.parametrize("kind", sorted(set(FAMILIES) & set(ARCHITECTURES)))
@pytest.mark.parametrize("side", ["right", "left"])
def test_states_are_those_of_torch(folder_of, kind, side):
    resolved = resolve(str(folder_of(kind)))
    assert unbuilt(resolved) == ""
    texts = batch(side, resolved.files.tokenizer().token_to_id("<pad>") or 0)
    wanted = build_graph(resolved, pooled=False).run(texts)
    seen = texts.mask == 1
    assert_alike(built(resolved, pooled=False)(texts)[seen], wanted[seen])


@pytest.mark.parametrize("pooling", sorted(POOLINGS))
@pytest.mark.parametrize("side", ["right", "left"])
def test_every_pooling_inside_the_graph_is_that_of_numpy(folder_of, pooling, side):
    resolved = shaped(folder_of("bert"), pooling=pooling)
    texts = batch(side)
    wanted = POOLINGS[pooling](built(resolved, pooled=False)(texts), texts.mask)
    assert_alike(built(resolved)(texts), wanted)


@pytest.mark.parametrize(
    "values",
    [{"states": "first"}, {"states": "input"}, {"states": "top2"}, {"states": "layers"}, {"layers": 1}],
    ids=str,
)
def test_other_states_and_fewer_blocks_are_those_of_torch(folder_of, values):
    resolved, texts = shaped(folder_of("bert"), **values), batch()
    assert_alike(built(resolved)(texts), build_graph(resolved, pooled=True).run(texts))


def test_more_blocks_than_there_are_and_blocks_beside_states_without_any_are_refused(folder_of):
    with pytest.raises(ConfigurationError, match=r"layers=3: the model has 2 blocks"):
        built(shaped(folder_of("bert"), layers=3))
    with pytest.raises(ConfigurationError, match=r"states = 'first' runs no block, so layers=1 has no meaning"):
        built(shaped(folder_of("bert"), layers=1, states="first"))


CHAINS = {
    "dense": [Pooling(32, "mean"), Dense(32, 16, bias=False), Dense(16, 24, activation_function=torch.nn.Identity())],
    "joined": [Pooling(32, ["cls", "max", "mean"]), LayerNorm(96), Normalize(), Dense(96, 8), Dropout(0.1)],
    "residual": [Pooling(32, "lasttoken"), Dense(32, 16, use_residual=True, activation_function=torch.nn.GELU())],
    "same": [Pooling(32, "cls"), Dense(32, 32, use_residual=True, activation_function=torch.nn.SiLU()), Normalize()],
}


@pytest.mark.parametrize("chain", CHAINS)
def test_modules_behind_the_pooling_are_those_of_sentence_transformers(tmp_path, chain):
    start = Transformer(str(save_transformer(tmp_path / "start", "bert")))
    SentenceTransformer(modules=[start, *CHAINS[chain]], device="cpu").save_pretrained(str(tmp_path / "whole"))
    resolved, texts = resolve(str(tmp_path / "whole")), batch()
    assert unbuilt(resolved) == ""
    assert_alike(built(resolved)(texts), build_graph(resolved, pooled=True).run(texts))


@pytest.mark.parametrize("kind", ["bert", "roberta", "mpnet", "distilbert"])
@pytest.mark.parametrize("method", ["pi", "gp", "rp", "pi,scale=0"])
def test_stretched_positions_are_those_of_torch(folder_of, kind, method):
    resolved = extended(folder_of(kind), method.replace(",", ":160,") if "," in method else f"{method}:160")
    texts = batch(pad_id=resolved.files.tokenizer().token_to_id("<pad>") or 0, lengths=(160, 3, 64, 129, 65))
    assert unbuilt(resolved) == ""
    assert_alike(built(resolved)(texts), build_graph(resolved, pooled=True).run(texts))


@pytest.mark.parametrize(
    "tuned", [{"short_factor": 4}, {"scale_from": 16}, {"short_factor": 2, "scale_from": 32}], ids=str
)
def test_positions_that_were_made_longer_in_training_are_read_as_by_torch(folder_of, tuned):
    resolved, texts = shaped(folder_of("bert"), **tuned), batch(lengths=(64, 3, 16, 17, 33))
    assert_alike(built(resolved)(texts), build_graph(resolved, pooled=True).run(texts))
