import numpy as np
import pytest

from qdrant_embed.chunking import ChunkLimit, make_chunker
from qdrant_embed.chunking.token_ruler import GIANT, PIECE, Ruler, trimmed
from qdrant_embed.testing.conformance.chunkers import check_text
from qdrant_embed.tokens import WordTokens

TEXT = "one two, three\nfour"


def test_tokens_between_places():
    ruler = Ruler(TEXT, WordTokens())
    assert ruler.tokens(0, len(TEXT)) == 5
    assert ruler.tokens(4, 9) == 2
    assert ruler.tokens(9, 9) == 0
    assert ruler.indices([0, 4, 8, 9]) == [0, 1, 3, 3]


def test_forward_and_back():
    ruler = Ruler(TEXT, WordTokens())
    assert ruler.forward(0, 2, len(TEXT)) == TEXT.index(",")
    assert ruler.forward(0, 2, 5) == 5
    assert ruler.forward(0, 99, len(TEXT)) == len(TEXT)
    assert ruler.back(TEXT.index("three"), 2, 0) == TEXT.index("two")
    assert ruler.back(TEXT.index("three"), 2, 6) == 6
    assert ruler.back(TEXT.index("three"), 99, 0) == 0


def test_an_empty_text():
    ruler = Ruler("", WordTokens())
    assert ruler.tokens(0, 0) == 0
    assert ruler.back(0, 3, 0) == 0
    assert ruler.forward(0, 3, 0) == 0


@pytest.mark.parametrize("counter", ["words", "minilm", "tiktoken"], indirect=True)
def test_a_text_is_measured_alike_in_pieces_and_whole(counter):
    text = "The gates open at six. 港口的大门 \n\n" * 3000
    assert len(text) > 2 * PIECE
    ruler = Ruler(text, counter)
    assert abs(ruler.tokens(0, len(text)) - counter.count(text)) <= len(text) // PIECE


class Blind(WordTokens):
    """A tokenizer that makes one token of every word, or none of anything."""

    def __init__(self, spans):
        self._spans = spans

    def offsets(self, text):
        return np.array(self._spans, np.int64).reshape(-1, 2)


@pytest.mark.parametrize("spans", [[(0, 1000)], []])
def test_giant_tokens_and_gaps_count_as_several(spans):
    ruler = Ruler("a" * 1000, Blind(spans))
    assert ruler.tokens(0, 1000) >= 1000 // GIANT


def test_tokens_out_of_order_are_put_in_order():
    ruler = Ruler("abcdef", Blind([(0, 1), (3, 4), (2, 3), (4, 5)]))
    assert ruler.indices(range(7)) == sorted(ruler.indices(range(7)))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  one  ", "  one"),
        ("\n\n  one\n\n", "  one"),
        ("\r\n\tone\r\n", "\tone"),
        (f"\n{' ' * 100}one", "one"),
        (" \n\t ", ""),
        ("", ""),
        ("one", "one"),
    ],
)
def test_trimming_keeps_indentation(text, kept):
    start, end = trimmed(text, 0, len(text))
    assert text[start:end] == kept


def test_trimming_in_mid_line_keeps_no_space():
    assert trimmed("one   two", 3, 9) == (6, 9)


class Silent(WordTokens):
    """A tokenizer that gives no token for some characters, as one whose vocabulary lacks them may."""

    def offsets(self, text):
        found = super().offsets(text)
        return found[[not text[start:end].startswith("z") for start, end in found]]

    def count(self, text):
        return len(self.offsets(text))


@pytest.mark.parametrize("text", ["one two zzz", "zzz", "one zzz zzz\n", "zz one"])
def test_back_stays_within_the_text_where_the_last_characters_have_no_token(text):
    ruler = Ruler(text, Silent())
    for position in range(len(text) + 1):
        for tokens in range(4):
            assert 0 <= ruler.back(position, tokens, 0) <= position


def test_overlap_over_characters_without_tokens():
    text = " ".join("one" if number % 7 else "z" * 80 for number in range(200)) + " " + "z" * 300
    for name in ("recursive", "markdown", "code", "tokens", "sentences"):
        for tokens in (2, 3, 11):
            for overlap in range(min(3, tokens // 2 + 1)):
                limit = ChunkLimit(tokens=tokens, overlap=overlap)
                check_text(make_chunker(name, Silent(), limit), text, Silent(), limit)
