import numpy as np
import pytest

from qdrant_embed.compression import Compression, enough_vectors, fit_transform
from tests.compression.samples import clustered


@pytest.mark.parametrize("compression", ["uint8", "uint8+center", "uint8+rotate", "uint8+center+itq"])
@pytest.mark.parametrize("first", [1, 3, 400])
def test_eight_bits_learned_from_few_unit_vectors_hold_all_others(compression, first):
    vectors = clustered(400, 96, seed=6)
    transform = fit_transform(Compression.parse(compression), vectors[:first])
    turned = transform.rotate(vectors)
    back = transform.scale.decode(transform.scale.encode(turned))
    assert np.abs(back - turned).max() <= transform.scale.step / 2 + 1e-6
    assert transform.scale.step < 0.011


def test_eight_bits_of_vectors_of_any_length_reach_as_far_as_the_sample():
    vectors = np.random.default_rng(0).normal(0, 40, (50, 8)).astype(np.float32)
    scale = fit_transform(Compression.parse("uint8"), vectors).scale
    assert scale.low < vectors.min() and scale.low + 255 * scale.step > vectors.max()


def test_eight_bits_of_two_dimensions_go_no_further_than_a_unit_vector_does():
    scale = fit_transform(Compression.parse("uint8"), np.array([[1, 0], [0.6, 0.8]], np.float32)).scale
    assert scale.low == -1.0 and scale.low + 255 * scale.step == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("compression", "wanted"),
    [("itq", 384), ("bits+center+itq", 384), ("center", 256), ("bits+median", 256), ("uint8", 256), ("float16", 0),
     ("rotate", 0), ("bits+learned64", 0)],
)  # fmt: skip
def test_how_many_vectors_settle_what_is_learned(compression, wanted):
    assert enough_vectors(Compression.parse(compression), 384) == wanted
