"""XLSX and XLSM: the values of cells, formulas that have none, and what stands beside the cells."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from xml.etree.ElementTree import Element

from openpyxl.styles.numbers import is_date_format, is_timedelta_format

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.archives import DAMAGED, MARKUP_LIMIT, UNPACKED_LIMIT, core_title, open_archive
from qdrant_embed.reading.markup import local_name
from qdrant_embed.reading.office.inventory import paragraphs
from qdrant_embed.reading.office.package import Package
from qdrant_embed.reading.parsed import Parsed, one_line
from qdrant_embed.reading.spreadsheets.cell_formats import BUILT_IN_DATES, Cells, Formats, elements, rich_text
from qdrant_embed.reading.spreadsheets.sheet_rows import Sheet, hidden_note, sheets_text

USUAL_MAIN = "xl/workbook.xml"


@dataclass(frozen=True, slots=True)
class _Part:
    """A sheet's title, the part of the file that it is, and whether it is hidden."""

    title: str
    name: str
    hidden: bool


def read_xlsx(data: bytes, name: str) -> Parsed:
    """Read a workbook: of a formula, the value that was last computed, or, where there is none, the formula.

    :raises ReadError: It is encrypted, broken, too large, or no workbook.
    """
    package = Package(open_archive(data, markup_limit=UNPACKED_LIMIT))
    main = package.main_part(USUAL_MAIN)
    root = package.tree(main)
    cells = Cells(_strings(package, main), _formats(package, main, root))
    notes: list[str] = []
    parts = list(_parts(package, main, root, notes))
    sheets = [
        Sheet(part.title, _rows(package, part, cells, notes), list(_besides_cells(package, part.name)))
        for part in parts
    ]
    text = sheets_text(sheets)
    notes += hidden_note([part.title for part in parts if part.hidden])
    if cells.uncomputed:
        notes.append(f"formulas without a computed value are given as formulas: {cells.uncomputed:,} cells")
    notes += package.notes()
    return Parsed(text=text, title=core_title(package.archive), text_type="text/markdown", notes=tuple(notes))


def _parts(package: Package, main: str, root: Element | None, notes: list[str]) -> Iterator[_Part]:
    """Yield the sheets in the order of the workbook, or, if that is damaged, those that are there."""
    targets = {relation.id: relation.target for relation in package.relations(main)}
    listed = [] if root is None else [element for element in root.iter() if local_name(element) == "sheet"]
    for element in listed:
        key = next((value for key, value in element.attrib.items() if key.endswith("}id")), "")
        title, found = one_line(element.get("name", "")), package.find(targets.get(key, ""))
        if found:
            yield _Part(title, found, element.get("state", "visible") != "visible")
        else:
            notes.append(f"a sheet is missing in the file: {title}")
    if not listed:
        for name in sorted(package.below("xl/worksheets/sheet")):
            yield _Part(posixpath.basename(name).removesuffix(".xml"), name, hidden=False)


def _rows(package: Package, part: _Part, cells: Cells, notes: list[str]) -> Iterator[list[str]]:
    """Yield the rows of a sheet, as far as it is whole or can be told apart."""
    count, uncomputed = 0, cells.uncomputed
    try:
        with package.archive.open(part.name) as source:
            for count, row in enumerate(cells.rows(elements(source, "row")), 1):  # noqa: B007
                yield row
    except DAMAGED as error:
        notes.append(f"the sheet {part.title} is damaged, and is read up to there: {one_line(str(error))}")
    except ReadError as error:
        root = _small_tree(package, part.name)
        if root is None:
            notes.append(f"the sheet {part.title} is damaged, and is read up to there: {error.reason}")
        else:
            cells.uncomputed = uncomputed
            yield from islice(cells.rows(_named(root, "row")), count, None)


def _small_tree(package: Package, name: str) -> Element | None:
    """Return a part that is not well-formed as a tree, None if that would take too much memory, or is no use."""
    small = package.archive.getinfo(name).file_size <= MARKUP_LIMIT
    return package.tree(name) if small else None


def _named(root: Element, name: str) -> Iterator[Element]:
    return (element for element in root.iter() if local_name(element) == name)


def _strings(package: Package, main: str) -> list[str]:
    name = _related(package, main, "sharedStrings")
    if name is None:
        return []
    strings: list[str] = []
    try:
        with package.archive.open(name) as source:
            strings.extend(rich_text(element) for element in elements(source, "si"))
    except DAMAGED:
        package.broken.append(name)
    except ReadError:
        root = _small_tree(package, name)
        if root is None:
            package.broken.append(name)
        else:
            strings = [rich_text(element) for element in _named(root, "si")]
    return strings


def _formats(package: Package, main: str, root: Element | None) -> Formats:
    about = {} if root is None else {local_name(element): element for element in root}
    since_1904 = "workbookPr" in about and about["workbookPr"].get("date1904") in ("1", "true")
    computed = "calcPr" not in about or about["calcPr"].get("fullCalcOnLoad") not in ("1", "true")
    name = _related(package, main, "styles")
    styles = package.tree(name) if name else None
    if styles is None:
        return Formats(since_1904=since_1904, computed=computed)
    codes = {
        element.get("numFmtId", ""): element.get("formatCode", "")
        for element in styles.iter()
        if local_name(element) == "numFmt"
    }
    used = [xf.get("numFmtId", "") for group in styles if local_name(group) == "cellXfs" for xf in group]
    dates = [
        style
        for style, number in enumerate(used)
        if (is_date_format(codes[number]) if number in codes else number.isdigit() and int(number) in BUILT_IN_DATES)
    ]
    durations = [style for style in dates if is_timedelta_format(codes.get(used[style], ""))]
    return Formats(frozenset(dates), frozenset(durations), since_1904=since_1904, computed=computed)


def _related(package: Package, main: str, kind: str) -> str | None:
    named = [relation.target for relation in package.relations(main) if relation.kind == kind]
    return next(filter(None, map(package.find, [*named, f"xl/{kind}.xml"])), None)


def _besides_cells(package: Package, name: str) -> Iterator[str]:
    """Yield what stands on a sheet besides its cells: text boxes, titles of charts, comments."""
    relations = package.relations(name)
    drawings = [relation.target for relation in relations if relation.kind == "drawing"]
    charts = [inner.target for target in drawings for inner in package.relations(target) if inner.kind == "chart"]
    for target in (*drawings, *charts):
        root = package.tree(target)
        yield from [] if root is None else (one_line(paragraph.text) for paragraph in paragraphs(root))
    remarks = list(_remarks(package, {relation.kind: relation.target for relation in relations}))
    if remarks:
        yield "\n".join(["### Comments\n", *remarks])


def _remarks(package: Package, targets: dict[str, str]) -> Iterator[str]:
    """Yield the comments on cells; those with answers have a copy of the old form, which is passed over."""
    root = package.tree(targets.get("threadedComment") or targets.get("comments", ""))
    for element in [] if root is None else root.iter():
        if local_name(element) in ("comment", "threadedComment"):
            texts = [inner.text or "" for inner in element.iter() if local_name(inner) in ("t", "text")]
            text = one_line("".join(texts))
            if text:
                yield f"- {element.get('ref', '')}: {text}"
