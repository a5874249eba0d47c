"""Which encoding bytes are in that are not UTF-8: the one in which they cost the fewest bits as words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import mul

from qdrant_embed.reading.charset.codepages import CODE_PAGES, EVERY_ALPHABET, CodePage
from qdrant_embed.reading.charset.letters import languages

HIGH = re.compile(rb"[\x80-\xff]")
SEPARATORS = r"\x00-\x2f:-?"
"""What stands between words, signs of markup among it; none is the second byte of an East Asian character."""
_PARTED = SEPARATORS.encode()
REST_OF_TOKEN = re.compile(rb"[^%b]{0,200}" % _PARTED)
SPACE = re.compile(rb"[%b]" % _PARTED)
WORD_BEFORE = re.compile(rb"(?<![^%b])[A-Za-z]{1,20}[ ,]{1,2}\Z" % _PARTED)
WORD_AFTER = re.compile(rb"[ ,]{1,2}([A-Za-z]{1,20}+)(?![^%b])" % _PARTED)
LONGEST_START = 40

BLOCKS, TOKENS_OF_A_BLOCK = 64, 60
"""A file is looked at in so many places, evenly spread: all of it when it has few letters beyond ASCII."""
FIRST_LOOK, SECOND_LOOK = 60, 400
"""Tokens by which all code pages are compared, and then those that are near the best."""
NEAR = 1.35

OTHER_LANGUAGE = 7
"""Bits for a word of another language than that of the text."""
DAMAGE_OF_THOUSAND = 20
"""Share of bytes beyond ASCII that may be wrong in a code page, and it is still that code page with some damage."""
TRUST = 60
CLEARLY_BETTER = 0.75
"""Bits by which a declared encoding may do worse than another one and be believed all the same, and the share."""
BITS_OF_A_BYTE = 6
"""Words cost no more than that in the encoding that they are in."""
MOST_COUNTED = 3
"""Times that a piece counts, however often it came."""


@dataclass(frozen=True, slots=True)
class Guess:
    """An encoding and what the sample costs in it, in bits."""

    page: CodePage
    bits: int


def detect(data: bytes, declared: str = "") -> Guess | None:
    """Tell the encoding of a text that is not UTF-8; None if there is none in which it makes sense.

    :param declared: The codec that the file names; it is taken unless another one does much better.
    """
    sample = _sample(data)
    pages = [page for page in CODE_PAGES if page.codec != declared]
    ranked = _ranked(sample, pages, FIRST_LOOK)
    if len(sample) > FIRST_LOOK and ranked:
        limit = ranked[0].bits * NEAR + TRUST
        ranked = _ranked(sample, [guess.page for guess in ranked if guess.bits <= limit], SECOND_LOOK)
    best = next((guess for guess in ranked if _damage(data, guess.page.codec) <= DAMAGE_OF_THOUSAND), None)
    if declared and _damage(data, declared) <= DAMAGE_OF_THOUSAND:
        unknown = CodePage(declared, declared, 0, (*EVERY_ALPHABET, "zh-Hans", "zh-Hant", "ja", "ko"))
        page = next((page for page in CODE_PAGES if page.codec == declared), unknown)
        named = next(iter(_ranked(sample, [page], SECOND_LOOK)), None)
        if best is None or named is None or not _overrules(best, named, sample):
            return named or Guess(page, 0)
    return best


def _overrules(other: Guess, named: Guess, sample: list[tuple[bytes, int]]) -> bool:
    """Tell whether another encoding is to be taken than the one that is declared.

    A list of letters or signs costs as much in one as in the other by chance; in a small sample it must be words.
    """
    size = sum(len(token) * min(count, MOST_COUNTED) for token, count in sample)
    is_words = len(sample) > FIRST_LOOK or other.bits <= BITS_OF_A_BYTE * size
    return is_words and other.bits + TRUST < named.bits and other.bits < CLEARLY_BETTER * named.bits


def text_bits(text: str, *, plain_too: bool = False) -> int:
    """Return the bits that the words of a text cost in the likeliest language; those of ASCII alone if `plain_too`."""
    tokens = Counter(token for token in text.split() if plain_too or not token.isascii())
    return _Costs().least(tokens.most_common(SECOND_LOOK), languages())


def _ranked(sample: list[tuple[bytes, int]], pages: Iterable[CodePage], tokens: int) -> list[Guess]:
    part = sample[:: max(1, len(sample) // tokens)][:tokens]
    costs = _Costs()
    guesses = [Guess(page, bits) for page in pages if (bits := _bits(part, page, costs)) is not None]
    return sorted(guesses, key=lambda guess: guess.bits)


def _bits(sample: list[tuple[bytes, int]], page: CodePage, costs: _Costs) -> int | None:
    """Return what the sample costs in a code page; None if too much of it is none of its characters."""
    tokens = [(_decoded(token, page.codec), count) for token, count in sample]
    broken = sum(text.count("\ufffd") * count for text, count in tokens)
    if broken * 12 > sum(len(text) * count for text, count in tokens):
        return None
    return page.rarity + costs.least(tokens, page.languages)


class _Costs:
    """What pieces of text cost in each language; many code pages give the same ones."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], int] = {}

    def least(self, tokens: list[tuple[str, int]], codes: Iterable[str]) -> int:
        """Return the bits of all pieces in the likeliest language, with some words of others among them."""
        rows = [[self._cost(code, text) for text, _ in tokens] for code in codes]
        foreign = [min(column) + OTHER_LANGUAGE for column in zip(*rows, strict=True)]
        counts = [min(count, MOST_COUNTED) for _, count in tokens]
        sums = (sum(map(mul, map(min, row, foreign), counts)) for row in rows)
        return min(sums, default=0)

    def _cost(self, code: str, text: str) -> int:
        key = (code, text)
        if key not in self._known:
            self._known[key] = languages()[code].cost(text)
        return self._known[key]


def _decoded(token: bytes, codec: str) -> str:
    text = token.decode(codec, errors="replace")
    return unicodedata.normalize("NFC", text) if codec == "cp1258" else text


def _damage(data: bytes, codec: str) -> int:
    """Return how many of a thousand bytes beyond ASCII do not decode, 0 if all do."""
    try:
        data.decode(codec)
    except UnicodeDecodeError:
        broken = data.decode(codec, errors="replace").count("\ufffd")
        return -(-1000 * broken // max(1, len(data) - len(HIGH.sub(b"", data))))
    return 0


def _sample(data: bytes) -> list[tuple[bytes, int]]:
    """Return pieces that hold bytes beyond ASCII, with the plain words beside them, and how often each came."""
    size = max(4096, -(-len(data) // BLOCKS))
    found: Counter[bytes] = Counter()
    for start in range(0, len(data), size):
        first = SPACE.search(data, start, start + size) if start else None
        if start and first is None:
            continue
        begin = first.end() if first else 0
        found.update(_tokens(data, begin, min(start + size, len(data))))
    return list(found.items())


def _tokens(data: bytes, begin: int, end: int) -> Iterator[bytes]:
    place = begin
    for _ in range(TOKENS_OF_A_BLOCK):
        high = HIGH.search(data, place, end)
        if high is None:
            return
        lowest = max(place, high.start() - LONGEST_START)
        start = max((space.end() for space in SPACE.finditer(data, lowest, high.start())), default=lowest)
        token = REST_OF_TOKEN.match(data, start)
        place = token.end() if token else high.end()
        yield data[start:place]
        if before := WORD_BEFORE.search(data, max(begin, start - 22), start):
            yield before[0].strip(b" ,")
        if after := WORD_AFTER.match(data, place):
            yield after[1]
        if place - start >= 200 and (space := SPACE.search(data, place, end)):
            place = space.end()
