import numpy as np
import pytest

from qdrant_embed.compression.binary_codes import pack_signs
from qdrant_embed.retrieval.binary.adaptive_rescoring import DOUBT, REACH, ROUNDS, ScoreErrors, rescore_in_rounds
from tests.compression.samples import clustered

BITS = 24


def judged(seed, count=300):
    """Return scores, codes, real scores and signs of candidates in groups; some bits count more than scores say."""
    rng = np.random.default_rng(seed)
    signs = np.repeat(rng.choice([-1.0, 1.0], (count // 25, BITS)), 25, axis=0).astype(np.float32)
    signs *= np.where(rng.random(signs.shape) < 0.1, -1, 1)
    counts = rng.standard_normal(BITS)
    real = signs @ counts + 0.5 * rng.standard_normal(count)
    scores = signs @ (counts + 0.7 * rng.standard_normal(BITS))
    order = np.argsort(-scores, kind="stable")
    return scores[order].astype(np.float32), pack_signs(signs[order]), real[order].astype(np.float32), signs[order]


def reader(real, weights, read):
    def give(places):
        read.append(places.tolist())
        return places, real[places], weights[places]

    return give


def hits(chosen, real, count):
    return len(set(chosen.tolist()) & set(np.argsort(-real)[:count].tolist())) / count


def test_what_codes_misjudge_is_found_by_reading_no_more():
    at_once, rounds = [], []
    for seed in range(20):
        scores, codes, real, weights = judged(seed, 1000)
        read = []
        chosen = rescore_in_rounds(scores, codes, BITS, 60, reader(real, weights, read))
        assert len(set(chosen.tolist())) == 60
        assert sum(map(len, read)) == 45  # the vectors of the last round teach nobody, and are not read for that
        at_once.append(hits(np.arange(60), real, 20))
        rounds.append(hits(chosen, real, 20))
    assert np.mean(rounds) > np.mean(at_once) + 0.05


def test_what_the_codes_rank_first_is_read_first_and_nothing_twice():
    scores, codes, real, weights = judged(3)
    read = []
    chosen = rescore_in_rounds(scores, codes, BITS, 41, reader(real, weights, read))
    assert read[0] == list(range(11))
    assert len(read) == ROUNDS - 1
    assert [*read[0], *read[1], *read[2]] == chosen[: sum(map(len, read))].tolist()
    assert len(set(chosen.tolist())) == len(chosen) == 41


def test_codes_that_are_right_are_left_in_their_order():
    scores, codes, _, weights = judged(4)
    chosen = rescore_in_rounds(scores, codes, BITS, 40, reader(scores + 7, weights, []))
    assert sorted(chosen.tolist()) == list(range(40))


@pytest.mark.parametrize("wanted", [1, 2, 3, 5, 300, 400])
def test_any_number_can_be_wanted(wanted):
    scores, codes, real, weights = judged(5)
    chosen = rescore_in_rounds(scores, codes, BITS, wanted, reader(real, weights, []))
    assert len(set(chosen.tolist())) == len(chosen) == min(wanted, 300)


def test_vectors_that_are_gone_teach_nothing_and_stop_nothing():
    scores, codes, _, weights = judged(6)
    chosen = rescore_in_rounds(scores, codes, BITS, 40, lambda places: (places[:0], scores[:0], weights[:0]))
    assert chosen.tolist() == list(range(40))


def test_the_known_errors_are_a_kernel_mean_whatever_the_order_they_came_in():
    rng = np.random.default_rng(7)
    signs = np.sign(clustered(30, BITS, 7)).astype(np.float32)
    scores, real = (rng.standard_normal(30).astype(np.float32) for _ in range(2))
    weights = rng.standard_normal((30, BITS)).astype(np.float32)
    known = ScoreErrors(scores, signs)
    known.add(np.arange(4), real[:4], weights[:4])
    known.add(np.arange(4, 9), real[4:9], weights[4:9])
    expected = []
    for code, score in zip(signs, scores, strict=True):
        shares = [
            np.abs(w[np.sign(w) != code]).sum() / np.abs(w).sum() for w in weights[:9]
        ]  # of what the bits count, that which differs
        alike = np.exp(-np.array(shares) / REACH)
        errors = real[:9] - scores[:9]
        expected.append(score + (alike * (errors - errors.mean())).sum() / (alike.sum() + DOUBT))
    np.testing.assert_allclose(known.mended(), expected, rtol=1e-4, atol=1e-5)


def test_a_vector_at_the_mean_weighs_no_bit_and_is_no_error():
    scores, codes, real, weights = judged(8)
    chosen = rescore_in_rounds(scores, codes, BITS, 40, reader(real, 0 * weights, []))
    assert len(chosen) == 40
