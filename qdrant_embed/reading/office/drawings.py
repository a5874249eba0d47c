"""Charts and diagrams of Office files as text."""

from __future__ import annotations

from itertools import zip_longest
from xml.etree.ElementTree import Element

from qdrant_embed.reading.markup import local_name
from qdrant_embed.reading.office.inventory import paragraphs
from qdrant_embed.reading.parsed import one_line

CATEGORIES = ("cat", "xVal")
VALUES = ("val", "yVal", "bubbleSize")


def chart_text(root: Element) -> str:
    """Return a chart's titles, and its series as a table."""
    titles = [one_line(paragraph.text) for paragraph in paragraphs(root)]
    series = [element for element in root.iter() if local_name(element) == "ser"]
    names = [one_line(" ".join(_points(one, ("tx",)))) for one in series]
    categories = max((_points(one, CATEGORIES) for one in series), key=len, default=[])
    columns = [_points(one, VALUES) for one in series]
    lines = []
    if any(columns):
        table = [["", *names], *map(list, zip_longest(categories, *columns, fillvalue=""))]
        lines = [f"| {' | '.join(row)} |" for row in table]
        lines.insert(1, "|" + " --- |" * len(table[0]))
    return "\n\n".join(part for part in (*titles, "\n".join(lines)) if part)


def chart_labels(root: Element) -> list[str]:
    """Return what must be found where a chart was converted: titles, names and categories, or the values alone."""
    labels = [paragraph.text for paragraph in paragraphs(root)]
    series = [element for element in root.iter() if local_name(element) == "ser"]
    names = [value for one in series for value in _points(one, ("tx",))]
    categories = [value for one in series for value in _points(one, ("cat",))]
    values = [value for one in series for value in _points(one, (*CATEGORIES, *VALUES))]
    return [*labels, *names, *(categories or values)]


def diagram_text(root: Element) -> str:
    """Return the entries of a diagram (SmartArt) as a list."""
    return "\n".join(f"- {one_line(paragraph.text)}" for paragraph in paragraphs(root))


def _points(series: Element, names: tuple[str, ...]) -> list[str]:
    parts = [part for part in series if local_name(part) in names]
    return [one_line(element.text or "") for part in parts for element in part.iter() if local_name(element) == "v"]
