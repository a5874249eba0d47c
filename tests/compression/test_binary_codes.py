import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from benchmarks.compression.nearest import hyperplanes, nearest_by_hamming, nearest_by_weights
from qdrant_embed.compression.binary_codes import SignCodes, hamming, pack_signs, unpack_signs
from qdrant_embed.compression.transform import Scale
from qdrant_embed.errors import ConfigurationError

NUMBERS = st.floats(-4, 4, width=32)
MATRICES = st.tuples(st.integers(1, 6), st.integers(1, 70)).flatmap(
    lambda shape: npst.arrays(np.float32, shape, elements=NUMBERS)
)


def slow_pack(row):
    packed = []
    for start in range(0, len(row), 8):
        byte = 0
        for place in range(8):
            number = row[start + place] if start + place < len(row) else 0.0
            byte = 2 * byte + (1 if number > 0 else 0)
        packed.append(byte)
    return packed


def slow_hamming(left, right):
    return sum(bin(int(one) ^ int(other)).count("1") for one, other in zip(left, right, strict=True))


@given(MATRICES)
def test_signs_are_packed_most_significant_bit_first(vectors):
    assert pack_signs(vectors).tolist() == [slow_pack(row) for row in vectors]


@given(MATRICES)
def test_packing_and_unpacking_is_exact(vectors):
    signs = np.where(vectors > 0, 1, -1)
    assert (unpack_signs(pack_signs(vectors), vectors.shape[1]) == signs).all()
    assert (pack_signs(unpack_signs(pack_signs(vectors), vectors.shape[1])) == pack_signs(vectors)).all()


def test_the_first_dimension_is_the_highest_bit():
    assert pack_signs(np.array([[1, -1, -1, -1, -1, -1, -1, 1, 1]], np.float32)).tolist() == [[0b10000001, 0b10000000]]


@given(st.integers(1, 70).flatmap(lambda width: npst.arrays(np.uint8, (5, width))))
def test_hamming_is_the_slow_count_of_differing_bits(codes):
    assert hamming(codes[0], codes).tolist() == [slow_hamming(codes[0], code) for code in codes]


@given(st.integers(1, 70).flatmap(lambda width: npst.arrays(np.uint8, (5, width))))
def test_word_by_word_gives_what_code_by_code_gives(codes):
    table = SignCodes.of(codes[1:])
    assert table.hamming(codes[0]).tolist() == hamming(codes[0], codes[1:]).tolist()
    assert table.take(np.array([2, 0])).hamming(codes[0]).tolist() == hamming(codes[0], codes[[3, 1]]).tolist()
    assert table.joined(SignCodes.of(codes[:2])).hamming(codes[0]).tolist()[4:] == hamming(codes[0], codes[:2]).tolist()


@given(npst.arrays(np.uint8, (40, 2), elements=st.integers(0, 3)), st.integers(0, 50))
def test_the_nearest_are_those_of_a_stable_sort(codes, count):
    places, distances = nearest_by_hamming(codes[0], codes, count)
    whole = np.argsort(hamming(codes[0], codes), kind="stable")[:count]
    assert places.tolist() == whole.tolist()
    assert distances.tolist() == hamming(codes[0], codes)[whole].tolist()


@given(MATRICES)
def test_eight_bits_are_within_half_a_step(vectors):
    scale = Scale.of(vectors)
    back = scale.decode(scale.encode(vectors))
    assert np.abs(back - vectors).max() <= scale.step / 2 + 1e-5
    assert (scale.encode(back) == scale.encode(vectors)).all()


def test_medians_split_every_dimension_in_halves():
    vectors = np.random.default_rng(0).normal(3, 1, (101, 16)).astype(np.float32)
    bits = unpack_signs(pack_signs(vectors, np.median(vectors, axis=0)), 16)
    assert ((bits > 0).sum(axis=0) == 50).all()


def test_hyperplane_codes_estimate_angles():
    rng = np.random.default_rng(1)
    one, other = rng.standard_normal((2, 32)).astype(np.float32)
    planes = hyperplanes(32, 8192)
    differing = hamming(pack_signs(planes @ one), pack_signs(planes @ other)[None])[0] / 8192
    angle = np.arccos(one @ other / np.linalg.norm(one) / np.linalg.norm(other)) / np.pi
    assert abs(differing - angle) < 0.02


def test_widths_that_differ_are_refused():
    with pytest.raises(ConfigurationError, match="cannot meet"):
        hamming(np.zeros(2, np.uint8), np.zeros((3, 4), np.uint8))
    with pytest.raises(ConfigurationError, match="do not hold"):
        unpack_signs(np.zeros((3, 4), np.uint8), 20)


@pytest.mark.parametrize("seed", range(40))
def test_weighted_bits_rank_as_a_product_with_signs_does(seed):
    rng = np.random.default_rng(seed)
    width, rows, count = rng.integers(1, 9), rng.integers(0, 60), int(rng.integers(1, 70))
    codes = rng.integers(0, 4, (rows, width)).astype(np.uint8)  # few values, so that many are equal
    weights = rng.integers(-9, 9, 8 * width).astype(np.float32)
    places, scores = nearest_by_weights(weights, codes, count)
    slow = []
    for code in codes.tolist():
        bits = [byte >> (7 - place) & 1 for byte in code for place in range(8)]
        slow.append(sum(weight if bit else -weight for bit, weight in zip(bits, weights.tolist(), strict=True)))
    best = sorted(range(rows), key=lambda place: (-slow[place], place))[:count]
    assert places.tolist() == best
    assert scores.tolist() == [slow[place] for place in best]


def test_weights_of_another_width_are_refused():
    with pytest.raises(ConfigurationError, match="16 weights cannot meet codes of 3 bytes"):
        nearest_by_weights(np.zeros(16, np.float32), np.zeros((2, 3), np.uint8), 1)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "numbers",
    [
        [0, 1e-45],
        [1e-45, 2e-45],
        [-1e-40, 1e-40],
        [7, 7],
        [0, 0],
        [1e-20, 2e-20],
        [-3e38, 3e38],
        [3.4e38, 3.4e38],
        [1e30, 2e30],
        [1, 1 + 1e-7],
        [-1e-3, 3e38],
    ],
)
def test_a_scale_holds_numbers_of_any_size(numbers):
    vectors = np.array([numbers], np.float32)
    scale = Scale.of(vectors)
    steps = scale.encode(vectors)
    given = vectors.astype(np.float64)
    off = np.abs(scale.decode(steps).astype(np.float64) - given)
    assert (off <= scale.step / 2 + np.abs(given) * 1e-6).all()
    assert scale.encode(np.array([[-np.inf, np.inf]], np.float32)).tolist() == [[0, 255]]


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_scale_is_not_made_of_what_is_no_number(wrong):
    with pytest.raises(ConfigurationError, match="finite"):
        Scale.of(np.array([[1, wrong]], np.float32))
    with pytest.raises(ConfigurationError, match="nan has no step"):
        Scale(0.0, 1.0).encode(np.array([[np.nan]], np.float32))
