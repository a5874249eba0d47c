"""Texts that are read as they stand: Markdown, reStructuredText, source code, anything else that is text."""

from __future__ import annotations

import re

from qdrant_embed.reading.decoding import decode
from qdrant_embed.reading.parsed import Parsed, clean

FRONT_MATTER = re.compile(r"\A---\n(.*?)\n(?:---|\.\.\.)(?:\n|\Z)", re.DOTALL)
FRONT_TITLE = re.compile(r"""^title:\s*(["']?)(.+?)\1\s*$""", re.MULTILINE)
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
ATX_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$")
UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
ATTRIBUTES = re.compile(r"\s*\{[^{}]*\}\s*$")
"""`{ #anchor .class }` after a heading, as several site generators have it."""
MARKUP = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[*`]+")
RST_TITLE = re.compile(r"""^(?:([=\-~^"'`#*+.:_])\1{2,}\n)? ?(\S.*)\n([=\-~^"'`#*+.:_])\3{2,}$""", re.MULTILINE)


def read_text(data: bytes, text_type: str) -> Parsed:
    """Read a text as it stands."""
    return Parsed(text=decode(data), text_type=text_type)


def read_markdown(data: bytes, name: str) -> Parsed:
    """Read Markdown as it stands; its title is that of the front matter, or the first heading."""
    text = clean(decode(data))
    return Parsed(text=text, title=markdown_title(text), text_type="text/markdown")


def read_restructuredtext(data: bytes, name: str) -> Parsed:
    """Read reStructuredText as it stands; its title is the first underlined line."""
    text = clean(decode(data))
    title = RST_TITLE.search(text)
    return Parsed(text=text, title=title[2] if title else "", text_type="text/x-rst")


def markdown_title(text: str) -> str:
    """Return the title that a Markdown text gives itself, without markup; empty if none."""
    front = FRONT_MATTER.match(text)
    named = FRONT_TITLE.search(front[1]) if front else None
    return named[2] if named else first_heading(text[front.end() :] if front else text)


def first_heading(text: str) -> str:
    """Return the first heading outside code fences, without markup; empty if there is none."""
    fence, previous = "", ""
    for line in text.split("\n"):
        mark = FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1].startswith(fence) else fence
        elif mark:
            fence = mark[1]
        elif heading := ATX_HEADING.match(line):
            return _without_markup(heading[1])
        elif previous and UNDERLINE.match(line):
            return _without_markup(previous)
        previous = "" if mark or fence or line.startswith(("    ", "\t", "|", ">", "- ", "* ")) else line.strip()
    return ""


def _without_markup(heading: str) -> str:
    return MARKUP.sub(r"\1", ATTRIBUTES.sub("", heading)).strip()
