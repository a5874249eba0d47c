from hypothesis import given
from hypothesis import strategies as st

from qdrant_embed.runtimes.batching import batches_by_length


@given(lengths=st.lists(st.integers(1, 300), max_size=200), budget=st.integers(1, 2000))
def test_batches_hold_each_sequence_once_and_keep_to_the_budget(lengths, budget):
    batches = list(batches_by_length(lengths, budget))
    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    for batch in batches:
        assert batch
        longest = max(lengths[place] for place in batch)
        assert len(batch) == 1 or longest * len(batch) <= budget


def test_short_texts_of_different_lengths_are_hardly_padded():
    lengths = [3 + number % 18 for number in range(3000)]
    batches = list(batches_by_length(lengths, 4096))
    padded = sum(max(lengths[place] for place in batch) * len(batch) for batch in batches)
    assert sum(lengths) / padded > 0.95
    assert padded / len(batches) > 1000, "batches are still worth their pass"
