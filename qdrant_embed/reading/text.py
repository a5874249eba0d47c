"""Texts that are read as they stand: Markdown, reStructuredText, source code, anything else that is text."""

from __future__ import annotations

import re

from qdrant_embed.reading.parsed import Parsed, clean
from qdrant_embed.reading.text_encoding import code_encoding, decode

LONGEST_HEADING = 1_000
"""Characters of a line that are looked at for a title: what is longer is none, and patterns take long over it."""
FRONT_MATTER = re.compile(r"\A---\n(.*?)\n(?:---|\.\.\.)(?:\n|\Z)", re.DOTALL)
FRONT_TITLE = re.compile(r"^title:[ \t]*(\S.*)$", re.MULTILINE)
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
ATX_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$")
UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
ATTRIBUTES = re.compile(r"\s*\{[^{}]*\}\s*$")
"""`{ #anchor .class }` after a heading, as several site generators have it."""
MARKUP = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[*`]+")
RST_TITLE = re.compile(r"""^(?:([=\-~^"'`#*+.:_])\1{2,}\n)? ?(\S.*)\n([=\-~^"'`#*+.:_])\3{2,}$""", re.MULTILINE)


def read_text(data: bytes, text_type: str) -> Parsed:
    """Read a text as it stands."""
    decoded = decode(data, code_encoding(data))
    return decoded.parsed(decoded.text, text_type=text_type)


def read_markdown(data: bytes, name: str) -> Parsed:
    """Read Markdown as it stands; its title is that of the front matter, or the first heading."""
    decoded = decode(data)
    text = clean(decoded.text)
    return decoded.parsed(text, title=markdown_title(text), text_type="text/markdown")


def read_restructuredtext(data: bytes, name: str) -> Parsed:
    """Read reStructuredText as it stands; its title is the first underlined line."""
    decoded = decode(data, code_encoding(data))
    text = clean(decoded.text)
    title = RST_TITLE.search(text)
    return decoded.parsed(text, title=title[2] if title else "", text_type="text/x-rst")


def markdown_title(text: str) -> str:
    """Return the title that a Markdown text gives itself, without markup; empty if none."""
    front = FRONT_MATTER.match(text)
    named = FRONT_TITLE.search(front[1]) if front else None
    if named:
        title = named[1][:LONGEST_HEADING].strip()
        quoted = len(title) > 1 and title[0] in "\"'" and title[-1] == title[0]
        return title[1:-1].strip() if quoted else title
    return first_heading(text[front.end() :] if front else text)


def first_heading(text: str) -> str:
    """Return the first heading outside code fences, without markup; empty if there is none."""
    fence, previous = "", ""
    for line in text.split("\n"):
        mark = FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1].startswith(fence) else fence
        elif mark:
            fence = mark[1]
        elif heading := ATX_HEADING.match(line[:LONGEST_HEADING]):
            return _without_markup(heading[1])
        elif previous and UNDERLINE.match(line):
            return _without_markup(previous[:LONGEST_HEADING])
        previous = "" if mark or fence or line.startswith(("    ", "\t", "|", ">", "- ", "* ")) else line.strip()
    return ""


def _without_markup(heading: str) -> str:
    return MARKUP.sub(r"\1", ATTRIBUTES.sub("", heading)).strip()
