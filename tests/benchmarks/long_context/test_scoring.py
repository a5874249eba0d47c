"""How documents of several vectors are scored, worked out by hand."""

import numpy as np
import pytest

from benchmarks.long_context.scoring import best, fused, measured, soft, top
from benchmarks.long_context.tasks import Task

QUERIES = np.array([[1.0, 0.0], [0.0, 1.0]])
BAGS = [np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0.6, 0.8]])]


def test_the_best_vector_counts():
    assert best(QUERIES, BAGS) == pytest.approx(np.array([[1.0, 0.6], [1.0, 0.8]]))


def test_soft_weights_lie_between_the_mean_and_the_best():
    assert soft(QUERIES, BAGS, sharpness=0.0) == pytest.approx(np.array([[0.5, 0.6], [0.5, 0.8]]))
    assert soft(QUERIES, BAGS, sharpness=1000.0) == pytest.approx(best(QUERIES, BAGS))


def test_the_best_few_are_averaged_where_there_are_as_many():
    assert top(QUERIES, BAGS, count=2) == pytest.approx(np.array([[0.5, 0.6], [0.5, 0.8]]))
    assert top(QUERIES, BAGS, count=1) == pytest.approx(best(QUERIES, BAGS))


def test_fusion_adds_reciprocal_ranks():
    found = fused(np.array([[3.0, 2.0, 1.0]]), np.array([[1.0, 2.0, 3.0]]), k=60)
    assert found == pytest.approx(np.array([[1 / 61 + 1 / 63, 2 / 62, 1 / 63 + 1 / 61]]))


def test_accuracy_and_ndcg_of_a_run():
    task = Task("t", 0, {"q0": "", "q1": ""}, {"d0": "", "d1": ""}, {"q0": {"d0": 1}, "q1": {"d0": 1}})
    found = measured(task, np.array([[0.9, 0.1], [0.1, 0.9]]))
    assert found == {"acc@1": 0.5, "ndcg@10": round((1 + 1 / np.log2(3)) / 2, 4)}
