import pytest

from qdrant_embed.runtimes.torch.graph import without_blind_rows


def test_only_padding_that_would_see_nothing_sees_more_and_only_while_a_graph_is_made():
    torch = pytest.importorskip("torch")
    from transformers.masking_utils import (
        ALL_MASK_ATTENTION_FUNCTIONS,
        bidirectional_mask_function,
        causal_mask_function,
        sdpa_mask,
    )

    def mask(function):
        padded = torch.tensor([[0, 0, 1, 1], [1, 1, 1, 1]], dtype=torch.bool)
        settings = {"mask_function": function, "attention_mask": padded, "allow_is_causal_skip": False}
        return ALL_MASK_ATTENTION_FUNCTIONS["sdpa"](batch_size=2, q_length=4, kv_length=4, **settings)

    usual, wide = mask(causal_mask_function), mask(bidirectional_mask_function)
    assert not usual[0, 0, :2].any()
    with pytest.raises(RuntimeError, match="cannot be traced"), without_blind_rows():
        opened = mask(causal_mask_function)
        assert opened[0, 0, :2].all()
        assert torch.equal(opened[0, 0, 2:], usual[0, 0, 2:])
        assert torch.equal(opened[1], usual[1])
        assert torch.equal(mask(bidirectional_mask_function), wide)
        raise RuntimeError("cannot be traced")
    assert ALL_MASK_ATTENTION_FUNCTIONS["sdpa"] is sdpa_mask
