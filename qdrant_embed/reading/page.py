"""What of a web page a reader of it sees, and which part of that is what the page is about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from bs4 import BeautifulSoup, CData, Tag
from bs4.element import NavigableString, PreformattedString

NOT_TEXT = ("script", "style", "title", "meta", "link", "base")
FRAMES = ("iframe", "noframes")
"""Elements whose markup the parser leaves as it stands."""
FALLBACKS = ("noscript", "noframes", "iframe", "object", "canvas", "audio", "video")
"""Elements whose text is shown where the element itself cannot be."""
ABOUT_THE_BROWSER = re.compile(
    r"java\s*script|browser|cookies|plug-?in|\bflash\b|\benable\b|\bvideo tag\b", re.IGNORECASE
)
LONGEST_EXCUSE = 300
"""Characters; a text about the browser that is longer says something else as well."""
AROUND_THE_TEXT = ("footer", "aside")
MAIN_SHARE = 0.5
"""Share of a page's text outside links that its main part must hold; one with less is a banner or one of many parts."""
TOLD_SHARE = 0.25
TOLD_CHARACTERS = 200
"""What is left out around the main part is told of from here on, the share being relative to what is kept."""
WORDS_WORTH_KEEPING = 3
"""Words outside links, from which on a footer or an aside says something: an address, a warning."""
PROSE = 200
"""Characters outside links, from which on a navigation that has fewer within links is none."""
COPYRIGHT = re.compile(r"(©|\(c\)\s*\d|copyright|all rights reserved)[^\n]*", re.IGNORECASE)
ROWS = frozenset(("tr", "thead", "tbody", "tfoot"))
CELLS = frozenset(("td", "th"))


class Census:
    """The elements of a page by name, and the text of each, counted in one pass, whatever their depth."""

    def __init__(self, root: Tag) -> None:
        self.elements, self._parents, linked = [root], [-1], [False]
        self._all, self._outside = [0], [0]
        for place, element in enumerate(self.elements):  # the list grows while it is read
            for child in element.contents:
                if isinstance(child, Tag):
                    self.elements.append(child)
                    self._parents.append(place)
                    linked.append(linked[place] or (child.name == "a" and "href" in child.attrs))
                    self._all.append(0)
                    self._outside.append(0)
                elif isinstance(child, CData) or not isinstance(child, PreformattedString):
                    size = len(child.strip()) if isinstance(child, NavigableString) else 0
                    self._all[place] += size
                    self._outside[place] += 0 if linked[place] else size
        for place in range(len(self.elements) - 1, 0, -1):
            self._all[self._parents[place]] += self._all[place]
            self._outside[self._parents[place]] += self._outside[place]
        self._places = {id(element): place for place, element in enumerate(self.elements)}
        self._named: dict[str, list[Tag]] = {}
        for element in self.elements:
            self._named.setdefault(element.name, []).append(element)

    def named(self, *names: str) -> list[Tag]:
        """Return the elements that have one of some names."""
        return [element for name in names for element in self._named.get(name, ())]

    def characters(self, *elements: Tag) -> int:
        """Return how much text elements hold."""
        return sum(self._all[self._places[id(element)]] for element in elements)

    def outside_links(self, *elements: Tag) -> int:
        """Return how much of the text of elements stands outside links."""
        return sum(self._outside[self._places[id(element)]] for element in elements)

    def outermost(self, chosen: Iterable[Tag]) -> list[Tag]:
        """Return those of some elements that stand inside no other of them."""
        marked = {self._places[id(element)] for element in chosen}
        if not marked:
            return []
        inside = [False] * len(self.elements)
        for place in range(1, len(self.elements)):
            parent = self._parents[place]
            inside[place] = inside[parent] or parent in marked
        return [self.elements[place] for place in sorted(marked) if not inside[place]]

    def layout_tables(self) -> Iterator[tuple[Tag, list[Tag]]]:
        """Yield the tables that only place things on the page, with their rows and cells."""
        around = [-1] * len(self.elements)
        parts: dict[int, list[Tag]] = {}
        nesting: set[int] = set()
        for place, element in enumerate(self.elements):
            outer = around[self._parents[place]] if place else -1
            around[place] = place if element.name == "table" else outer
            if element.name == "table":
                nesting.add(outer)
                parts[place] = []
            elif outer >= 0 and (element.name in ROWS or element.name in CELLS):
                parts[outer].append(element)
        for place, inside in parts.items():
            table = self.elements[place]
            if place in nesting or table.get("role") in ("presentation", "none") or _one_column(inside):
                yield table, inside


def keep_what_is_read(soup: BeautifulSoup, *, whole: bool = False) -> tuple[str, ...]:
    """Take out of a page what its reader does not see or does not come for, and return what to tell of that.

    :param whole: Keep all that is seen, as of a page that is part of a book.
    """
    unclosed = soup.title.get_text() if soup.title and "<" in soup.title.get_text() else ""
    if unclosed and not (soup.body and soup.body.get_text(strip=True)):  # a title without an end takes the whole page
        soup.append(_fragment(unclosed))
    _open_what_is_closed(Census(soup))
    census = Census(soup)
    heading = next(iter(census.named("h1")), None)
    out = census.outermost(_not_read(census, whole=whole))
    if census.characters(*out) < census.characters(soup):
        for tag in out:
            tag.extract()
        census = Census(soup) if out else census
    notes = () if whole else _keep_main_part(soup, census, heading)
    for table, parts in list(census.layout_tables()):
        for tag in (table, *parts):
            tag.name = "div"
    return notes


def _open_what_is_closed(census: Census) -> None:
    """Put in place what browsers show of documents within the document, of shadow trees and of drawings."""
    for tag in census.named(*NOT_TEXT):
        tag.extract()
    for frame in census.named(*FRAMES):
        inner = str(frame.get("srcdoc") or frame.get_text())
        if "<" in inner:
            frame.clear()
            frame.append(_fragment(inner))
        if frame.get("srcdoc"):
            frame.name = "div"
    for template in census.named("template"):
        if template.has_attr("shadowrootmode"):
            template.name = "div"
    drawn = {id(tag) for tag in census.named("text", "foreignobject")}
    for drawing in census.outermost(census.named("svg")):
        if not any(id(inner) in drawn for inner in drawing.descendants):
            drawing.extract()
    for tag in census.named("desc", "metadata"):
        tag.extract()


def _fragment(markup: str) -> Tag:
    inner = BeautifulSoup(markup, "lxml")
    for tag in inner(NOT_TEXT):
        tag.extract()
    body = inner.body or inner.new_tag("body")
    body.extract()
    body.name = "div"
    return body


def _not_read(census: Census, *, whole: bool) -> Iterator[Tag]:
    for tag in census.elements:
        if tag.name in ("html", "body", "main"):
            continue
        if tag.name == "template" or ("hidden" in tag.attrs and tag["hidden"] != "until-found"):
            yield tag
        elif not whole and (tag.name == "nav" or tag.attrs) and _is_aside_of_reading(tag):
            prose = census.outside_links(tag)
            if tag.name != "nav" or prose < PROSE or 2 * prose <= census.characters(tag):
                yield tag
    for tag in census.named(*FALLBACKS):
        if census.characters(tag) <= LONGEST_EXCUSE and ABOUT_THE_BROWSER.search(tag.get_text(" ")):
            yield tag


def _is_aside_of_reading(tag: Tag) -> bool:
    """Tell what helps to get around a page, and what sites hide from screen readers since it repeats something."""
    if tag.name == "nav" or tag.get("role") in ("navigation", "search"):
        return True
    return tag.name in ("a", "span") and tag.get("aria-hidden") == "true"


def _keep_main_part(soup: BeautifulSoup, census: Census, heading: Tag | None) -> tuple[str, ...]:
    """Keep the main part of a page and what else around it says something."""
    around = census.outermost(census.named(*AROUND_THE_TEXT))
    speaking = [tag for tag in around if _says_something(tag)]
    silent = [tag for tag in around if not any(tag is other for other in speaking)]
    available = census.outside_links(soup) - census.outside_links(*silent)
    regions = _main_regions(census, available)
    if not regions:
        if census.characters(soup) > census.characters(*silent):
            for tag in silent:
                tag.extract()
        return ()
    kept = census.outermost([*regions, *speaking])
    left_out = available - census.outside_links(*kept)
    told = left_out >= max(TOLD_CHARACTERS, TOLD_SHARE * census.characters(*kept))
    if heading is not None and heading.get_text(strip=True) and not any(tag.find("h1") for tag in kept):
        kept = [heading, *kept]
    order = {id(tag): place for place, tag in enumerate(soup.find_all())}
    kept.sort(key=lambda tag: order[id(tag)])
    for tag in kept:
        tag.extract()
    body = soup.body or soup
    body.clear()
    body.extend(kept)
    return (f"{left_out:,} characters around the main part of the page are left out",) if told else ()


def _main_regions(census: Census, available: int) -> list[Tag]:
    """Find the elements that a page marks as its main part, if they hold enough of what is there."""
    marked = [tag for tag in census.elements if tag.attrs]
    choices = (
        [tag for tag in marked if tag.get("id") == "mw-content-text"],  # MediaWiki has its lists of tools inside `main`
        [*census.named("main"), *(tag for tag in marked if tag.get("role") == "main")],
        census.named("article"),
    )
    for choice in choices:
        regions = census.outermost(choice)
        if census.outside_links(*regions) >= MAIN_SHARE * available and census.characters(*regions):
            return regions
    return []


def _says_something(tag: Tag) -> bool:
    """Tell whether an element around the text has words of its own beside links and a line on its copyright."""
    linked = {id(text) for link in tag("a") for text in link.strings}
    own = " ".join(text for text in tag.strings if id(text) not in linked)
    return len(COPYRIGHT.sub("", own).split()) >= WORDS_WORTH_KEEPING


def _one_column(parts: Sequence[Tag]) -> bool:
    """Tell whether no row of a table has two cells."""
    rows = [part for part in parts if part.name == "tr"]
    cells = sum(part.name in CELLS for part in parts)
    return cells <= len(rows)
