r"""Conformance suite for chunkers: what every `Chunker` must do with every text.

    from qdrant_embed.testing import check_chunker
    from qdrant_embed.tokens import WordTokens

    def test_my_chunker():
        check_chunker(MyChunker, WordTokens())          # a class, or any function (counter, limit) -> chunker

Plain functions that assert; `check_chunker` goes through hard texts and limits, `check_text` looks at one text, for
texts of your own or generated ones.
"""
# ruff: noqa: S101  (asserting is what this module is for)

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from qdrant_embed.chunking import Chunker, ChunkLimit
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.tokens import TokenCounter
from qdrant_embed.types import Span, join_context

ChunkerFactory = Callable[[TokenCounter, ChunkLimit], Chunker]

LIMITS = (
    ChunkLimit(tokens=8),
    ChunkLimit(tokens=9, overlap=4),
    ChunkLimit(tokens=64),
    ChunkLimit(tokens=64, overlap=16),
    ChunkLimit(tokens=256),
    ChunkLimit(tokens=256, overlap=100),
)
"""Tiny, usual and large ones, with and without overlap."""

_PROSE = (
    "The gates open at six. Dr. Ahab, e.g. in winter, opens them at 6.30 a.m.; nobody minds. “Do they close?” "
    "They close at ten (at the latest!) and nobody is let in after that… Why? Because the harbour master sleeps.\n"
)
_BLOB = base64.b64encode(b"".join(hashlib.sha256(bytes([number])).digest() for number in range(32))).decode()

TEXTS: Mapping[str, str] = {
    "empty": "",
    "white space": " \n\t\r\n \u3000\u2028\f ",
    "one character": "a",
    "prose": _PROSE * 8,
    "paragraphs": f"{_PROSE}\n".join(f"Day {number}.\n\n" for number in range(6)),
    "no sentence marks": "the gates of the harbour open at six in the morning and close at ten at night " * 15,
    "chinese": "港口的大门早上六点打开，晚上十点关闭。钥匙由港务长保管；每九十天更换一次！丢失的钥匙须在一小时内报告。"
    * 6,
    "japanese, no marks": "港の門は朝六時に開き夜十時に閉まる鍵は港長が保管し九十日ごとに交換する" * 9,
    "thai": "ประตูท่าเรือเปิดเวลาหกโมงเช้าและปิดเวลาสี่ทุ่ม" * 8,
    "arabic": "تفتح البوابات في السادسة صباحًا. هل تغلق في العاشرة ليلًا؟ نعم، دائمًا۔ " * 7,
    "hindi": "बंदरगाह के द्वार सुबह छह बजे खुलते हैं। रात दस बजे बंद होते हैं॥ " * 7,
    "emoji": "👩‍👩‍👧‍👦👍🏽🏴󠁧󠁢󠁳󠁣󠁴󠁿🇩🇪🇫🇷❤️‍🔥 go 🧑🏿‍🚀! " * 6,
    "emoji, no space": "👨‍👩‍👧‍👦🏳️‍🌈🤦🏼‍♂️🇯🇵" * 10,
    "one giant word": "harbour" * 400,
    "one giant letter": "a" + "\u0301" * 400,
    "base64": _BLOB,
    "base64 in prose": f"{_PROSE}\ndata:image/png;base64,{_BLOB}\n\n{_PROSE}",
    "windows line ends": (_PROSE.replace("\n", "\r\n\r\n") + "- one\r\n- two\r\n\r\n# Three\r\n") * 5,
    "old mac line ends": (_PROSE.replace("\n", "\r\r") + "# Three\rfour\r") * 5,
    "every line end": "".join(f"line {ord(end)}{end}" for end in "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029" * 5),
    "pages": "\f".join([_PROSE] * 6) + "\f\f\f",
    "control characters": "a\x00b\x01c\x07\x1b[31mred\x1b[0m \x7f\x80\ufeff\u200b\u2060 end. " * 8,
    "invisible only": "\u200b\u200d\ufeff\x00" * 50,
    "lone surrogates": "bad \udc80\ud83d bytes. And \ude00\ud83d more\n\n" * 8,
    "combining marks": "e\u0301a\u0308\u0323o\u0302\u0303n\u0303 Z\u0351\u036b\u0343\u036a\u0302a\u0306l\u0310go. " * 8,
    "hangul jamo": "\u1112\u1161\u11ab\u1100\u1173\u11af " * 25,
    "marks": "." * 300 + "!?" * 100 + " " + "-" * 200 + "\n" + "=" * 100 + "\n" + ". " * 100,
    "spaces": f"one{' ' * 800}two{' ' * 800}\n{' ' * 500}three",
    "markdown": (
        "---\ntitle: Keys\ntags: [a, b]\n---\n\nPreface.\n\n# Keys\n\n## Rotation { #rotation }\n\n" + _PROSE + "\n"
        "Loss\n----\n\n" + _PROSE + "\n### Deep\n#### Deeper\n##### Deepest *ever*\n\ntext\n\nTop\n===\n\n" + _PROSE
    ),
    "table": "# Table\n\n| a | b |\n|---|---|\n" + "".join(f"| row {n} | {_PROSE.strip()} |\n" for n in range(6)),
    "lists": "".join(f"{'  ' * (n % 12)}- item {n}\n\n{'  ' * (n % 12)}  more of it.\n" for n in range(30)),
    "unclosed fence": "# Code\n\n```python\n" + "def f(x):\n    return [\n        x,\n    ]\n\n\n" * 12,
    "fences": ("## Code\n\n~~~\n# no heading\n~~~\n\n    # nor this\n\n> # quoted\n> text\n\n```\n\n```\n\n---\n") * 5,
    "long headings": f"# {_PROSE.strip() * 3}\n\n## {'Long' * 60}\n\n{_PROSE}\n" * 3,
    "headings only": "".join(f"{'#' * (1 + n % 6)} Heading {n}\n" for n in range(30)) + "# \n#\n",
    "front matter only": "---\na: 1\n---",
    "html": "<div>\n<!-- a comment\n\n# not closed -->\n<pre>\n\n</pre>\n\n<b>x</b>\n" * 4,
    "python": (
        "import os\n\n\nclass Crane:\n    '''Lifts.'''\n\n    def lift(self, tons: int) -> int:\n"
        "        return sum(range(tons)) if tons < 12 else max(12, *[n * 2 for n in range(tons)])\n\n\n"
    )
    * 4,
    "broken code": 'def f(:\n  class {{{ ][ fn main() { let x = "' * 12,
}
"""Texts that have broken chunkers, by what is hard about them."""


def check_chunker(
    make: ChunkerFactory,
    counter: TokenCounter,
    *,
    limits: Sequence[ChunkLimit] = LIMITS,
    texts: Mapping[str, str] = TEXTS,
) -> None:
    """Assert everything that a chunker promises, for every text and limit.

    :param make: What builds the chunker from a counter and a limit.
    """
    for limit in limits:
        chunker, found = make(counter, limit), {}
        for name, text in texts.items():
            try:
                found[name] = _checked(chunker, text, counter, limit)
            except AssertionError as error:
                raise AssertionError(f"text {name!r}, {limit}: {error}") from error
        # Another one of its kind, and another order: nothing may be remembered from text to text.
        other = make(counter, limit)
        for name, text in reversed(list(texts.items())):
            again = _checked(other, text, counter, limit)
            assert again == found[name], f"text {name!r}, {limit}: another chunker of its kind cuts it differently"


def check_text(chunker: Chunker, text: str, counter: TokenCounter, limit: ChunkLimit) -> list[Span]:
    """Assert everything that a chunker promises, for one text; return its spans for further questions.

    A text with a character that alone has more tokens than the limit leaves beside its overlap may be refused with a
    `ConfigurationError`, and no other text; it has no spans then.

    :param counter: What the chunker counts with.
    :param limit: What the chunker was made for.
    """
    spans = _checked(chunker, text, counter, limit)
    assert _checked(chunker, text, counter, limit) == spans, "the same text was cut differently the second time"
    return spans


def _checked(chunker: Chunker, text: str, counter: TokenCounter, limit: ChunkLimit) -> list[Span]:
    try:
        spans = list(chunker.spans(text))
    except ConfigurationError:
        most = max(counter.count_batch(sorted(set(text))), default=0)
        assert most > limit.tokens - limit.overlap, "a text was refused though each of its characters would fit"
        return []
    check_offsets(spans, text)
    check_order(spans, limit)
    check_coverage(spans, text)
    check_limit(spans, text, counter, limit)
    check_headings(spans)
    return spans


def check_offsets(spans: Sequence[Span], text: str) -> None:
    """Require spans within the text that hold more than white space, and do not end with any."""
    for span in spans:
        assert 0 <= span.start < span.end <= len(text), f"{_at(span)} lies outside the text of {len(text)} characters"
        part = text[span.start : span.end]
        assert part.strip(), f"{_at(span)} is blank: {part!r}"
        assert part == part.rstrip(), f"{_at(span)} ends with white space: {part[-20:]!r}"


def check_order(spans: Sequence[Span], limit: ChunkLimit) -> None:
    """Require spans in order, apart from each other, or with overlap not reaching beyond the chunk before."""
    for before, after in pairwise(spans):
        assert before.start < after.start, f"{_at(after)} does not begin after {_at(before)}"
        assert before.end < after.end, f"{_at(after)} does not end after {_at(before)}"
        if not limit.overlap:
            assert before.end <= after.start, f"{_at(after)} overlaps {_at(before)}, and no overlap was asked for"
    for first, third in zip(spans, spans[2:], strict=False):
        assert first.end <= third.start, (
            f"the overlap of {_at(third)} reaches beyond the chunk before it, into {_at(first)}"
        )


def check_coverage(spans: Sequence[Span], text: str) -> None:
    """Require every character that is not white space in some span."""
    place = 0
    for start, end in [*((span.start, span.end) for span in spans), (len(text), len(text))]:
        gap = text[place:start]
        assert not gap.strip(), f"no span covers {gap.strip()[:40]!r} between {place} and {start}"
        place = max(place, end)


def check_limit(spans: Sequence[Span], text: str, counter: TokenCounter, limit: ChunkLimit) -> None:
    """Require context and text together within the limit, counted exactly."""
    counts = counter.count_batch([join_context(span.context, text[span.start : span.end]) for span in spans])
    for span, count in zip(spans, counts, strict=True):
        assert count <= limit.tokens, f"{_at(span)} has {count} tokens where {limit.tokens} are allowed"


def check_headings(spans: Sequence[Span]) -> None:
    """Require headings as a tuple of words, and a context that is empty or says something."""
    for span in spans:
        assert isinstance(span.headings, tuple), f"headings of {_at(span)} are not a tuple"
        assert all(isinstance(title, str) for title in span.headings), f"headings of {_at(span)} are not all text"
        assert not span.context or span.context.strip(), f"the context of {_at(span)} is blank"


def _at(span: Span) -> str:
    return f"the span [{span.start}, {span.end})"
