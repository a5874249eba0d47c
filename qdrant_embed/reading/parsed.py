"""What a reader makes of one file's bytes, and the one rule for its text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from qdrant_embed.types import Json

NOT_LETTERS = re.compile(r"[\W_]+")
MANY_BLANK_LINES = re.compile(r"\n{3,}")
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
MACHINE_TITLE = re.compile(
    r"untitled.*|(microsoft )?(word|powerpoint|excel) - .*|powerpoint presentation|word document"
    r"|(document|presentation)\d*|.*\.(docx?|pptx?|xlsx?|tex|dvi|indd)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A file's text and what the file says about itself.

    :param title: Empty if the file names none; the reader then takes the file's name.
    :param text_type: IANA media type of the text, not of the file; chunkers pick by it.
    :param media_type: IANA media type of the file; empty for that of its extension.
    :param metadata: What else is worth filtering by, as JSON values.
    :param page_starts: Character offset in `text` at which each page begins; the text must be `clean` already.
    :param notes: What the file holds and the text lacks, a sentence each; every one becomes a line of the report.
    :param guessed_encoding: Encoding in which the bytes were read, where nothing in the file says it.
    """

    text: str
    title: str = ""
    text_type: str = "text/plain"
    media_type: str = ""
    metadata: Mapping[str, Json] = field(default_factory=dict)
    page_starts: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    guessed_encoding: str = ""


ParseFunction = Callable[[bytes, str], Parsed]
"""A reader: the bytes of a file and its name. It raises `ReadError` with a reason; it may be slow or crash."""


def clean(text: str) -> str:
    """Make a text safe to store: line feeds for line ends, no NUL, no lone surrogates. Idempotent; all else stays."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return UNSTORABLE.sub(lambda match: "" if match[0] == "\0" else "\ufffd", text)


def one_line(text: str) -> str:
    """Return a text with all its white space as single spaces."""
    return " ".join(clean(text).split())


def letters(text: str) -> str:
    """Return the letters and digits of a text, by which it is compared with another form of it."""
    return NOT_LETTERS.sub("", text)


def single_blank_lines(text: str) -> str:
    """Return a text with no more than one blank line between others, and none at its ends."""
    return MANY_BLANK_LINES.sub("\n\n", text).strip("\n")


def given_title(title: str) -> str:
    """Return the title in a file's properties if a person gave it; of those that programs give, the name says more."""
    title = one_line(title)
    return "" if MACHINE_TITLE.fullmatch(title) else title
