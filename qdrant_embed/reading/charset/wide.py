"""UTF-16 and UTF-32 without a mark, and UTF-16 in a file with other bytes."""

from __future__ import annotations

import re
from collections import Counter

from qdrant_embed.reading.charset.detection import text_bits

CONTROL = re.compile(rb"[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f]")
"""Control characters that texts do not have; ESC is left out since logs have it, backspace since manual pages have."""
SAMPLE, WORDS_SAMPLE = 2**16, 2**10
FIRST_PRINTED = 0x20
"""First byte that texts of single bytes have; the alphabets of UTF-16 are below it, so that their texts have none."""
BETWEEN_LETTERS = b"\t\n\r"
"""First bytes of Indic scripts that stand, in a text of single bytes, between letters in a row or a column."""
SPACE_OR_SIGN = re.compile("[\t\n\r -~]")
BITS_OF_WORDS = 11
"""Characters of real words cost fewer bits each; bytes that are paired by chance, more."""

PLAUSIBLE = re.compile(
    "[\t\n\r -~\xa0-\u06ff\u0900-\u0eff\u10a0-\u10ff\u1e00-\u206f\u20a0-\u20cf\u2100-\u22ff\u2500-\u25ff"
    "\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7a3\ufe70-\ufefc\uff01-\uffef\U0001f300-\U0001faff]"
)
LITTLE_RUN = re.compile(rb"(?:[\t\n\r -~\xa0-\xff]\0){4,}")
BIG_RUN = re.compile(rb"(?:\0[\t\n\r -~\xa0-\xff]){4,}")
NARROW_RUN = re.compile(rb"[\t\n\r -~]{24,}(?!\0)")
WORDS = re.compile(rb"[A-Za-z ]")


def wide_encoding(data: bytes) -> str:
    """Recognize UTF-16 and UTF-32 without a mark; empty if it is neither.

    Most texts show it by zeros: every second byte, or three of four. Others are told by their words.
    """
    sample = data[:SAMPLE]
    by_zeros = _by_zeros(sample[: len(sample) // 4 * 4])
    if by_zeros or len(sample) < 4 or (_is_utf8(sample) and b"\0" not in sample and not _odd_as_bytes(sample)):
        return by_zeros
    bits = {encoding: _bits_of_a_character(sample[:WORDS_SAMPLE], encoding) for encoding in ("utf-16-le", "utf-16-be")}
    best = min(bits, key=lambda encoding: bits[encoding])
    return best if bits[best] < BITS_OF_WORDS else ""


def _by_zeros(sample: bytes) -> str:
    quarters = [sample[place::4] for place in range(4)]
    zeros = [quarter.count(0) / max(1, len(quarter)) for quarter in quarters]
    if zeros[3] == 1 and zeros[2] > 0.9 and zeros[0] < 0.3:
        return "utf-32-le"
    if zeros[0] == 1 and zeros[1] > 0.9 and zeros[3] < 0.3:
        return "utf-32-be"
    for first, encoding in ((0, "utf-16-be"), (1, "utf-16-le")):
        if zeros[first] > 0.4 and zeros[first + 2] > 0.4 and _bits_of_a_character(sample, encoding) < BITS_OF_WORDS:
            return encoding
    return ""


def narrowed(data: bytes) -> bytes:
    """Return bytes with the pieces that are UTF-16 as UTF-8: some programs append to a log in their own encoding."""
    if b"\0" not in data:
        return data
    data = LITTLE_RUN.sub(lambda run: run[0].decode("utf-16-le").encode(), data)
    return BIG_RUN.sub(lambda run: run[0].decode("utf-16-be").encode(), data)


def widened(data: bytes, encoding: str) -> bytes:
    """Return UTF-16 whose pieces of plain text in single bytes, appended by another program, are UTF-16 too."""

    def wide(run: re.Match[bytes]) -> bytes:
        words = len(WORDS.findall(run[0])) > 0.8 * len(run[0]) and b" " in run[0]
        return run[0].decode("ascii").encode(encoding) if words else run[0]

    return NARROW_RUN.sub(wide, data)


def _odd_as_bytes(sample: bytes) -> bool:
    rest = sample.replace(b"\0", b"")
    return len(CONTROL.findall(rest)) * 50 > len(rest)


def _plausible(sample: bytes, encoding: str) -> bool:
    text = sample[: len(sample) // 2 * 2].decode(encoding, errors="replace")
    return len(PLAUSIBLE.findall(text)) >= 0.97 * len(text)


def _is_utf8(sample: bytes) -> bool:
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(sample) - 3
    return True


def _bits_of_a_character(sample: bytes, encoding: str) -> float:
    """Return what the characters cost as words, on the average; infinity if many are none that texts have."""
    if not _plausible(sample, encoding):
        return float("inf")
    text = sample[: len(sample) // 2 * 2].decode(encoding, errors="replace")
    blocks = Counter(ord(character) >> 8 for character in text if character > "\x7f").most_common(1)
    if blocks and blocks[0][0] < FIRST_PRINTED and blocks[0][1] > 0.8 * sum(character > "\x7f" for character in text):
        # Words in these scripts have spaces between them, with the zero that letters in a column lack.
        return float("inf") if blocks[0][0] in BETWEEN_LETTERS and not SPACE_OR_SIGN.search(text) else 0.0
    return text_bits(text) / max(1, sum(len(token) for token in text.split() if not token.isascii()))
