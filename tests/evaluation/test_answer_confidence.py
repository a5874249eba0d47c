"""Confidence by hand, at its edges, and on a collection whose answers are taken away."""

import math

import numpy as np
import pytest

from qdrant_embed import Document
from qdrant_embed.evaluation import confidence


def test_it_is_the_formula():
    dense, words = [0.8, 0.5, 0.4, 0.3], [11.0, 5.0, 6.0]
    spread = (0.8 - 0.4) / np.std([0.5, 0.4, 0.3])
    weighed = 4.5 * 11 / 22 + 2.9 * (1 - 5.5 / 11) + 0.06 * spread + 0.83 * math.log(4) - 5.2
    assert confidence(dense, words, most=22, terms=3) == pytest.approx(1 / (1 + math.exp(-weighed)))


def test_it_rises_with_what_speaks_for_an_answer():
    base = {"dense": [0.6, *[0.5, 0.4] * 20], "words": [9.0, *[5.0] * 20], "most": 30.0, "terms": 4}

    def told(**changed):
        given = base | changed
        return confidence(given["dense"], given["words"], most=given["most"], terms=given["terms"])

    assert told(most=60.0) < told() < told(most=15.0)
    assert told(words=[9.0, *[8.5] * 20]) < told() < told(words=[9.0, *[1.0] * 20])
    assert told(dense=[0.5, *[0.5, 0.4] * 20]) < told() < told(dense=[0.9, *[0.5, 0.4] * 20])


@pytest.mark.parametrize("dense", [[], [0.4], [0.4] * 5, [1.0, *[0.5] * 99]])
@pytest.mark.parametrize(("words", "most"), [([], 0.0), ([], 12.0), ([3.0], 12.0), ([0.0, 0.0], 12.0)])
def test_short_and_flat_lists_give_a_number(dense, words, most):
    assert 0 <= confidence(dense, words, most=most, terms=len(words)) <= 1


def test_answered_questions_are_told_from_others(collection):
    fish = ["herring", "cod", "eel", "salmon", "plaice", "turbot", "perch", "carp", "pike", "roach"]
    landed = [
        f"The {name} is landed at pier {n}, weighed there and sold before noon." for n, name in enumerate(fish[:5])
    ]
    collection.ingest([Document(text=text, source=f"{n}.txt") for n, text in enumerate(landed)])
    asked = [f"where is the {name} landed" for name in fish]
    dense, words = (collection.search(asked, k=100, mode=mode) for mode in ("dense", "bm25"))
    most = 2.2 * (
        math.log(1 + 0.5 / 5.5) + np.where(np.arange(10) < 5, math.log(1 + 4.5 / 1.5), math.log(1 + 5.5 / 0.5))
    )
    told = [
        confidence([hit.score for hit in by_meaning], [hit.score for hit in by_words], most=highest, terms=2)
        for by_meaning, by_words, highest in zip(dense, words, most, strict=True)
    ]
    assert min(told[:5]) > max(told[5:]) + 0.2
