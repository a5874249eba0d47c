"""Position tables against the formulas of LongEmbed, written out token by token."""

import math

import numpy as np
import pytest

from qdrant_embed.long_context.positions import (
    attention_scales,
    extended_table,
    grouped,
    interpolated,
    recurrent,
    stretch_factors,
)

TRAINED, DIM = 6, 4
TABLE = np.random.default_rng(5).normal(size=(TRAINED, DIM)).astype(np.float32)


@pytest.mark.parametrize(("tokens", "factor"), [(0, 1), (1, 1), (6, 1), (7, 2), (12, 2), (13, 3), (48, 8)])
def test_the_factor_is_the_length_over_the_window_rounded_up(tokens, factor):
    assert stretch_factors(tokens, TRAINED)[-1] == factor


def test_rows_are_those_of_the_formulas():
    places = np.arange(24)
    assert grouped(places, 4).tolist() == [place // 4 for place in range(24)]
    assert recurrent(places, TRAINED).tolist() == [place % 6 for place in range(24)]
    rows, shares = interpolated(places, 4)
    np.testing.assert_allclose(rows + shares, [place / 4 for place in range(24)], rtol=1e-6)


@pytest.mark.parametrize("tokens", [7, 12, 17, 24, 48])
def test_interpolated_rows_are_the_mix_of_their_neighbors_and_anchors_are_the_old_rows(tokens):
    factor = math.ceil(tokens / TRAINED)
    table = extended_table(TABLE, "pi", tokens)
    assert table.shape == (tokens, DIM)
    for place in range(tokens):
        at = place / factor
        low = int(at)
        wanted = TABLE[-1] if low == TRAINED - 1 else (low + 1 - at) * TABLE[low] + (at - low) * TABLE[low + 1]
        np.testing.assert_allclose(table[place], wanted, atol=1e-6)
    anchors = table[::factor]
    np.testing.assert_array_equal(anchors, TABLE[: len(anchors)])


def test_the_last_rows_have_no_right_neighbor_and_repeat_the_last_old_one():
    """With s = 8 and 512 rows these are rows 4089 to 4095."""
    old = np.random.default_rng(1).normal(size=(512, 2)).astype(np.float32)
    table = extended_table(old, "pi", 4096)
    np.testing.assert_allclose(table[4088:], np.broadcast_to(old[511], (8, 2)), rtol=1e-6)
    assert (table[4087] != old[511]).all()


@pytest.mark.parametrize("method", ["gp", "rp", "pi"])
def test_a_text_that_fits_keeps_its_rows(method):
    for tokens in (1, 3, TRAINED):
        np.testing.assert_array_equal(extended_table(TABLE, method, tokens), TABLE[:tokens])


def test_grouped_and_recurrent_tables():
    np.testing.assert_array_equal(extended_table(TABLE, "gp", 11), TABLE[[0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5]])
    np.testing.assert_array_equal(extended_table(TABLE, "rp", 9), TABLE[[0, 1, 2, 3, 4, 5, 0, 1, 2]])


def test_attention_is_scaled_by_the_ratio_of_logarithms_and_never_below_one():
    scales = attention_scales(4096, 512)
    assert len(scales) == 4097
    assert (scales[:513] == 1).all()
    np.testing.assert_allclose(scales[[1024, 4096]], [math.log(1024) / math.log(512), 12 / 9], rtol=1e-6)
