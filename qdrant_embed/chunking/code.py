"""The `code` chunker: along the syntax tree where a grammar is installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from itertools import accumulate
from typing import TYPE_CHECKING

from qdrant_embed.chunking.base import Chunker, ChunkLimit
from qdrant_embed.chunking.boundaries import BLOCK, GLUED, LINE, PAGE, line_levels
from qdrant_embed.chunking.plain_text import chunk_by_levels
from qdrant_embed.chunking.segments import LineSegments
from qdrant_embed.chunking.token_limit import Fitter
from qdrant_embed.native import initializing
from qdrant_embed.tokens import TokenCounter, encodable
from qdrant_embed.types import Span

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Parser, Tree

GRAMMARS: Mapping[str, str] = {
    "text/x-python": "tree_sitter_python:language",
    "text/javascript": "tree_sitter_javascript:language",
    "text/x-typescript": "tree_sitter_typescript:language_typescript",
    "text/x-go": "tree_sitter_go:language",
    "text/x-java": "tree_sitter_java:language",
    "text/x-rust": "tree_sitter_rust:language",
}
"""Media type → the function that gives its grammar; the packages come with the extra `code`."""

LONGEST_RUN = 1_000
"""Lines of comment, or of nothing but a backslash, in a row from which a file is cut by its lines alone."""
LEAST_STEPS, BYTES_A_STEP = 1_000, 8
"""Steps that the parser may take, of a hundred operations each. Code takes one for 50 bytes, broken code one for 20;
what is no code may take some for each byte, more of them the more there are. A count, since with a limit of time the
chunks would differ from run to run."""
READ_BYTES = 65_536
_DEEPEST = 9
_AHEAD = frozenset({"comment", "line_comment", "block_comment", "attribute_item", "decorator"})
"""Nodes that belong to what stands right below them."""


class CodeChunker(LineSegments):
    """Cuts source code between functions, classes and statements.

    *Does*: for languages with an installed grammar, cuts between nodes of the syntax tree, the outer ones first, and
    keeps comments with what they stand above; for others, cuts at blank lines and lines like `recursive`. An edit
    changes only the chunks that hold it (see `merging`). *Needs*: the extra `code` for the grammars.
    *Relation*: `auto` chooses it by media type.
    """

    def __init__(self, counter: TokenCounter, limit: ChunkLimit, *, media_type: str = "") -> None:
        self._media_type = media_type
        self._fitter = Fitter(counter, limit)

    def for_media_type(self, media_type: str) -> Chunker:
        """Return the chunker for a language."""
        return CodeChunker(self._fitter.counter, self._fitter.limit, media_type=media_type)

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the spans of the text, in order."""
        levels = line_levels(text)
        language = _grammar(self._media_type)
        if language is not None:
            levels |= node_levels(text, language, levels)
        return chunk_by_levels(text, levels, self._fitter)


def node_levels(text: str, language: Language, known: Mapping[int, int]) -> dict[int, int]:
    """Return position → level of lines that begin with a node of the syntax tree: the outer the node, the stronger.

    :param known: Levels of the lines as such; a line that closes a bracket stays glued to what it closes.
    """
    from tree_sitter import Parser

    data = encodable(text).encode()
    # The parser counts lines by line feeds and columns in bytes.
    rows = data.split(b"\n")
    starts = [0, *accumulate(len(row.decode()) + 1 for row in rows)]
    levels: dict[int, int] = {}
    tree = None if _long_run(rows) else _parsed(Parser(language), data)
    if tree is None:
        return levels
    for node, above, depth in outer_nodes(tree):
        start = starts[node.start_point.row]
        level = known.get(start, GLUED)
        if level not in (PAGE, GLUED) and start not in levels and _begins_line(node, rows):
            outer = BLOCK + 3 * min(depth, _DEEPEST) + (level >= LINE)
            levels[start] = GLUED if _follows_its_comment(node, above, rows) else outer
    return levels


def outer_nodes(tree: Tree) -> Iterator[tuple[Node, Node | None, int]]:
    """Yield nodes in the order of the text, each with the sibling before it and its depth; none within one line."""
    cursor, depth = tree.walk(), 0
    above: Node | None = None  # not asked of the node, which would count all its siblings
    while (node := cursor.node) is not None:
        if depth:
            yield node, above, depth
        if node.start_point.row < node.end_point.row and cursor.goto_first_child():
            above, depth = None, depth + 1
            continue
        above = node
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return
            above, depth = cursor.node, depth - 1


def _parsed(parser: Parser, data: bytes) -> Tree | None:
    """Return the syntax tree; None for what is no code, over which the parser would brood for hours."""
    steps, most = 0, LEAST_STEPS + len(data) // BYTES_A_STEP

    def read(place: int, _: object) -> bytes:
        return data[place : place + READ_BYTES]

    def stop(*_: object) -> bool:
        nonlocal steps
        steps += 1
        return steps > most

    try:
        tree: Tree = parser.parse(read, progress_callback=stop)
    except ValueError:  # it was stopped
        return None
    return tree


def _long_run(rows: Sequence[bytes]) -> bool:
    """Tell whether so many comments or continued lines follow each other that the parser, quadratic in that, hangs."""
    run = 0
    for row in rows:
        body = row.strip()
        run = run + 1 if body.startswith(b"#") or body == b"\\" else 0 if body else run
        if run > LONGEST_RUN:
            return True
    return False


def _begins_line(node: Node, rows: Sequence[bytes]) -> bool:
    row, column = node.start_point
    return not rows[row][:column].strip()


def _follows_its_comment(node: Node, above: Node | None, rows: Sequence[bytes]) -> bool:
    """Tell whether a comment or an attribute stands on the lines right above, for itself and not behind other code."""
    if above is None or above.type not in _AHEAD or node.start_point.row - above.end_point.row > 1:
        return False
    return _begins_line(above, rows)


@lru_cache(maxsize=16)
def _grammar(media_type: str) -> Language | None:
    module, _, function = GRAMMARS.get(media_type, "").partition(":")
    if not module:
        return None
    try:
        with initializing():
            from tree_sitter import Language

            return Language(getattr(import_module(module), function)())
    except ImportError:
        return None
