"""Merging vectors of tokens, beside a slow twin."""

import numpy as np
import pytest

from qdrant_embed.pooling.token_merging import BLOCK, merged


def units(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def merged_slowly(vectors, kept):
    clusters = [[vector.astype(np.float64)] for vector in vectors]

    def unit(cluster):
        return sum(cluster) / np.linalg.norm(sum(cluster))

    while len(clusters) > kept:
        pairs = [(one, other) for other in range(len(clusters)) for one in range(other)]
        one, other = max(pairs, key=lambda pair: unit(clusters[pair[0]]) @ unit(clusters[pair[1]]))
        clusters[one] += clusters.pop(other)
    return np.stack([unit(cluster) for cluster in clusters])


@pytest.mark.parametrize("share", [0.8, 0.5, 0.1, 0.01])
def test_the_nearest_become_one_as_a_slow_twin_does_it(share):
    vectors = units(np.random.default_rng(5).standard_normal((24, 6)))
    found = merged(vectors, share)
    assert len(found) == max(1, int(24 * share))
    np.testing.assert_allclose(found, merged_slowly(vectors, len(found)), atol=1e-5)


def test_what_is_the_same_becomes_one_and_nothing_else_changes():
    vectors = units(np.random.default_rng(6).standard_normal((8, 16)))
    np.testing.assert_allclose(merged(np.concatenate([vectors, vectors[:2]]), 0.8), vectors, atol=1e-6)
    np.testing.assert_array_equal(merged(vectors, 1.0), vectors)
    np.testing.assert_array_equal(merged(vectors[:1], 0.1), vectors[:1])


def test_long_texts_are_merged_block_by_block():
    vectors = units(np.random.default_rng(7).standard_normal((BLOCK + 40, 4)))
    found = merged(vectors, 0.5)
    np.testing.assert_array_equal(found, np.concatenate([merged(vectors[:BLOCK], 0.5), merged(vectors[BLOCK:], 0.5)]))
