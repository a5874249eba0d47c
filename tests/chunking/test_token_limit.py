from itertools import pairwise

import pytest

from qdrant_embed.chunking import ChunkLimit
from qdrant_embed.chunking.token_limit import Fitter, TextPart
from qdrant_embed.chunking.token_ruler import Ruler
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.tokens import WordTokens
from qdrant_embed.types import Span

TEXT = "one two three four. five six seven eight. nine ten eleven twelve."


def fit(text, spans, *, tokens, overlap=0, floor=0, counter=None):
    counter = counter or WordTokens()
    fitter = Fitter(counter, ChunkLimit(tokens=tokens, overlap=overlap))
    return list(fitter.fit(Ruler(text, counter), [TextPart(span, floor) for span in spans]))


def sentences(text):
    first = text.index(".") + 1
    second = text.index(".", first) + 1
    return [Span(0, first), Span(first + 1, second), Span(second + 1, len(text))]


def test_what_fits_is_left_as_it_is():
    spans = sentences(TEXT)
    assert fit(TEXT, spans, tokens=5) == spans


def test_what_does_not_fit_is_halved_at_a_natural_place():
    found = fit(TEXT, [Span(0, len(TEXT))], tokens=10)
    assert [TEXT[span.start : span.end] for span in found] in (
        ["one two three four.", TEXT[20:]],
        ["one two three four. five six seven eight.", TEXT[42:]],
    )


def test_a_context_that_leaves_a_character_no_room_is_left_out():
    (found,) = fit("漢", [Span(0, 1, ("long",), "far too long")], tokens=2)
    assert (found.context, found.headings) == ("", ("long",))


class Bytes(WordTokens):
    """A token per byte."""

    name = "bytes"

    def count(self, text):
        return len(text.encode())

    def offsets(self, text):
        import numpy as np

        return np.array([(n, n + 1) for n, one in enumerate(text) for _ in one.encode()], np.int64).reshape(-1, 2)


def test_a_character_with_too_many_tokens_is_named():
    with pytest.raises(ConfigurationError, match=r"'漢' has 3 for this model. Allow chunks of at least 3 tokens"):
        fit("漢", [Span(0, 1)], tokens=2, counter=Bytes())


def test_a_character_of_many_is_torn_only_where_it_must():
    text = "ab👩\u200d👧cd"
    found = fit(text, [Span(0, len(text))], tokens=11, counter=Bytes())
    assert [text[span.start : span.end] for span in found] == ["ab", "👩\u200d👧", "cd"]
    assert len(fit(text, [Span(0, len(text))], tokens=4, counter=Bytes())) > 3


def test_overlap_repeats_the_end_of_the_chunk_before():
    found = fit(TEXT, sentences(TEXT), tokens=8, overlap=3)
    assert [TEXT[span.start : span.end] for span in found] == [
        "one two three four.",
        "four. five six seven eight.",
        "eight. nine ten eleven twelve.",
    ]


def test_overlap_never_repeats_all_of_the_chunk_before():
    found = fit("a. b. c. d.", [Span(0, 2), Span(3, 5), Span(6, 8), Span(9, 11)], tokens=20, overlap=10)
    assert all(one.start < two.start for one, two in pairwise(found))


def test_overlap_does_not_reach_beyond_its_floor():
    found = fit(TEXT, sentences(TEXT), tokens=8, overlap=3, floor=TEXT.index("five"))
    assert found[1].start == TEXT.index("five")
    assert found[2].start < TEXT.index("nine")


def test_overlap_gives_way_to_the_limit():
    class Growing(WordTokens):
        def count(self, text):
            return super().count(text) + (9 if "eight" in text and "twelve" in text else 0)

    found = fit(TEXT, sentences(TEXT), tokens=8, overlap=3, counter=Growing())
    assert found[2].start == TEXT.index("nine")


def test_overlap_is_never_a_mere_mark():
    found = fit(TEXT, sentences(TEXT), tokens=8, overlap=1)
    assert found == sentences(TEXT)


def test_overlap_beyond_half_is_refused():
    with pytest.raises(ConfigurationError, match="give 0 to 5"):
        ChunkLimit(tokens=10, overlap=6)
    with pytest.raises(ConfigurationError, match="at least 1 token"):
        ChunkLimit(tokens=0)
