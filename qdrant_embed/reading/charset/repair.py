"""UTF-8 with damage: broken bytes, lines of another encoding, surrogates that were encoded one by one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from qdrant_embed.reading.charset.codepages import MULTI_BYTE
from qdrant_embed.reading.charset.detection import SEPARATORS, Guess, detect, text_bits

SURROGATE_PAIR = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")
LONE_SURROGATE = re.compile("\udced[\udca0-\udcbf][\udc80-\udcbf]")
BROKEN = re.compile("[\udc80-\udcff]")
BROKEN_RUN = re.compile("[\udc80-\udcff]+")
WHOLE = re.compile("[\x80-\ud7ff\ue000-\U0010ffff]")
TOKEN = re.compile(f"[^{SEPARATORS}]+")
COMPARED_LINES = 2000

WHOLE_FOR_ONE_BROKEN = 9
"""So many sequences that are whole to one that is broken: in another encoding they are rarer by chance."""
BITS_OF_A_CHARACTER, BITS_OF_A_BYTE = 8, 12
"""What costs more in another encoding, in all or by the bytes that are not UTF-8, is no word of it, but damage."""

FEWEST_LETTERS, FEWEST_BROKEN, RAREST = 3, 6, 6
"""Less than this is no sign of another encoding, or of none but the usual ones."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """UTF-8 that had damage.

    :param lost: Bytes that stand as U+FFFD.
    :param lines: Lines, or parts of lines, that were read in another encoding, `name`.
    """

    text: str
    lost: int = 0
    lines: int = 0
    name: str = ""


def repair_utf8(data: bytes, *, beyond_doubt: bool = False) -> Repaired | None:
    """Return the text of UTF-8 with damage; None if the bytes are of another encoding altogether.

    :param beyond_doubt: None as well where only the words tell that it is UTF-8, and not the number of its sequences.
    """
    lines = joined_surrogates(data).decode("utf-8", errors="surrogateescape").split("\n")
    lone = _replace_lone_surrogates(lines)
    bad = [line for line in lines if BROKEN.search(line)]
    good = [line for line in lines if not line.isascii() and not BROKEN.search(line)]
    if not (bad or beyond_doubt):
        return Repaired("\n".join(lines), lost=3 * lone)
    broken = sum(len(BROKEN_RUN.findall(line)) for line in bad)
    whole = sum(len(WHOLE.findall(line)) for line in (*good, *bad))
    foreign = [line for line in bad if _is_foreign(line)] or [
        token for line in bad for token in TOKEN.findall(line) if BROKEN.search(token) and not WHOLE.search(token)
    ]
    guess = detect(_bytes("\n".join(foreign))) if sum(map(len, foreign)) >= FEWEST_LETTERS else None
    if guess and guess.page.rarity > RAREST and broken < FEWEST_BROKEN:
        guess = None
    if whole <= WHOLE_FOR_ONE_BROKEN * broken and (beyond_doubt or not _stands_better(good[:COMPARED_LINES], guess)):
        return None
    return _mended(lines, guess, lost=3 * lone)


def joined_surrogates(data: bytes) -> bytes:
    """Return UTF-8 for what writes a character beyond U+FFFF as two surrogates, and NUL as two bytes (CESU-8)."""
    return SURROGATE_PAIR.sub(_joined, data).replace(b"\xc0\x80", b"\0")


def _replace_lone_surrogates(lines: list[str]) -> int:
    """Put U+FFFD for surrogates where nothing else is broken, which tells them from letters of another encoding.

    :return: How many there were.
    """
    count = 0
    for place, line in enumerate(lines):
        replaced, found = LONE_SURROGATE.subn("\ufffd", line)
        if found and not BROKEN.search(replaced):
            lines[place] = replaced
            count += found
    return count


def _is_foreign(line: str) -> bool:
    return len(WHOLE.findall(line)) < len(BROKEN.findall(line))


def _stands_better(good: list[str], guess: Guess | None) -> bool:
    """Tell whether the lines that are UTF-8 are better words in it than in the encoding of the other lines."""
    if not good or guess is None:
        return bool(good)
    text = "\n".join(good)
    return text_bits(text) < text_bits(_bytes(text).decode(guess.page.codec, errors="replace"))


def _mended(lines: list[str], guess: Guess | None, lost: int) -> Repaired:
    read_otherwise = 0
    for place, line in enumerate(lines):
        if not BROKEN.search(line):
            continue
        mended = _in_encoding(line, guess) if guess else line
        read_otherwise += mended != line
        lost += len(BROKEN.findall(mended))
        lines[place] = BROKEN_RUN.sub("\ufffd", mended)
    return Repaired("\n".join(lines), lost, read_otherwise, guess.page.name if guess and read_otherwise else "")


def _in_encoding(line: str, guess: Guess) -> str:
    """Return a line with those of its words decoded that are words in the encoding; the whole of it for East Asia."""
    codec = guess.page.codec
    if codec in MULTI_BYTE:
        return _word(line, codec) if _is_foreign(line) else line
    return TOKEN.sub(lambda token: _word(token[0], codec) if BROKEN.search(token[0]) else token[0], line)


def _word(text: str, codec: str) -> str:
    decoded = _bytes(text).decode(codec, errors="replace")
    bits, without = text_bits(decoded), text_bits(BROKEN.sub("", text), plain_too=True)
    broken = len(BROKEN.findall(text))
    dear = bits > BITS_OF_A_CHARACTER * (len(decoded) + broken) or bits - without > BITS_OF_A_BYTE * broken
    return text if dear or "\ufffd" in decoded else decoded


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", errors="surrogateescape")


def _joined(pair: re.Match[bytes]) -> bytes:
    return pair[0].decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass").decode("utf-16-le").encode()
