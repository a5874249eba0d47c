import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdrant_embed.compression.binary_codes import pack_signs
from qdrant_embed.compression.rotations import balanced, itq, random_rotation
from qdrant_embed.compression.transform import Transform
from tests.compression.samples import clustered

ROTATIONS = {
    "random": lambda vectors: random_rotation(vectors.shape[1], 3),
    "itq": lambda vectors: itq(vectors, 3, iterations=5),
    "balanced": lambda vectors: balanced(vectors, 4),
}


@pytest.mark.parametrize("name", ROTATIONS)
@given(dim=st.integers(4, 40), count=st.integers(1, 60), seed=st.integers(0, 99))
def test_rotations_are_orthogonal_and_so_keep_lengths_and_cosines(name, dim, count, seed):
    vectors = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    matrix = ROTATIONS[name](vectors)
    assert np.allclose(matrix @ matrix.T, np.eye(dim), atol=1e-4)
    turned = Transform(dim=dim, matrix=matrix).rotate(vectors)
    assert np.allclose(turned @ turned.T, vectors @ vectors.T, atol=1e-3)


def test_itq_brings_vectors_nearer_to_the_corners_and_is_the_same_every_time():
    vectors = clustered(400, 32, seed=5)

    def distance(matrix):
        turned = vectors @ matrix.T
        return float(((np.sign(turned) - turned) ** 2).sum())

    assert distance(itq(vectors)) < distance(random_rotation(32)) < distance(np.eye(32)) * 1.05
    assert (itq(vectors, 7) == itq(vectors, 7)).all()


def test_balanced_parts_carry_equal_variance():
    rng = np.random.default_rng(2)
    vectors = (rng.standard_normal((4000, 16)) * np.geomspace(8, 0.1, 16)).astype(np.float32)
    products = [np.log(np.var(part, axis=0)).sum() for part in np.split(vectors @ balanced(vectors, 4).T, 4, axis=1)]
    plain = [np.log(np.var(part, axis=0)).sum() for part in np.split(vectors, 4, axis=1)]
    assert np.ptp(products) < 0.4 * np.ptp(plain)


@given(dim=st.integers(2, 40), seed=st.integers(0, 99))
def test_centering_and_rotating_is_undone_exactly_enough_for_rescoring(dim, seed):
    vectors = np.random.default_rng(seed).standard_normal((20, dim)).astype(np.float32)
    transform = Transform(dim=dim, mean=vectors.mean(axis=0), matrix=random_rotation(dim, seed))
    assert np.allclose(transform.unrotate(transform.rotate(vectors)), vectors, atol=2e-6)


def test_a_random_rotation_of_a_known_seed_never_changes():
    # Signs, not bytes of floats: linear algebra libraries round the last digits each in its own way.
    assert pack_signs(random_rotation(16, 0)[:4]).tolist() == [[166, 132], [53, 229], [119, 119], [197, 172]]
    assert (random_rotation(16, 0) != random_rotation(16, 1)).any()
