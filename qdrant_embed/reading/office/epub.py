"""EPUB as Markdown: chapter after chapter, and what the index names but the archive lacks."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.archives import open_archive
from qdrant_embed.reading.html import fragment_to_markdown
from qdrant_embed.reading.markup import local_name
from qdrant_embed.reading.office.package import Package
from qdrant_embed.reading.parsed import Parsed, one_line
from qdrant_embed.reading.text import first_heading

CONTAINER = "META-INF/container.xml"
ENCRYPTION = "META-INF/encryption.xml"
PAGES = (".xhtml", ".html", ".htm")
PAGE_TYPES = frozenset(("application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document"))
FIELDS = ("title", "creator", "language", "publisher", "date", "description", "identifier")
LABELS = {"creator": "Authors"}
"""What stands before a field, where it is not the field's own name."""
LISTED = 5
"""Names in a note."""
NUMBER = re.compile(r"(\d+)")


@dataclass(slots=True)
class _Index:
    """What a book's package document says of it."""

    about: dict[str, str] = field(default_factory=dict)
    chapters: list[str] = field(default_factory=list)


def read_epub(data: bytes, name: str) -> Parsed:
    """Read a book, chapters in the order of its spine, after what it says about itself.

    :raises ReadError: It is encrypted or broken, or none of its chapters is there.
    """
    package = Package(open_archive(data))
    notes: list[str] = []
    index = _index(package) or _Index()
    if not index.chapters:
        index.chapters = sorted((name for name in package.below("") if name.lower().endswith(PAGES)), key=_natural)
        if not index.chapters:
            raise ReadError("broken book: there are no pages in it")
        notes.append("it has no index that can be read: its pages stand in the order of their names")
    present = [found for chapter in index.chapters if (found := _find(package, chapter))]
    _refuse_encrypted(package, present)
    _tell_missing([chapter for chapter in index.chapters if not _find(package, chapter)], len(index.chapters), notes)
    texts = [text for chapter in dict.fromkeys(present) if (text := _text(package, chapter))]
    notes += package.notes()
    about = "\n".join(f"**{LABELS.get(key, key.capitalize())}:** {value}" for key, value in index.about.items())
    text = "\n\n".join(part for part in (about, *texts) if part) if texts else ""
    title = index.about.get("title") or first_heading(text)
    return Parsed(text=text, title=title, text_type="text/markdown", notes=tuple(notes))


def _index(package: Package) -> _Index | None:
    """Read the first package document that can be read, whether the container names it or not."""
    container = package.tree(CONTAINER)
    elements = [] if container is None else container.iter()
    named = [element.get("full-path", "") for element in elements if local_name(element) == "rootfile"]
    others = [name for name in package.below("") if name.lower().endswith(".opf")]
    for name in dict.fromkeys(filter(None, map(package.find, [*named, *others]))):
        root = package.tree(name)
        if root is not None:
            return _read_index(root, posixpath.dirname(name))
    return None


def _read_index(root: Element, folder: str) -> _Index:
    index = _Index()
    for key in FIELDS:
        values = [one_line("".join(element.itertext())) for element in root.iter() if local_name(element) == key]
        if any(values):
            index.about[key] = ", ".join(filter(None, values)) if key == "creator" else next(filter(None, values))
    items = {element.get("id", ""): element for element in root.iter() if local_name(element) == "item"}
    spine = [element.get("idref", "") for element in root.iter() if local_name(element) == "itemref"]
    shown = (name for name, item in items.items() if item.get("properties") != "nav")
    pages = [name for name in shown if items[name].get("media-type", "").lower() in PAGE_TYPES]
    for name in dict.fromkeys([*spine, *pages]):  # pages outside the spine are shown when they are linked to
        href = items[name].get("href", "") if name in items else ""
        index.chapters.append(posixpath.join(folder, href) if href else name)
    return index


def _find(package: Package, chapter: str) -> str | None:
    """Find a chapter under the name that the index has, encoded or not."""
    for name in (unquote(chapter.partition("#")[0]), chapter):
        plain = posixpath.normpath(name.replace("\\", "/")).removeprefix("../")
        found = package.find(plain)
        if found is not None:
            return found
    return None


def _text(package: Package, name: str) -> str:
    data = package.read(name)
    return fragment_to_markdown(data) if data and b"<" in data else ""


def _refuse_encrypted(package: Package, chapters: list[str]) -> None:
    """Refuse a book whose text is encrypted; of many, only the fonts are."""
    root = package.tree(ENCRYPTION)
    if root is None:
        return
    uris = [element.get("URI", "") for element in root.iter() if local_name(element) == "CipherReference"]
    encrypted = {package.find(unquote(uri)) for uri in uris}
    if encrypted & set(chapters):
        raise ReadError("encrypted: the book has copy protection (DRM); get a copy without it")


def _tell_missing(missing: list[str], count: int, notes: list[str]) -> None:
    if missing and len(missing) == count:
        raise ReadError(f"broken book: none of its {count} chapters is in the file: {_listed(missing)}")
    if missing:
        notes.append(f"{len(missing)} of {count} chapters are missing in the file: {_listed(missing)}")


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    shown = ", ".join(map(one_line, names[:LISTED]))
    return f"{shown} and {len(names) - LISTED} more" if len(names) > LISTED else shown


def _natural(name: str) -> list[str | int]:
    """Return a key that sorts `ch10` after `ch9`."""
    return [int(part) if part.isdigit() else part for part in NUMBER.split(name)]
