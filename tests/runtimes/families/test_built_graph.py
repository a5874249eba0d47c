"""Graphs that are built of a model's files, against torch: every family, states, pooling, side of padding."""

import numpy as np
import pytest

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.models.resolve import resolve
from qdrant_embed.pooling.token_pooling import POOLINGS
from qdrant_embed.runtimes.families.known_families import FAMILIES, unbuilt
from qdrant_embed.runtimes.torch.graph import build_graph
from tests.support.built_graphs import LENGTHS, assert_alike, batch, built, extended, shaped
from tests.support.late_import import Late
from tests.support.tiny_models import ARCHITECTURES, save_tiny_model, save_transformer

torch = Late("torch")
SentenceTransformer = Late("sentence_transformers", "SentenceTransformer")
Dense = Late("sentence_transformers.sentence_transformer.modules", "Dense")
Dropout = Late("sentence_transformers.sentence_transformer.modules", "Dropout")
LayerNorm = Late("sentence_transformers.sentence_transformer.modules", "LayerNorm")
Normalize = Late("sentence_transformers.sentence_transformer.modules", "Normalize")
Pooling = Late("sentence_transformers.sentence_transformer.modules", "Pooling")
Transformer = Late("sentence_transformers.sentence_transformer.modules", "Transformer")

openvino = pytest.importorskip("openvino")


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    made = {}

    def make(kind, **settings):
        key = (kind, *sorted(settings.items()))
        if key not in made:
            made[key] = save_tiny_model(tmp_path_factory.mktemp(kind), kind, **settings)
        return made[key]

    return make


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
def test_every_pooling_inside_the_graph_is_that_of_numpy(pooling):
    from openvino import opset13 as ops

    from qdrant_embed.runtimes.families.pools import GRAPH_POOLS

    states, mask = ops.parameter([-1, -1, 5], np.float32, "states"), ops.parameter([-1, -1], np.int64, "mask")
    model = openvino.Model([GRAPH_POOLS[pooling](states, mask)], [states, mask])
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    given = np.random.default_rng(3).normal(size=(len(LENGTHS), max(LENGTHS), 5)).astype(np.float32)
    for side in ("right", "left"):
        seen = batch(side).mask
        np.testing.assert_allclose(compiled([given, seen])[0], POOLINGS[pooling](given, seen), atol=1e-6)


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


def chain_of(name):
    linear, smooth, gated = torch.nn.Identity(), torch.nn.GELU(), torch.nn.SiLU()
    return {
        "dense": [Pooling(32, "mean"), Dense(32, 16, bias=False), Dense(16, 24, activation_function=linear)],
        "joined": [Pooling(32, ["cls", "max", "mean"]), LayerNorm(96), Normalize(), Dense(96, 8), Dropout(0.1)],
        "residual": [Pooling(32, "lasttoken"), Dense(32, 16, use_residual=True, activation_function=smooth)],
        "same": [Pooling(32, "cls"), Dense(32, 32, use_residual=True, activation_function=gated), Normalize()],
    }[name]


@pytest.mark.parametrize("chain", ["dense", "joined", "residual", "same"])
def test_modules_behind_the_pooling_are_those_of_sentence_transformers(tmp_path, chain):
    start = Transformer(str(save_transformer(tmp_path / "start", "bert")))
    SentenceTransformer(modules=[start, *chain_of(chain)], device="cpu").save_pretrained(str(tmp_path / "whole"))
    resolved, texts = resolve(str(tmp_path / "whole")), batch()
    assert unbuilt(resolved) == ""
    assert_alike(built(resolved)(texts), build_graph(resolved, pooled=True).run(texts))


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        *(("bert", method) for method in ("pi", "gp", "rp", "pi,scale=0")),
        *(("roberta", "pi"), ("mpnet", "gp"), ("mpnet", "pi"), ("distilbert", "rp")),
    ],
)
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
