"""Frequencies of rotary positions against their formulas."""

import numpy as np
import pytest

from qdrant_embed.long_context.positions import dynamic_multiples, ntk_frequencies, ntk_lambda

DIM = 16
FREQUENCIES = (10_000.0 ** (-2 * np.arange(DIM // 2) / DIM)).astype(np.float32)


@pytest.mark.parametrize(("factor", "multiple"), [(1, 1), (2, 3), (3, 4), (4, 5), (6, 7.5), (8, 10), (16, 20)])
def test_lambda_is_that_of_the_paper_and_above_the_factor_everywhere_else(factor, multiple):
    assert ntk_lambda(factor) == pytest.approx(multiple)


def test_lambda_never_falls():
    lambdas = [ntk_lambda(factor) for factor in np.linspace(1, 40, 200)]
    assert (np.diff(lambdas) > 0).all()


@pytest.mark.parametrize(("multiple", "base"), [(3, 30_000), (5, 50_000), (10, 100_000)])
def test_ntk_gives_the_frequencies_of_the_larger_base(multiple, base):
    wanted = [base ** (-2 * j / DIM) for j in range(DIM // 2)]
    np.testing.assert_allclose(ntk_frequencies(FREQUENCIES, multiple), wanted, rtol=1e-6)


def test_dynamic_ntk_leaves_texts_that_fit_and_grows_with_the_length():
    multiples = dynamic_multiples(64, 16, 4.0, DIM)
    assert (multiples[:17] == 1).all()
    assert multiples[64] == pytest.approx((4 * 64 / 16 - 3) ** (DIM / (DIM - 2)), rel=1e-6)
    assert (np.diff(multiples[16:]) > 0).all()
