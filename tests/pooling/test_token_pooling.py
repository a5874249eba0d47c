import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdrant_embed.errors import ModelError
from qdrant_embed.models.files.linear_layers import load_linear_head
from qdrant_embed.pooling.token_pooling import POOLINGS


def slowly(name, states, mask):
    """Pool one text, token by token."""
    tokens = [state for state, real in zip(states, mask, strict=True) if real]
    if name == "cls":
        return tokens[0]
    if name == "lasttoken":
        return tokens[-1]
    if name == "max":
        return np.array([max(column) for column in zip(*tokens, strict=True)])
    weights = range(1, len(tokens) + 1) if name == "weightedmean" else [1] * len(tokens)
    total = sum(weight * token.astype(np.float64) for weight, token in zip(weights, tokens, strict=True))
    return total / (len(tokens) ** 0.5 if name == "mean_sqrt_len_tokens" else sum(weights))


@pytest.mark.parametrize("name", sorted(POOLINGS))
@given(lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4), left=st.booleans(), seed=st.integers(0, 99))
def test_pooling_agrees_with_its_slow_twin_whatever_the_padding(name, lengths, left, seed):
    states = np.random.default_rng(seed).normal(size=(len(lengths), 6, 3)).astype(np.float32)
    mask = np.array([[0] * (6 - n) + [1] * n if left else [1] * n + [0] * (6 - n) for n in lengths], np.int64)
    pooled = POOLINGS[name](states, mask)
    assert pooled.dtype == np.float32
    expected = [slowly(name, *row) for row in zip(states, mask, strict=True)]
    np.testing.assert_allclose(pooled, expected, atol=1e-5)


def test_no_dense_layers_are_no_linear_head():
    with pytest.raises(ModelError, match="not dense layers without activation"):
        load_linear_head([])
