"""The words of a text, in every script: what BM25 counts, and what results mark.

Where a script puts spaces between words, a word is letters, digits and the marks that belong to them (vowel signs of
Indic scripts, points of Hebrew, a combining accent). Where it does not (Chinese, Japanese, Thai, Lao, Khmer, Burmese
…), or where endings grow onto words (Korean), each two neighboring characters are a term, as Lucene's CJK analyzer and
many stores have it: no dictionary is needed, and a word is found wherever it stands.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import regex

_JOINERS = "\u00ad\u034f\u200c\u200d\u2060\ufeff"
"""Characters inside words that stand for no letter: soft hyphens, joiners."""
_POINTS = re.compile(
    "[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]"
)
"""Points of Hebrew, vowels and the stretching stroke of Arabic: most writers leave them out."""
_SPACELESS = (
    r"[[\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Hangul}\p{Yi}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tai_Le}"
    r"\p{New_Tai_Lue}\p{Tai_Tham}\p{Tai_Viet}\p{Javanese}\p{Balinese}\u3099-\u309c\u30fc\uff70\uff9e\uff9f]&&[\p{Alphabetic}\p{M}\u0e2f\u0e46]]"
)
_ASCII_WORD = re.compile(r"[0-9a-z]+")
_GRAPHEME = regex.compile(r"\X")


@dataclass(frozen=True, slots=True)
class Term:
    """A word, or two neighboring characters of a script without spaces, and where it stands in the text.

    :param text: In the form in which it is counted: lower case, compatibility forms and digits made plain.
    """

    text: str
    start: int
    end: int


def split(text: str, *, singles: bool = False) -> Iterator[Term]:
    """Yield the terms of a text in order; questions and documents are split alike.

    :param singles: Also yield each single character of scripts without spaces, which documents need so that a question
        of one character finds them. Without it, only a character that stands alone is a term of its own.
    """
    for found in _patterns().finditer(text):
        start, end = found.span()
        if found.lastgroup == "word":
            normal = normalized(found.group())
            if normal:
                yield Term(normal, start, end)
        else:
            yield from _pairs(found.group(), start, singles=singles)


def lowered_by(language: str, text: str) -> str:
    """Return a text with those capitals made small, one by one, that a language makes small in its own way."""
    return text.translate(_TURKISH) if language in _WITH_DOTLESS_I else text


_WITH_DOTLESS_I = ("turkish", "tr", "azerbaijani", "az")
_TURKISH = str.maketrans("Iİ", "ıi")


def terms_of(text: str, *, singles: bool = False) -> list[str]:
    """Return the texts of the terms of a text, as `split` does, in order."""
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    return [term.text for term in split(text, singles=singles)]


def normalized(word: str) -> str:
    """Return the form in which a word is counted: lower case, no points, composed, digits of all scripts as ASCII."""
    if word.isascii():
        return word.lower()
    plain = unicodedata.normalize("NFKC", word)
    if not all(map(_in_words, plain)):
        # The compatibility form has what is no part of a word: the stroke of ½, the brackets of ⑴.
        plain = unicodedata.normalize("NFC", word)
    plain = plain.lower().replace("i\u0307", "i").replace("ß", "ss")
    plain = _POINTS.sub("", plain.translate(_NO_JOINERS))
    return "".join(str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in plain)


def _in_words(letter: str) -> bool:
    return letter.isalnum() or letter in _JOINERS or unicodedata.category(letter)[0] == "M"


_NO_JOINERS = dict.fromkeys(map(ord, _JOINERS))


def _pairs(run: str, offset: int, *, singles: bool) -> Iterator[Term]:
    """Yield each two neighboring characters, letters with their marks, of a run; a run of one is a term itself."""
    units = [(normalized(unit.group()), unit.start() + offset, unit.end() + offset) for unit in _GRAPHEME.finditer(run)]
    kept = [unit for unit in units if unit[0]]
    if singles or len(kept) == 1:
        yield from (Term(*unit) for unit in kept)
    for (left, start, _), (right, _, end) in pairwise(kept):
        yield Term(left + right, start, end)


@lru_cache(maxsize=1)
def _patterns() -> Any:
    mark = rf"[\p{{M}}{_JOINERS}]"
    letter = rf"[[\p{{Alphabetic}}\p{{N}}]--{_SPACELESS}]"
    return regex.compile(rf"(?V1)(?P<run>{_SPACELESS}(?:{_SPACELESS}|{mark})*)|(?P<word>{letter}(?:{letter}|{mark})*)")
