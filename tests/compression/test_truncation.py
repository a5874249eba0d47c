import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qdrant_embed.compression.truncation import finish
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
def test_cutting_comes_before_normalizing(pooled, dim, normalize):
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


@settings(deadline=None)  # the first example waits for torch to be imported
@given(pooled=arrays(np.float32, (3, 8), elements=st.floats(-9, 9, width=16)))
def test_a_layer_norm_sees_the_dimensions_that_are_cut_off_too(pooled):
    import torch

    expected = torch.nn.functional.layer_norm(torch.tensor(pooled), (8,)).numpy()[:, :4]
    np.testing.assert_allclose(finish(pooled, dim=4, normalize=False, layer_norm=True), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("wrong", [np.inf, np.nan])
def test_a_layer_norm_hides_nothing_that_is_not_finite(wrong):
    with pytest.raises(ModelError, match="1 vectors with values that are not finite"):
        finish(np.array([[1, wrong], [3, 4]], np.float32), dim=2, normalize=True, layer_norm=True)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [1e-45, 1e-38, 1e-30, 1e-19, 1.0, 1e18, 1e19, 1e25, 3e38])
@pytest.mark.parametrize("layer_norm", [False, True])
def test_a_vector_of_any_length_keeps_its_direction(size, layer_norm):
    shape = np.array([[1, -1, 0.5, 0], [0, 0, 1, 1]], np.float64)
    found = finish((shape * size).astype(np.float32), dim=4, normalize=True, layer_norm=layer_norm and size > 1e-3)
    centered = shape - shape.mean(axis=1, keepdims=True) if layer_norm and size > 1e-3 else (shape * size).astype("f4")
    expected = centered.astype(np.float64) / np.linalg.norm(centered.astype(np.float64), axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_what_is_given_is_not_changed():
    pooled = np.full((2, 4), 1e25, np.float32)
    finish(pooled, dim=4, normalize=True)
    assert (pooled == np.float32(1e25)).all()


def test_lengths_that_no_product_can_hold_are_refused():
    assert finish(np.full((1, 4), 1e18, np.float32), dim=4, normalize=False)[0, 0] == np.float32(1e18)
    with pytest.raises(ModelError, match=r"1e\+25, whose products are beyond"):
        finish(np.full((1, 4), 1e25, np.float32), dim=4, normalize=False)
