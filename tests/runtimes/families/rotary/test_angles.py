"""Rotary positions of longer texts, against the patches of torch: short texts and long ones in one batch."""

import numpy as np
import pytest

from qdrant_embed.pooling.token_pooling import POOLINGS
from qdrant_embed.runtimes.families.known_families import unbuilt
from qdrant_embed.runtimes.torch.graph import build_graph
from tests.support.built_graphs import assert_alike, batch, built, extended, shaped

pytest.importorskip("openvino")
LLAMA3 = {
    **{"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "rope_theta": 500.0},
    "original_max_position_embeddings": 16,
}
CASES = [
    ("gte", "pi:128", "right", {}),
    ("nomic_bert", "dynamic:128,factor=2", "right", {}),
    ("qwen3", "ntk:128,lambda=3", "left", {}),
    ("qwen2", "gp:100,scale=0", "left", {}),
    ("llama", "yarn:128", "left", {"rope_parameters": LLAMA3}),
    ("llama", "dynamic:128", "right", {"rope_parameters": LLAMA3}),
    ("phi", "pi:70,from=16", "right", {}),
    ("modernbert", "yarn:128,scale=1", "right", {}),
    ("modernbert", "pi:128", "right", {}),
    ("gemma3_text", "ntk:128", "right", {"layer_types": ["sliding_attention", "full_attention"]}),
]


@pytest.mark.parametrize(("kind", "window", "side", "settings"), CASES, ids=str)
def test_texts_of_every_length_stand_where_torch_has_them(folder_of, kind, window, side, settings):
    resolved = extended(folder_of(kind, max_tokens=32, **settings), window)
    texts = batch(side, lengths=(resolved.preset.max_tokens, 3, 32, 33, 65))
    seen = texts.mask == 1
    wanted = build_graph(resolved, pooled=False).run(texts)
    assert unbuilt(resolved) == ""
    assert_alike(built(resolved, pooled=False)(texts)[seen], wanted[seen])


@pytest.mark.parametrize("window", ["", "pi:1024", "dynamic:1024"])
def test_a_thousand_tokens_on_angles_are_those_of_float32_in_bfloat16(folder_of, window):
    folder = folder_of("nomic_bert", max_tokens=512 if window else 1024)
    resolved = extended(folder, window) if window else shaped(folder)
    texts = batch(lengths=(1024, 60))
    whole, halved = (built(resolved, pooled=False, precision=hint)(texts) for hint in ("f32", "bf16"))
    ends = slice(-100, None)
    cosines = np.einsum("td,td->t", whole[0, ends], halved[0, ends])
    cosines /= np.linalg.norm(whole[0, ends], axis=-1) * np.linalg.norm(halved[0, ends], axis=-1)
    assert cosines.min() > 0.99


@pytest.mark.parametrize(
    "values", [{"layers": 1}, {"states": "input"}, {"states": "top2"}, {"states": "first"}], ids=str
)
def test_other_states_and_fewer_blocks_are_those_of_torch(folder_of, values):
    # A normalization follows the last block; the states of the one before were never normalized by it.
    resolved, texts = shaped(folder_of("qwen3"), **values), batch("left")
    seen = texts.mask == 1
    wanted = build_graph(resolved, pooled=False).run(texts)
    assert_alike(built(resolved, pooled=False)(texts)[seen], wanted[seen])


def test_the_last_token_is_pooled_on_either_side_of_padding(folder_of):
    folder = folder_of("qwen3", pooling="lasttoken")
    for side in ("left", "right"):
        resolved, texts = shaped(folder), batch(side)
        states = built(resolved, pooled=False)(texts)
        assert_alike(built(resolved)(texts), POOLINGS["lasttoken"](states, texts.mask))


def test_what_torch_alone_reads_is_refused_by_name(folder_of):
    assert "selfextend is not run without torch" in unbuilt(
        extended(folder_of("qwen3", max_tokens=32), "selfextend:128")
    )
