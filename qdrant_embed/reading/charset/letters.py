"""How likely a text is in a language, in bits: pairs of letters for alphabets, ranks of characters for East Asia.

`letters.txt` has a line for each language. For an alphabet: its letters, and for every pair of them (a space, first,
stands for the end of a word) the bits that the second costs after the first, as one digit in base 36. For Chinese,
Japanese and Korean: the characters, the most frequent first.

The numbers are counts of pairs of letters over lists of words (of wordfreq, CC-BY-SA 4.0, and stopwords-iso, MIT),
rounded to whole bits; no text of these lists is in the file.
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from importlib.resources import files
from itertools import starmap
from math import log2

DIGITS = {digit: bits for bits, digit in enumerate("0123456789abcdefghijklmnopqrstuvwxyz")}

FOREIGN_LETTER = 13
OTHER_SCRIPT = 17
MIXED_SCRIPTS = 22
"""Bits for a letter that the alphabet lacks, for one of another script, and for one beside a letter of another."""

ODD_CAPITAL = 4
"""Bits for a capital inside a word, which code pages that have capitals where others have small letters give."""

ASCII_SIGN, CONTROL, UNASSIGNED = 5, 18, 24
COMMON_SIGNS = "“”‘’„–—…«»\xa0\N{NON-BREAKING HYPHEN}"
OPENING, CLOSING = "“‘„«¿¡£§‹", "”’»…°ªº²³™®‰›"
KNOWN_SIGNS = OPENING + CLOSING + "€·©½¼¾×±µ•†№·‚\xad"
INSIDE_WORDS = "’‘·\xad\N{NON-BREAKING HYPHEN}ʼ"
LETTERLIKE = frozenset("ªºµƒ")

EAST_ASIAN_SIGNS = frozenset("、。，「」『』！？：；（）《》【】・ー〜“”…—‘’々〇")
SCRIPT_STARTS = ((0x41, "Latin"), (0x370, "Greek"), (0x400, "Cyrillic"), (0x530, ""), (0x590, "Hebrew"),
                 (0x600, "Arabic"), (0x780, ""), (0xE00, "Thai"), (0xE80, ""), (0x1E00, "Latin"), (0x1F00, "Greek"),
                 (0x2000, ""))  # fmt: skip


TOKENS_KEPT = 4096
"""Pieces of text that are kept as pairs of letters from one alphabet to the next."""


class Alphabet:
    """A language that is written with letters."""

    def __init__(self, letters: str, costs: str) -> None:
        size = len(letters) + 1
        self._places = {letter: place for place, letter in enumerate(" " + letters)}
        self._costs = [DIGITS[digit] for digit in costs]
        self._size = size
        self._script = script_of(letters[-1])
        self._pair = cache(self._cost_of_pair)

    def cost(self, token: str) -> int:
        """Return the bits that a piece of text without spaces costs."""
        bits, pairs = _analyzed(token)
        return bits + sum(starmap(self._pair, pairs))

    def _cost_of_pair(self, first: str, second: str) -> int:
        places = self._places
        if first in places and second in places:
            return self._costs[places[first] * self._size + places[second]]
        if second == " ":
            return ASCII_SIGN
        script = script_of(second)
        if first != " " and script_of(first) != script:
            return MIXED_SCRIPTS
        return FOREIGN_LETTER if script == self._script else OTHER_SCRIPT


class Ideographs:
    """A language whose characters are counted by the thousand."""

    def __init__(self, characters: str) -> None:
        self._costs = {character: 1.6 + 1.15 * log2(rank + 8) for rank, character in enumerate(characters)}

    def cost(self, token: str) -> int:
        """Return the bits that a piece of text costs."""
        costs = self._costs
        bits, before = 0.0, ""
        for character in token:
            if character not in costs:
                costs[character] = self._unlisted(character)
            bits += costs[character]
            half_width = "\uff66" <= character <= "\uff9f"
            if half_width and not "\uff66" <= before <= "\uff9f":
                bits += ASCII_SIGN
            if before and (before < "\x80") != (character < "\x80") and (before + character).isalpha():
                bits += ASCII_SIGN
            before = character
        return round(bits)

    @staticmethod
    def _unlisted(character: str) -> float:
        code = ord(character)
        if code < 0x80:
            return ASCII_SIGN
        if character in EAST_ASIAN_SIGNS:
            return 7.0
        for first, last, bits in (
            (0x4E00, 0x9FFF, 16), (0x3040, 0x30FF, 12), (0xFF66, 0xFF9F, 6.5), (0xFF01, 0xFF5E, 11),
            (0xAC00, 0xD7A3, 16), (0x2010, 0x266F, 15), (0x3000, 0x303F, 13), (0x80, 0x9F, CONTROL),
        ):  # fmt: skip
            if first <= code <= last:
                return bits
        return UNASSIGNED if unicodedata.category(character) in ("Co", "Cn", "Cc", "Cs") else 20


@lru_cache(maxsize=TOKENS_KEPT)
def _analyzed(token: str) -> tuple[int, list[tuple[str, str]]]:
    """Return what a piece of text costs in every alphabet alike, and the pairs of letters that cost in each its own."""
    bits, pairs, before, previous = 0, [], " ", " "
    for place, character in enumerate(token):
        if is_letter(character):
            low = character.lower()[:1]
            pairs.append((before, low))
            if character != low and previous != previous.upper():
                bits += ODD_CAPITAL
            before = low
        else:
            if before != " ":
                pairs.append((before, " "))
            bits += sign_cost(character, previous, token[place + 1 : place + 2])
            before = " "
        previous = character
    if before != " ":
        pairs.append((before, " "))
    return bits, pairs


@cache
def is_letter(character: str) -> bool:
    """Tell whether a character is part of a word: a letter, or a mark that stands on one."""
    if character < "\x80":
        return character.isalpha()
    return (character not in LETTERLIKE and unicodedata.category(character)[0] in "LM") or character == "\u200c"


def sign_cost(sign: str, before: str, after: str) -> int:
    """Return the bits of a character that is no letter, which depend on whether it stands where such signs do."""
    if sign < "\x80":
        return ASCII_SIGN
    inside = is_letter(before) and bool(after) and is_letter(after)
    if sign in COMMON_SIGNS or sign in KNOWN_SIGNS:
        bits = 6 if sign in COMMON_SIGNS else 8
        if inside:
            return bits if sign in INSIDE_WORDS else bits + 8
        misplaced = (sign in OPENING and (before.isalnum() or not after)) or (sign in CLOSING and after.isalnum())
        return bits + 4 * misplaced
    category = unicodedata.category(sign)
    if is_frame(sign):
        return 8 + 8 * (not (is_frame(before) or is_frame(after)))
    bits = CONTROL if category == "Cc" else UNASSIGNED if category in ("Co", "Cn") or sign == "\ufffd" else 12
    return bits + 8 * inside


def is_frame(sign: str) -> bool:
    """Tell whether a character draws the frame of a table, as programs of DOS do."""
    return "\u2500" <= sign <= "\u25a0"


@cache
def script_of(letter: str) -> str:
    """Return the script of a letter, empty for one that is not among those of the alphabets here."""
    code = ord(letter)
    found = ""
    for start, script in SCRIPT_STARTS:
        if code < start:
            break
        found = script
    return found


@cache
def languages() -> dict[str, Alphabet | Ideographs]:
    """Return the languages that are known, by code."""
    known: dict[str, Alphabet | Ideographs] = {}
    for line in files(__package__).joinpath("letters.txt").read_text(encoding="utf-8").splitlines():
        code, letters, *costs = line.split("\t")
        known[code] = Alphabet(letters, costs[0]) if costs else Ideographs(letters)
    return known
