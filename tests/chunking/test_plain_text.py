import random

import pytest

from qdrant_embed.chunking import ChunkLimit, make_chunker
from qdrant_embed.chunking.plain_text import WINDOW
from qdrant_embed.testing.conformance.chunkers import check_text
from qdrant_embed.tokens import WordTokens

SENTENCES = [f"Sentence {n} says that gate {n} opens at {n % 24} and not before." for n in range(200)]


def chunks(name, text, tokens, overlap=0):
    limit = ChunkLimit(tokens=tokens, overlap=overlap)
    return [
        text[s.start : s.end] for s in check_text(make_chunker(name, WordTokens(), limit), text, WordTokens(), limit)
    ]


def test_sentences_are_kept_whole_and_chunks_well_filled():
    found = chunks("sentences", " ".join(SENTENCES), 100)
    assert " ".join(found) == " ".join(SENTENCES)
    assert all(chunk.startswith("Sentence") and chunk.endswith("before.") for chunk in found)
    assert all(WordTokens().count(chunk) > 100 - 2 * 14 for chunk in found[:-1])


def test_sentences_pay_no_heed_to_lines():
    wrapped = "\n".join(" ".join(SENTENCES).split(" "))
    assert [chunk.split() for chunk in chunks("sentences", wrapped, 100)] == [
        chunk.split() for chunk in chunks("sentences", " ".join(SENTENCES), 100)
    ]


def test_a_window_of_the_splitter_is_no_boundary():
    text = " ".join(SENTENCES * 3)
    assert len(text) > WINDOW
    assert all(chunk.endswith("before.") for chunk in chunks("sentences", text, 100))


def test_tokens_are_full_and_cut_between_words():
    text = " ".join(SENTENCES)
    found = chunks("tokens", text, 50)
    assert " ".join(found) == text
    assert {WordTokens().count(chunk) for chunk in found[:-1]} <= {49, 50}


def test_recursive_cuts_paragraphs_before_lines_before_sentences():
    rnd = random.Random(1)
    paragraphs = ["\n".join(rnd.sample(SENTENCES, 3)) for _ in range(20)]
    text = "\n\n".join(paragraphs)
    assert all(part in paragraphs for chunk in chunks("recursive", text, 100) for part in chunk.split("\n\n"))
    assert all(line in SENTENCES for chunk in chunks("recursive", text, 30) for line in chunk.splitlines() if line)


@pytest.mark.parametrize("name", ["recursive", "sentences", "tokens"])
def test_overlap_makes_no_chunk_larger(name):
    found = chunks(name, " ".join(SENTENCES), 60, 15)
    assert max(map(WordTokens().count, found)) <= 60
    assert sum(map(len, found)) > 1.1 * len(" ".join(SENTENCES))
