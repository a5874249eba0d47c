"""Passages made longer by the chunks around them, which were embedded by themselves to be found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from numbers import Integral
from typing import Literal

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.retrieval.browse import Browser
from qdrant_embed.retrieval.hits import Hit

Expansion = int | Literal["section"]
"""How many chunks are joined on each side, or all under the same headings."""
SECTION = 64
"""Chunks of a section that are joined on each side of a hit at the most."""


def require_expansion(expand: object) -> None:
    """Refuse what says nothing about how far passages reach.

    :raises ConfigurationError: It is neither a whole number of chunks, 0 or more, nor `section`.
    """
    is_whole = not isinstance(expand, bool) and isinstance(expand, Integral) and int(expand) >= 0
    if not is_whole and expand != "section":
        raise ConfigurationError(
            f"expand={expand!r}; give a whole number of chunks to join on each side, e.g. 1, or 'section'."
        )


def expanded(browser: Browser, found: Sequence[Sequence[Hit]], expand: Expansion) -> list[list[Hit]]:
    """Return lists of hits whose passages are joined with the chunks around them; the engine is asked once for all.

    Passages of one list that share a chunk become one, with the id and the score of the better hit.
    """
    reach = SECTION if expand == "section" else int(expand)
    if not reach:
        return list(map(list, found))
    found = browser.placed(found)
    flat = [hit for hits in found for hit in hits]
    around = iter(browser.neighborhoods(flat, reach, reach))
    runs = [[_run(hit, next(around), whole=expand != "section") for hit in hits] for hits in found]
    return [_joined(hits, own) for hits, own in zip(found, runs, strict=True)]


def _run(hit: Hit, around: Sequence[Hit], *, whole: bool) -> dict[int, Hit]:
    """Return the chunks without a gap around a hit, by their place in the document.

    :param whole: Whether those of other sections belong to it.
    """
    there = {chunk.chunk_index: chunk for chunk in around if whole or _same_section(hit, chunk)}
    run = {hit.chunk_index: hit}
    for step in (-1, 1):
        place = hit.chunk_index + step
        while place in there:
            run[place] = there[place]
            place += step
    return run


def _same_section(hit: Hit, chunk: Hit) -> bool:
    """Tell whether two chunks stand under the same headings; without headings, on the same page."""
    if hit.headings:
        return hit.headings == chunk.headings
    return not chunk.headings and hit.page is not None and hit.page == chunk.page


def _joined(hits: Sequence[Hit], runs: Sequence[dict[int, Hit]]) -> list[Hit]:
    """Return hits with the texts of their runs; runs of a document that share a chunk are one."""
    kept: list[tuple[Hit, dict[int, Hit]]] = []
    for hit, own in zip(hits, runs, strict=True):
        run, best, apart = own, hit, []
        for other, theirs in kept:
            if other.document_id == hit.document_id and not run.keys().isdisjoint(theirs):
                # The best comes first, and keeps its place.
                best, run = (other if best is hit else best), theirs | run
                continue
            apart.append((other, theirs))
        place = next((at for at, (other, _) in enumerate(kept) if other is best), len(apart))
        kept = [*apart[:place], (best, run), *apart[place:]]
    return [_passage(hit, run.values()) for hit, run in kept]


def _passage(hit: Hit, chunks: Iterable[Hit]) -> Hit:
    """Return a hit with the text of chunks that follow each other.

    Chunkers leave out nothing but white space; what stood between two chunks is not stored, and becomes as many line
    breaks, so that characters keep their places.
    """
    first, *others = sorted(chunks, key=lambda chunk: chunk.chunk_index)
    start, text = first.start, first.text
    for chunk in others:
        end = start + len(text)
        text += "\n" * (chunk.start - end) + chunk.text[max(0, end - chunk.start) :]
    return replace(hit, text=text, start=start, end=start + len(text), window=None)
