"""Passages and batches to train positions on."""

from itertools import pairwise

import numpy as np

from qdrant_embed.tokens import HuggingFaceTokens
from qdrant_embed.training.sample_passages import batches, passages


def tokens():
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({f"w{number}": number for number in range(500)}, unk_token="w0"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return HuggingFaceTokens(tokenizer)


def test_passages_are_runs_of_the_text_of_many_lengths():
    text = " ".join(f"w{number}" for number in range(500))
    found = passages([text], tokens(), 40, seed=3)
    lengths = [len(passage) for passage in found]
    assert min(lengths) >= 5
    assert max(lengths) <= 40
    assert len(set(lengths)) > 5
    together = np.concatenate(found)
    assert together.tolist() == list(range(len(together))), "in order, with no gap but perhaps at the end"
    assert passages([text], tokens(), 40, seed=3) == found
    assert passages([text], tokens(), 40, seed=4) != found


def test_batches_are_neighbors_and_use_every_passage_before_one_twice():
    made = list(batches(12, 4, 6, seed=0))
    assert len(made) == 6
    for batch in made:
        assert len(batch) == len(set(batch)) == 4
        assert all((right - left) % 12 == 1 for left, right in pairwise(batch))
    assert sorted(place for batch in made[:3] for place in batch) == list(range(12))


def test_a_small_corpus_gives_smaller_batches():
    assert [len(batch) for batch in batches(3, 16, 2, seed=0)] == [3, 3]
