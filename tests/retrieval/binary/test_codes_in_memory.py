"""Codes in memory after any changes are those that would be read anew."""

from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from qdrant_client import models

from qdrant_embed.retrieval.binary.codes_in_memory import CodesInMemory

# Ids that end or begin with zeros are taken for what they are.
NAMES = st.sampled_from([str(UUID(int=number << shift)) for number in range(1, 12) for shift in (0, 64, 120)])
POINTS = st.dictionaries(NAMES, st.integers(1, 3), max_size=12)


def records(points):
    """Return points with as many windows as told, whose codes follow from their ids."""
    return [
        models.Record(id=key, vector={"dense": [[*UUID(key).bytes[:3], row] for row in range(count)]})
        for key, count in points.items()
    ]


def contents(held):
    rows = held.codes.words.T.copy().view(np.uint8)[:, :4].tolist()
    return list(zip(held.ids_at(held.owners), rows, strict=True))


@given(POINTS, POINTS, st.randoms())
def test_changes_give_what_reading_anew_gives(before, after, random):
    after = {key: before.get(key, count) for key, count in after.items()}
    ids = random.sample(list(after), len(after))
    held = CodesInMemory.of(records(before), "dense", 4, "mark")
    kept, fresh = held.compared(ids)
    assert set(fresh) == set(after) - set(before)
    changed = held.changed(kept, CodesInMemory.of(records({key: after[key] for key in fresh}), "dense", 4))
    assert contents(changed) == contents(CodesInMemory.of(records(after), "dense", 4))
    assert sorted(contents(changed)) == contents(changed)
    assert contents(held.among(ids)) == [row for row in contents(held) if row[0] in after]


def test_whole_numbers_are_ids_too():
    points = [models.Record(id=number, vector={"dense": [number % 256, 0, 0, 0]}) for number in (300, 7, 2)]
    held = CodesInMemory.of(points, "dense", 4)
    assert held.ids_at(held.owners) == [2, 7, 300]
    assert held.compared([7, 8])[1] == [8]
