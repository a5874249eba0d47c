"""What becomes of a document's windows when it may keep fewer vectors."""

import numpy as np
import pytest

from benchmarks.long_context.grouping import centered, grouped, means, salient, unit
from benchmarks.long_context.lexical import bm25

rng = np.random.default_rng(0)
FILLER = unit(np.array([1.0, 0.0, 0.0]) + 0.01 * rng.standard_normal((60, 3)))
ODD = np.array([[0.0, 1.0, 0.0]])
BAG = np.concatenate([FILLER[:30], ODD, FILLER[30:]])


def test_the_mean_drowns_an_odd_window_and_salience_lifts_it():
    [plain], [lifted] = means([BAG]), salient([BAG])
    assert plain.shape == lifted.shape == (1, 3)
    assert (plain @ ODD.T).item() < 0.05
    assert (lifted @ ODD.T).item() > 0.5
    assert np.linalg.norm(lifted) == pytest.approx(1.0)


def test_salience_of_equal_windows_is_their_mean():
    same = np.repeat(FILLER[:1], 4, axis=0)
    assert salient([same])[0] == pytest.approx(FILLER[:1])


def test_groups_keep_an_odd_window_and_are_never_more_than_asked_for():
    [few] = grouped([BAG], count=2)
    assert few.shape == (2, 3)
    assert (few @ ODD.T).max() > 0.99
    [untouched] = grouped([BAG[:2]], count=2)
    assert untouched is not BAG
    assert untouched == pytest.approx(BAG[:2])


def test_equal_windows_make_groups_that_are_numbers():
    [few] = grouped([np.repeat(FILLER[:1], 9, axis=0)], count=3)
    assert np.isfinite(few).all()


def test_what_all_documents_share_is_taken_away():
    shared = np.array([5.0, 0.0, 0.0])
    one, other = centered([unit(shared + ODD), unit(shared - ODD)])
    assert (one @ other.T).item() == pytest.approx(-1.0)


def test_words_find_the_document_of_their_best_window():
    chunks = [["the ferry leaves", "the baker sleeps"], ["the mill turns", "the mill stands", "the mill burns"]]
    scores = bm25(["Where is the baker?", "mills"], chunks)
    assert scores.shape == (2, 2)
    assert scores[0, 0] > scores[0, 1] == 0
    assert scores[1, 1] > scores[1, 0] == 0
