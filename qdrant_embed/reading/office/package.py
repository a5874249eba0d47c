"""The parts of an Office file and how they are related, whatever program wrote it."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.archives import DAMAGED
from qdrant_embed.reading.markup import local_name, recovered_tree
from qdrant_embed.reading.text_encoding import decode, markup_encoding


@dataclass(frozen=True, slots=True)
class Relation:
    """How one part refers to another.

    :param kind: Last part of the relation's type, such as `comments`.
    :param target: Name of the part, empty if it is none of this file.
    """

    id: str
    kind: str
    target: str


class Package:
    """The parts of an archive by name; the case of names does not count, as for Office itself.

    `broken` and `mended` are the names of parts that could not be read, or only by passing over what breaks the rules.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self._names = {name.replace("\\", "/").lstrip("/").lower(): name for name in archive.namelist()}
        self.broken: list[str] = []
        self.mended: list[str] = []

    def find(self, name: str) -> str | None:
        """Return the name of a part as the archive has it, None if it has no such part."""
        return self._names.get(name.replace("\\", "/").lstrip("/").lower())

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a part, None if it is missing or damaged."""
        found = self.find(name)
        if found is None:
            return None
        try:
            return self.archive.read(found)
        except DAMAGED:
            self.broken.append(found)
            return None

    def tree(self, name: str) -> Element | None:
        """Return a part that is XML, as far as it is well-formed; None if it is missing or damaged beyond that."""
        data = self.read(name)
        if data is None:
            return None
        try:
            root: Element = fromstring(data)
        except DefusedXmlException:
            self.broken.append(name)
            return None
        except (ParseError, ValueError, LookupError):
            return self._recovered(name, data)
        return root

    def _recovered(self, name: str, data: bytes) -> Element | None:
        try:
            root = recovered_tree(decode(data, markup_encoding(data)).text)
        except ReadError:
            self.broken.append(name)
            return None
        # What is no XML at all becomes a tree of texts without a name.
        (self.mended if any(map(local_name, root.iter())) else self.broken).append(name)
        return root if name in self.mended else None

    def notes(self) -> Iterator[str]:
        """Yield a sentence each on damaged parts, on those that are not well-formed, and on files within the file."""
        embedded = self._embedded()
        for said, names in (
            ("damaged parts are left out", self.broken),
            ("parts that are no well-formed XML are read as far as they can be told apart", self.mended),
        ):
            if names:
                yield f"{said}: {', '.join(dict.fromkeys(names))}"
        if embedded:
            yield f"embedded files are not read: {', '.join(sorted(embedded))}"

    def relations(self, name: str) -> list[Relation]:
        """Return what a part refers to; the empty name stands for the file as a whole."""
        folder, base = posixpath.split(name)
        root = self.tree(posixpath.join(folder, "_rels", f"{base}.rels"))
        return [] if root is None else [_relation(element, folder) for element in root]

    def main_part(self, usual: str) -> str:
        """Return the name of the part that everything begins with.

        :raises ReadError: There is none.
        """
        named = [relation.target for relation in self.relations("") if relation.kind == "officeDocument"]
        for name in (*named, usual):
            found = self.find(name)
            if found is not None:
                return found
        raise ReadError(f"broken file: it has no part {usual}, as this format should")

    def below(self, *folders: str) -> Iterator[str]:
        """Yield the names of the parts in some folders."""
        prefixes = tuple(folder.lower() for folder in folders)
        yield from (name for key, name in self._names.items() if key.startswith(prefixes) and not key.endswith("/"))

    def _embedded(self) -> list[str]:
        """Return the base names of files within the file, apart from the tables that its charts are drawn from."""
        charts = {
            relation.target.lower()
            for name in self.below("word/charts/", "ppt/charts/", "xl/charts/")
            if name.endswith(".xml")
            for relation in self.relations(name)
        }
        inside = self.below("word/embeddings/", "ppt/embeddings/", "xl/embeddings/")
        return [posixpath.basename(name) for name in inside if name.lower() not in charts]


def attribute(element: Element, name: str) -> str:
    """Return an attribute whatever its namespace, empty if there is none."""
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def _relation(element: Element, folder: str) -> Relation:
    target = "" if element.get("TargetMode") == "External" else unquote(element.get("Target", ""))
    place = target if target.startswith("/") or not target else posixpath.join(folder, target)
    kind = element.get("Type", "").rpartition("/")[2]
    return Relation(element.get("Id", ""), kind, posixpath.normpath(place).lstrip("/") if place else "")
