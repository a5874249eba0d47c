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
