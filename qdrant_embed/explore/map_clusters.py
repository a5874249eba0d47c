"""Groups of a map's points, and the words that stand for each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from qdrant_embed.embedding.bm25 import Bm25Encoder
from qdrant_embed.explore.nearest_neighbors import kmeans
from qdrant_embed.types import FloatArray, IntArray
from qdrant_embed.words.splitter import lowered_by, terms_of

MOST_GROUPS = 24
POINTS_OF_GROUP = 12
"""Points that a group has at least, on average."""
READ = 200
"""Texts of a group whose words are counted, at the most."""
WORDS = 3
OFTENER = 1.25
"""How much oftener than on average a word of a label is, of all words of its group."""
SHORTEST = 3
"""Letters that a word of a label has at least, where it is of ASCII letters."""


def groups_of(places: FloatArray, seed: int = 0) -> IntArray:
    """Return the group of each point of a map (n, 2): the largest group is number 0."""
    if not len(places):
        return np.zeros(0, np.int64)
    number = int(np.clip(round(np.sqrt(len(places) / 4)), 1, min(MOST_GROUPS, max(1, len(places) // POINTS_OF_GROUP))))
    _, found = kmeans(places, number, seed=seed, rounds=30)
    by_size = np.argsort(-np.bincount(found, minlength=number), kind="stable")
    rank = np.empty(number, np.int64)
    rank[by_size] = np.arange(number)
    return np.asarray(rank[found], np.int64)


def drawn_texts(groups: IntArray, seed: int = 0) -> list[IntArray]:
    """Return, for each group, the points whose texts are to be counted, some `READ` of them."""
    draw = np.random.default_rng(seed)
    found = [np.flatnonzero(groups == one) for one in range(int(groups.max(initial=-1)) + 1)]
    return [own if len(own) <= READ else np.sort(draw.choice(own, READ, replace=False)) for own in found]


def labels_of(texts: Sequence[Sequence[str]], encoder: Bm25Encoder, words: int = WORDS) -> list[list[str]]:
    """Return, for the texts of each group, the words that tell it from the others, the most telling first.

    Words are weighed by class-based TF-IDF (Grootendorst 2022): a group is taken for one document; the weight of a
    word is its share of the group's words times log(1 + mean length of a group / how often all groups have it). A word
    is counted in a text once, so that no single text names its group; those of one stem are one, shown in their most
    frequent form. A word that the group has hardly oftener than all have tells nothing: a group may have no words.
    """
    forms: dict[str, Counter[str]] = defaultdict(Counter)
    counted = [_stems_in(group, encoder, forms) for group in texts]
    everywhere: Counter[str] = Counter()
    for one in counted:
        everywhere.update(one)
    mean = sum(everywhere.values()) / max(1, len(counted))
    found = []
    for one in counted:
        length = max(1, sum(one.values()))
        usual = length / max(1, sum(everywhere.values())) * (OFTENER if len(counted) > 1 else 0)
        weight = {
            stem: often / length * np.log(1 + mean / everywhere[stem])
            for stem, often in one.items()
            if often > everywhere[stem] * usual
        }
        best = sorted(weight, key=lambda stem: (-weight[stem], stem))[:words]
        found.append([min(forms[stem], key=lambda form: (-forms[stem][form], form)) for stem in best])
    return found


def _stems_in(texts: Sequence[str], encoder: Bm25Encoder, forms: dict[str, Counter[str]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for text in texts:
        stems: dict[str, str] = {}
        for word in dict.fromkeys(terms_of(lowered_by(encoder.language, text))):
            if word.isdecimal() or (word.isascii() and len(word) < SHORTEST):
                continue
            for stem in encoder.query_terms(word):
                stems[stem] = word
        found.update(stems.keys())
        for stem, word in stems.items():
            forms[stem][word] += 1
    return found
