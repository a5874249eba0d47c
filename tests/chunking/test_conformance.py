import random
import string
from dataclasses import replace
from functools import cache
from itertools import count, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qdrant_embed.chunking import CHUNKERS, ChunkLimit
from qdrant_embed.chunking.code import GRAMMARS
from qdrant_embed.chunking.markdown import MarkdownChunker
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.testing.conformance import chunkers as suite
from qdrant_embed.testing.conformance.chunkers import check_chunker, check_text
from qdrant_embed.tokens import WordTokens
from qdrant_embed.types import Span

LIMITED = [name for name in CHUNKERS if name != "document"]
"""All but the one that leaves a document whole, however long."""

CUTTERS = ["markdown", "recursive", "sentences", "tokens", "text/x-python"]
"""Those that cut in ways of their own. The others leave it to one of these, or differ in a grammar."""

PAIRS = [
    *((make, "words") for make in [*CUTTERS, "auto", "code", *sorted(GRAMMARS.keys() - set(CUTTERS))]),
    *((make, counter) for make in CUTTERS for counter in ("minilm", "tiktoken")),
]

OF_ONE_COUNTER = {
    ("markdown", "tiktoken"), ("sentences", "tiktoken"), ("text/x-python", "tiktoken"),
    ("recursive", "minilm"), ("tokens", "tiktoken"),
}  # fmt: skip
"""Pairs that only generated texts are cut by: the whole suite goes over each way of cutting with one slow counter."""

OF_CODE = (
    "empty", "one giant word", "every line end", "lone surrogates", "markdown", "unclosed fence", "html", "python",
    "broken code", "emoji", "spaces", "prose",
)  # fmt: skip
"""Texts of the suite that grammars may find hard to parse."""

FRAGMENTS = [
    "The gates open at six. ", "word ", "，。", "港口的大门", "が開く。", "...", "!?", "e.g. ", "a" * 40, "QUJD/+9" * 9,
    "👩\u200d👩\u200d👧", "👍🏽", "🇩🇪", "e\u0301\u0323", "\u0301", "\u200b", "\udc80", "\x00",
    "\x1c", "\f", "\v", "\u2028", "\r\n", "\r", "\n", "\n\n", " ", "    ", "\t", "\u3000",
    "# Heading\n", "\n## Sub `code` { #id }\n", "\nSetext\n---\n", "===\n", "---\n", "```\n", "~~~py\n",
    "- item\n", "  1. deep\n", "> quote\n", "| a | b |\n|---|---|\n| 1 | 2 |\n", "<div>\n", "<!--", "-->",
    "def f(x):\n    return x\n", "class A {\n", "}\n", "/* ", " */", "'''", '"', "// note\n", "# note\n",
]  # fmt: skip
"""What texts are made of that break chunkers."""

TEXTS = st.one_of(
    st.lists(st.sampled_from(FRAGMENTS), max_size=60).map("".join),
    st.lists(st.sampled_from(FRAGMENTS), max_size=12).map(lambda parts: "".join(parts) * 6),
    st.text(st.characters(), max_size=120),
)


@st.composite
def limits(draw):
    tokens = draw(st.sampled_from([6, 7, 12, 30, 64, 256]))
    return ChunkLimit(tokens=tokens, overlap=draw(st.sampled_from([0, 1, tokens // 3, tokens // 2])))


@cache
def made(make, counter, limit):
    return make(counter, limit)


@pytest.mark.parametrize(("make", "counter"), [pair for pair in PAIRS if pair not in OF_ONE_COUNTER], indirect=True)
def test_every_chunker_with_its_counters(make, counter, request):
    # A limit works the same whatever counts or parses: the ways of cutting share them out. Who leaves it to another, or
    # differs in a grammar, gets what is hard to parse; generated texts are cut with other limits, and by slow counters.
    name = request.node.callspec.params["make"]
    limits, texts = suite.LIMITS[1:2], suite.TEXTS
    if name in CUTTERS[:4] and isinstance(counter, WordTokens):
        limits = [suite.LIMITS[at] for at in ((0, 3, 4), (1, 2, 5))[CUTTERS.index(name) % 2]]
    elif name not in CUTTERS:
        texts = {one: suite.TEXTS[one] for one in OF_CODE}
    check_chunker(make, counter, limits=limits, texts=texts)


@pytest.mark.parametrize(("make", "counter"), PAIRS, indirect=True)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=TEXTS, limit=limits())
def test_generated_texts(make, counter, text, limit):
    check_text(made(make, counter, limit), text, counter, limit)


@pytest.mark.parametrize("name", LIMITED)
def test_a_limit_of_one_token(name):
    limit = ChunkLimit(tokens=1)
    for text in ("The gates open at six.", "港口的大门早上六点打开。", "a" * 100, "# A\n\nb\n"):
        assert check_text(CHUNKERS.get(name)(WordTokens(), limit), text, WordTokens(), limit)


@pytest.mark.parametrize("name", LIMITED)
def test_a_text_that_fits_is_one_chunk(name):
    text = "\n\nThe gates open at six.\n\nThey close at ten.\n"
    chunker = CHUNKERS.get(name)(WordTokens(), ChunkLimit(tokens=64))
    assert [text[span.start : span.end] for span in chunker.spans(text)] == [text.strip()]


@pytest.mark.parametrize("name", LIMITED)
def test_overlap_repeats_the_end_of_the_chunk_before(name):
    words = " ".join(random.Random(1).choice(string.ascii_lowercase) * 4 for _ in range(600))
    limit = ChunkLimit(tokens=60, overlap=20)
    spans = check_text(CHUNKERS.get(name)(WordTokens(), limit), words, WordTokens(), limit)
    repeated = [WordTokens().count(words[b.start : a.end]) for a, b in pairwise(spans)]
    assert len(repeated) > 5
    assert all(5 <= count <= 20 for count in repeated)


# The suite itself: each fault is found.

LIMIT = ChunkLimit(tokens=24)
FAULTY_TEXT = "# Gates\n\n" + "The gates open at six, as ever. " * 20 + "The end\n\n"


class Faulty:
    """A chunker that is right but for what `spoil` makes of its spans."""

    def __init__(self, spoil, counter, limit=LIMIT):
        self._spoil = spoil
        self._chunker = MarkdownChunker(counter, limit)

    def spans(self, text):
        return self._spoil(list(self._chunker.spans(text)), text)


def moved(span, start=0, end=0):
    return replace(span, start=span.start + start, end=span.end + end)


FAULTS = {
    "outside": lambda spans, text: [*spans[:-1], moved(spans[-1], end=9)],
    "is blank": lambda spans, text: [*spans, Span(len(text) - 1, len(text))],
    "ends with white space": lambda spans, text: [*spans[:-1], moved(spans[-1], end=1)],
    "does not begin after": lambda spans, text: spans[::-1],
    "does not end after": lambda spans, text: [*spans, moved(spans[-1], start=1)],
    "overlaps": lambda spans, text: [spans[0], moved(spans[1], start=-3), *spans[2:]],
    "no span covers": lambda spans, text: [*spans[:1], *spans[2:]],
    "tokens where 24": lambda spans, text: [Span(spans[0].start, spans[2].end), *spans[3:]],
    "24 are allowed": lambda spans, text: [replace(one, context="far too long a context " * 9) for one in spans],
    "not a tuple": lambda spans, text: [replace(one, headings=[]) for one in spans],
    "not all text": lambda spans, text: [replace(one, headings=(1,)) for one in spans],
    "the context of": lambda spans, text: [replace(one, context=" ") for one in spans],
}


@pytest.mark.parametrize("message", FAULTS)
def test_the_suite_finds(message):
    with pytest.raises(AssertionError, match=message):
        check_text(Faulty(FAULTS[message], WordTokens()), FAULTY_TEXT, WordTokens(), LIMIT)


def test_the_suite_finds_chance():
    turns = count()
    chunker = Faulty(lambda spans, text: [replace(one, headings=(str(next(turns)),)) for one in spans], WordTokens())
    with pytest.raises(AssertionError, match="the second time"):
        check_text(chunker, FAULTY_TEXT, WordTokens(), LIMIT)


def test_the_suite_finds_what_is_remembered_from_text_to_text():
    seen = []

    def spoil(spans, text):
        seen.append(text)
        return [replace(one, headings=(seen[0][:5],)) for one in spans]

    def make(counter, limit):
        seen.clear()
        return Faulty(spoil, counter, limit)

    with pytest.raises(AssertionError, match="another chunker of its kind"):
        check_chunker(make, WordTokens())


def test_the_suite_names_text_and_limit():
    with pytest.raises(AssertionError, match=r"text 'one character', ChunkLimit\(tokens=8, overlap=0\)"):
        check_chunker(lambda counter, limit: Faulty(lambda spans, text: [], counter), WordTokens())


def test_the_suite_finds_an_overlap_that_reaches_too_far():
    spans = [Span(0, 10), Span(5, 20), Span(9, 30)]
    with pytest.raises(AssertionError, match="reaches beyond the chunk before"):
        suite.check_order(spans, ChunkLimit(tokens=24, overlap=8))
    suite.check_order([*spans[:2], Span(10, 30)], ChunkLimit(tokens=24, overlap=8))


def test_a_chunker_may_not_refuse_a_text_that_would_fit():
    def refuse(spans, text):
        raise ConfigurationError("no")

    with pytest.raises(AssertionError, match="refused"):
        check_text(Faulty(refuse, WordTokens()), "one two", WordTokens(), LIMIT)


@pytest.mark.parametrize("text", ["one two", "  # Title\n\nA word. 🏗\r\n\r\n", "x" * 5000, "    indented\n"])
def test_the_document_chunker_leaves_all_text_in_one_piece(text):
    (span,) = CHUNKERS.get("document")(WordTokens(), ChunkLimit(tokens=8)).spans(text)
    assert text[span.start : span.end].strip() == text.strip()
    assert text[: span.start].strip() == text[span.end :].strip() == ""


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_the_document_chunker_has_no_piece_of_a_blank_document(text):
    assert list(CHUNKERS.get("document")(WordTokens(), ChunkLimit(tokens=8)).spans(text)) == []
