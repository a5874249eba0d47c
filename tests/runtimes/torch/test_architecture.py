"""Attention, depth and states of tiny random models: what a preset changes in a transformer."""

import numpy as np
import pytest

from qdrant_embed.errors import ConfigurationError, ModelError
from qdrant_embed.runtimes.torch.architecture import keep_blocks, select_states, set_attention

WINDOW, WIDTH, BLOCKS = 3, 16, 3
SMALL = {
    "vocab_size": 40,
    "hidden_size": WIDTH,
    "intermediate_size": 32,
    "num_hidden_layers": BLOCKS,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "initializer_range": 0.4,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
}
DECODERS = {
    "llama": {},
    "mistral": {"sliding_window": None},
    "mistral-sliding": {"sliding_window": WINDOW},
    "qwen2": {},
    "qwen2-sliding": {"use_sliding_window": True, "sliding_window": WINDOW, "max_window_layers": 1},
    "qwen3": {},
    "phi": {"num_key_value_heads": 2},
    "phi3": {"sliding_window": None},
    "gemma2": {"sliding_window": WINDOW, "query_pre_attn_scalar": 8},
    "gemma3_text": {"sliding_window": WINDOW, "query_pre_attn_scalar": 8, "sliding_window_pattern": 2},
}


def build(kind, implementation=None, **changes):
    import torch
    from transformers import AutoConfig, AutoModel

    torch.manual_seed(3)
    config = AutoConfig.for_model(kind.removesuffix("-sliding"), **{**SMALL, **DECODERS.get(kind, {}), **changes})
    if implementation:
        config._attn_implementation = implementation
    return AutoModel.from_config(config).eval()


def states_of(model, rows, mask=None):
    import torch

    ids = torch.tensor(rows)
    mask = torch.ones_like(ids) if mask is None else torch.tensor(mask)
    with torch.inference_mode():
        return model(input_ids=ids, attention_mask=mask).last_hidden_state.numpy()


@pytest.mark.parametrize("kind", DECODERS)
@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
def test_a_later_token_changes_earlier_states_only_where_attention_is_bidirectional(kind, implementation):
    if (kind, implementation) == ("gemma2", "sdpa"):
        pytest.skip("its soft-capped scores exist in eager attention only")
    model = build(kind, implementation)
    pair = [[5, 6, 7, 8, 9, 10], [5, 6, 7, 8, 9, 20]]
    for attention in ("causal", "bidirectional", "causal"):
        set_attention(model, attention)
        first, second = states_of(model, pair)
        changed = np.abs(first[:5] - second[:5]).max(axis=1) > 1e-4
        if attention == "causal":
            assert not changed.any()
        else:
            assert changed.all(), "every earlier token, those far from the change through the layers between"
        assert np.abs(first[5] - second[5]).max() > 1e-4


@pytest.mark.parametrize("kind", DECODERS)
@pytest.mark.parametrize("attention", ["causal", "bidirectional"])
@pytest.mark.parametrize("left", [False, True])
def test_padding_never_leaks_on_either_side(kind, attention, left):
    model = build(kind)
    set_attention(model, attention)
    alone = states_of(model, [[5, 6, 7, 8]])[0]
    for filler in (0, 33):
        short, long = [5, 6, 7, 8], [9, 10, 11, 12, 13, 14]
        padded = [filler] * 2 + short if left else short + [filler] * 2
        mask = [[0, 0, 1, 1, 1, 1] if left else [1, 1, 1, 1, 0, 0], [1] * 6]
        place = slice(2, None) if left else slice(0, 4)
        np.testing.assert_allclose(states_of(model, [padded, long], mask)[0, place], alone, atol=2e-4)


@pytest.mark.parametrize("kind", ["mistral-sliding", "gemma2", "gemma3_text"])
def test_a_sliding_window_becomes_one_that_reaches_both_ways(kind):
    """Of one block that slides, tokens see their neighbors on both sides, and no further."""
    changes = {"num_hidden_layers": 1, "layer_types": ["sliding_attention"]} if kind != "mistral-sliding" else {}
    model = build(kind, **{"num_hidden_layers": 1, **changes})
    set_attention(model, "bidirectional")
    row = list(range(5, 17))
    first, second = states_of(model, [row, [*row[:6], 30, *row[7:]]])
    changed = np.flatnonzero(np.abs(first - second).max(axis=1) > 1e-5)
    assert {5, 6, 7} <= set(changed) <= set(range(6 - WINDOW, 7 + WINDOW))


def test_an_encoder_cannot_be_made_causal_and_says_so():
    from transformers import BertConfig, BertModel

    model = BertModel(BertConfig(**{key: SMALL[key] for key in SMALL if "head_dim" not in key}))
    set_attention(model.eval(), "bidirectional")
    with pytest.raises(ModelError, match="'bert' cannot be made causal"):
        set_attention(model, "causal")


@pytest.mark.parametrize("kind", ["llama", "qwen3", "gemma3_text", "phi", "bert", "roberta", "modernbert"])
def test_blocks_above_the_cut_are_gone_and_the_states_are_those_of_that_layer(kind):
    import torch

    ids, mask = torch.tensor([[5, 6, 7, 8]]), torch.ones(1, 4, dtype=torch.long)
    for number in (1, 2, 3):
        model = build(kind)
        run = []
        for place, block in enumerate(all_blocks(model)):
            block.register_forward_hook(lambda *_, place=place, run=run: run.append(place))
        with torch.inference_mode():
            every = model(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
            run.clear()
            keep_blocks(model, number)
            cut = model(input_ids=ids, attention_mask=mask).last_hidden_state
        assert run == list(range(number))
        torch.testing.assert_close(cut, every[number])
    with pytest.raises(ConfigurationError, match="layers=9: the model has 3 blocks"):
        keep_blocks(build(kind), 9)


def all_blocks(model):
    import torch

    return next(
        module for module in model.modules() if isinstance(module, torch.nn.ModuleList) and len(module) == BLOCKS
    )


def test_first_states_are_rows_of_the_word_table_and_run_no_block():
    import torch

    model = build("bert")
    for block in all_blocks(model):
        block.register_forward_hook(lambda *_: pytest.fail("a block was run"))
    ids = torch.tensor([[5, 9, 5]])
    states = select_states(model, "first", ids, torch.ones_like(ids))
    torch.testing.assert_close(states, model.embeddings.word_embeddings.weight[ids])


def test_input_and_top_states_are_those_that_transformers_reports():
    import torch

    model = build("bert")
    ids = torch.tensor([[5, 9, 5]])
    mask = torch.ones_like(ids)
    with torch.inference_mode():
        every = model(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
        torch.testing.assert_close(select_states(model, "input", ids, mask), every[0])
        torch.testing.assert_close(select_states(model, "top2", ids, mask), torch.cat(every[2:], dim=-1))
        torch.testing.assert_close(select_states(model, "layers", ids, mask), torch.cat(every[1:], dim=-1))
