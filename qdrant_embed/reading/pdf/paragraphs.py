"""The lines of a page as paragraphs."""

from __future__ import annotations

import re
from itertools import pairwise

from qdrant_embed.reading.parsed import clean

LIGATURES = str.maketrans(
    {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl", "\ufb05": "st", "\ufb06": "st"}
)
"""Typesetting, not spelling; no tokenizer's vocabulary has them."""
BROKEN_WORD = "\x02"
"""PDFium's mark for a hyphen that only breaks a word at the end of a line; older versions have the others."""
BROKEN_WORDS = re.compile("(?<=\\w)[\x02\ufffe\xad]\\s*")
FULL_LINE = 0.75
"""A line at least this long, relative to the page's long ones, goes on in the next, unless a sentence ends there."""
SHORTEST_FULL_LINE = 40
"""Characters; lines of a list or a table are shorter, those of a newspaper's column are not."""
SENTENCE_END = re.compile(r"[.!?:;。！？][\"'”’)\]]*$")
STANDS_ALONE = re.compile(r"\d{1,4}$|[-–•‣▪*]\s|\(?\w{1,3}[.)]\s")
"""Beginnings of list items, and page numbers."""
WIDE_SCRIPT = re.compile("[\u3040-\u30ff\u3400-\u9fff\uff00-\uffef]")


def page_paragraphs(text: str) -> str:
    """Return the text of a page with broken words whole, ligatures as letters, and the lines of paragraphs joined."""
    return unwrap(BROKEN_WORDS.sub(f"{BROKEN_WORD}\n", clean(text)).translate(LIGATURES))


def unwrap(text: str) -> str:
    """Join the lines of a paragraph, which a PDF does not know, so that a chunk ends with a sentence, not a line."""
    lines = [line.strip() for line in text.split("\n")]
    lengths = sorted(len(line) for line in lines if line)
    usual = lengths[len(lengths) * 9 // 10] if lengths else 0
    full = max(FULL_LINE * usual, SHORTEST_FULL_LINE)
    joints = [_joint(before, line, full) for before, line in pairwise(lines)]
    parts = [line.removesuffix(BROKEN_WORD) + joint for line, joint in zip(lines, [*joints, ""], strict=True)]
    return "".join(parts)


def _joint(before: str, line: str, full: float) -> str:
    """Return what stands between two lines."""
    if before.endswith(BROKEN_WORD):
        return ""
    if not line or len(before) < full or SENTENCE_END.search(before) or STANDS_ALONE.match(line):
        return "\n"
    return "" if WIDE_SCRIPT.match(before[-1]) and WIDE_SCRIPT.match(line) else " "
