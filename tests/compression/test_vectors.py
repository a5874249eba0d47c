import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qdrant_embed.compression.vectors import finish
from qdrant_embed.errors import ModelError


def slowly(row, dim, *, normalize):
    kept = [float(value) for value in row[:dim]]
    length = sum(value * value for value in kept) ** 0.5
    if not normalize:
        return kept
    return [value / length for value in kept] if length else [1.0] + [0.0] * (dim - 1)


@given(
    pooled=arrays(np.float32, st.tuples(st.integers(1, 4), st.just(8)), elements=st.floats(-9, 9, width=16)),
    dim=st.integers(1, 8),
    normalize=st.booleans(),
)
def test_cutting_comes_before_normalising(pooled, dim, normalize):
    vectors = finish(pooled, dim=dim, normalize=normalize)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(pooled), dim)
    np.testing.assert_allclose(vectors, [slowly(row, dim, normalize=normalize) for row in pooled], atol=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_a_number_is_refused(bad):
    pooled = np.ones((3, 4), np.float32)
    pooled[1, 2] = bad
    with pytest.raises(ModelError, match="1 vectors with values that are not finite"):
        finish(pooled, dim=4, normalize=True)


@given(pooled=arrays(np.float32, (3, 8), elements=st.floats(-9, 9, width=16)))
def test_a_layer_norm_sees_the_dimensions_that_are_cut_off_too(pooled):
    import torch

    expected = torch.nn.functional.layer_norm(torch.tensor(pooled), (8,)).numpy()[:, :4]
    np.testing.assert_allclose(finish(pooled, dim=4, normalize=False, layer_norm=True), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("wrong", [np.inf, np.nan])
def test_a_layer_norm_hides_nothing_that_is_not_finite(wrong):
    with pytest.raises(ModelError, match="1 vectors with values that are not finite"):
        finish(np.array([[1, wrong], [3, 4]], np.float32), dim=2, normalize=True, layer_norm=True)
