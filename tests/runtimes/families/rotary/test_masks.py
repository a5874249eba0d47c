"""What tokens see, against torch: causal and both ways, through windows, padded on either side."""

import pytest

from qdrant_embed.runtimes.families.known_families import unbuilt
from qdrant_embed.runtimes.torch.graph import build_graph
from tests.support.built_graphs import assert_alike, batch, built, shaped

pytest.importorskip("openvino")
KINDS = {"layer_types": ["sliding_attention", "full_attention"]}
BOTH = {"use_bidirectional_attention": True, **KINDS}
WINDOWED = {"use_sliding_window": True, "sliding_window": 10}
CASES = [
    ("mistral", "causal", "left", {"sliding_window": 16}),
    ("mistral", "bidirectional", "right", {"sliding_window": 16}),
    ("mistral", "causal", "right", {"sliding_window": None}),
    ("qwen2", "", "right", {**WINDOWED, "max_window_layers": 1}),
    ("qwen3", "bidirectional", "left", {**WINDOWED, **KINDS}),
    ("qwen3", "causal", "left", {}),
    ("llama", "bidirectional", "left", {"attention_bias": True, "mlp_bias": True}),
    ("phi", "bidirectional", "right", {}),
    ("eurobert", "bidirectional", "right", {}),
    ("modernbert", "", "right", {"layer_types": KINDS["layer_types"][::-1], "norm_bias": True, "attention_bias": True}),
    ("gemma3_text", "", "right", KINDS),
    ("gemma3_text", "bidirectional", "left", KINDS),
    ("gemma3_text", "", "right", BOTH),
    ("gemma3_text", "causal", "right", BOTH),
    ("gemma3_text", "bidirectional", "right", BOTH),
]


@pytest.mark.parametrize(("kind", "attention", "side", "settings"), CASES, ids=str)
def test_tokens_see_what_they_see_in_torch(folder_of, kind, attention, side, settings):
    resolved = shaped(folder_of(kind, **settings), attention=attention)
    assert unbuilt(resolved) == ""
    texts = batch(side)
    seen = texts.mask == 1
    wanted = build_graph(resolved, pooled=False).run(texts)
    assert_alike(built(resolved, pooled=False)(texts)[seen], wanted[seen])


def test_causal_attention_of_an_encoder_is_left_to_torch(folder_of):
    assert "causal attention is not run without torch" in unbuilt(shaped(folder_of("modernbert"), attention="causal"))
