"""Metrics against ir_measures, tests of differences against planted ones."""

import ir_measures
import numpy as np
import pytest
from ir_measures import RR, R, nDCG

from qdrant_embed.evaluation import bootstrap_interval, first_ranks, holm, ndcg, randomization_test, recall


def drawn(seed, queries=40, documents=30):
    rng = np.random.default_rng(seed)
    names = [f"d{n}" for n in range(documents)]
    judged = [{str(name): float(rng.integers(0, 4)) for name in rng.choice(names, 6, False)} for _ in range(queries)]
    found = [list(map(str, rng.permutation(names)[: rng.integers(0, 20)])) for _ in range(queries)]
    return found, [grades | {"d0": 1.0} for grades in judged]


def test_metrics_are_those_of_ir_measures():
    found, judged = drawn(1)
    qrels = [ir_measures.Qrel(str(q), name, int(grade)) for q, row in enumerate(judged) for name, grade in row.items()]
    run = [ir_measures.ScoredDoc(str(q), name, -rank) for q, row in enumerate(found) for rank, name in enumerate(row)]
    theirs = {metric: np.zeros(len(found)) for metric in (R @ 10, nDCG @ 10, RR @ 10)}
    for one in ir_measures.iter_calc(list(theirs), qrels, run):
        theirs[one.measure][int(one.query_id)] = one.value
    ranks = first_ranks(found, judged, 10)
    assert recall(found, judged, 10) == pytest.approx(theirs[R @ 10], abs=1e-6)
    assert ndcg(found, judged, 10) == pytest.approx(theirs[nDCG @ 10], abs=1e-6)
    assert np.where(ranks > 0, 1 / np.maximum(ranks, 1), 0) == pytest.approx(theirs[RR @ 10], abs=1e-6)


def test_what_comes_again_counts_where_it_came_first():
    assert first_ranks([["a", "a", "b"]], [{"b": 1.0}], 2).tolist() == [2]
    assert recall([["a", "a", "b"]], [{"b": 1.0, "c": 2.0, "d": 0.0}], 2).tolist() == [0.5]
    assert recall([["a"]], [{}], 2).tolist() == [0.0]


def test_intervals_and_tests_are_the_same_every_time():
    values = np.random.default_rng(2).random(100).astype(np.float32)
    assert bootstrap_interval(values) == bootstrap_interval(values) != bootstrap_interval(values, seed=1)
    assert randomization_test(values - 0.5) == randomization_test(values - 0.5)


def test_a_planted_difference_is_found_and_chance_is_not():
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 0.3, 150).astype(np.float32)
    noise -= noise.mean()
    assert randomization_test(noise + 0.1) < 0.001
    assert randomization_test(noise + 0.005) > 0.5
    assert randomization_test(np.zeros(150, np.float32)) == 1.0
    chance = [randomization_test(rng.normal(0, 1, 40).astype(np.float32), seed) for seed in range(100)]
    assert 0 <= sum(p < 0.05 for p in chance) <= 12


def test_holm_allows_for_several_tests():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([]) == []
