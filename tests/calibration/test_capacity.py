"""Which width decides how many documents a collection can rank."""

import pytest

from qdrant_embed.errors import ConfigurationError


@pytest.mark.parametrize(
    ("compression", "width"),
    [
        ("float16", 256),
        ("64d!", 64),
        ("64d!+full+rescore4", 256),
        ("64d!+full+bits+rescore4", 256),
        ("full+bits+learned64+rescore20", 256),
        ("bits+learned64", 64),
    ],
)
def test_the_width_is_that_of_the_vectors_that_decide_the_ranking(make_collection, compression, width):
    assert make_collection(compression=compression).vectors.capacity().dim == width


def test_points_of_several_vectors_are_beyond_the_theory(make_collection):
    with pytest.raises(ConfigurationError, match="a vector for each window"):
        make_collection(chunker="document", window="windows:24").vectors.capacity()
