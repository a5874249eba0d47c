import sys

import pytest

from qdrant_embed.chunking import ChunkLimit, make_chunker
from qdrant_embed.chunking.boundaries import BLOCK, GLUED, LINE, PAGE, line_levels
from qdrant_embed.chunking.code import LONGEST_RUN, CodeChunker, _grammar, node_levels
from qdrant_embed.tokens import WordTokens

PYTHON = '''\
"""Cranes."""

import os

TEXT = """
def not_a_function():

    pass
"""


# What lifts.
# More of it.
@final
class Crane:
    """Lifts."""

    def lift(self, tons):
        if tons > 12:

            raise ValueError(tons)
        return tons  # said once
    limit = 12


def land(fish):
    return [
        fish,
    ]
'''
GO = """package main

// Crane lifts.
// At most twelve tons.
type Crane struct {
\ttons int
}

func (c Crane) lift() int {
\treturn c.tons
}
"""
RUST = """/// Lifts.
#[derive(Debug)]
struct Crane {
    tons: u32,
}

fn lift(c: &Crane) -> u32 { c.tons }
"""


def grammar(media_type):
    pytest.importorskip("tree_sitter")
    found = _grammar(media_type)
    return found or pytest.skip("the grammar is not installed")


def levels_of(text, media_type):
    levels = line_levels(text)
    levels |= node_levels(text, grammar(media_type), levels)
    return lambda words: levels.get(text.rindex("\n", 0, text.index(words)) + 1)


def chunks(text, media_type, tokens):
    chunker = CodeChunker(WordTokens(), ChunkLimit(tokens=tokens)).for_media_type(media_type)
    return [text[span.start : span.end] for span in chunker.spans(text)]


def test_outer_nodes_are_stronger_boundaries():
    level = levels_of(PYTHON, "text/x-python")
    assert BLOCK < level("import os") == level("TEXT =") == level("def land") < level("def lift") < LINE
    assert level("def lift") < level("if tons") < level("raise")
    assert level("limit = 12") < level("return tons")


def test_comments_and_decorators_are_glued_to_what_they_stand_above():
    level = levels_of(PYTHON, "text/x-python")
    assert level("# What lifts") == level("import os")
    assert level("# More of it") == level("@final") == level("class Crane") == GLUED
    go = levels_of(GO, "text/x-go")
    assert go("type Crane") == go("// At most") == GLUED
    assert go("func") == go("// Crane")
    rust = levels_of("\n" + RUST, "text/x-rust")
    assert rust("struct") == rust("#[derive") == GLUED


def test_a_comment_behind_code_glues_nothing():
    assert levels_of(PYTHON, "text/x-python")("limit = 12") != GLUED


def test_what_only_looks_like_code_is_no_strong_boundary():
    level = levels_of(PYTHON, "text/x-python")
    assert level("def not_a") >= LINE


def test_a_page_break_stays_one():
    assert levels_of("a = 1\n\f\nb = 2\n", "text/x-python")("b = 2") == PAGE


def test_functions_are_kept_whole():
    functions = [f"def f{n}(x):\n    y = x + {n}\n\n    return y" for n in range(8)]
    found = chunks("\n\n\n".join(functions), "text/x-python", 40)
    assert len(found) > 2
    assert "\n\n\n".join(found) == "\n\n\n".join(functions)
    assert all(chunk.startswith("def") and chunk.endswith("return y") for chunk in found)


def test_offsets_hold_behind_characters_of_many_bytes():
    text = 'a = "漢字👍🏽"\n\n\ndef f():\n    return "é"\n\n\nb = "\udc80"\n\n\nc = 1\n'
    found = chunks(text, "text/x-python", 8)
    assert found[0] == 'a = "漢字👍🏽"'
    assert found[-1].endswith("c = 1")


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_line_ends(end):
    text = PYTHON.replace("\n", end)
    assert " ".join(chunks(text, "text/x-python", 30)).split() == PYTHON.split()


def test_a_missing_grammar_is_no_error(monkeypatch):
    _grammar.cache_clear()
    monkeypatch.setitem(sys.modules, "tree_sitter_go", None)
    without = chunks(GO, "text/x-go", 12)
    _grammar.cache_clear()
    recursive = make_chunker("recursive", WordTokens(), ChunkLimit(tokens=12))
    assert without == [GO[span.start : span.end] for span in recursive.spans(GO)]


def test_very_many_comments_are_cut_by_lines():
    text = "".join(f"# comment {n}\n" for n in range(3 * LONGEST_RUN))
    assert all(chunk.startswith("#") for chunk in chunks(text, "text/x-python", 60))


def test_an_unknown_language_is_cut_by_lines():
    text = "\n".join(f"(defun f{n} (x) (+ x {n}))" for n in range(20))
    assert all(chunk.startswith("(defun") for chunk in chunks(text, "text/x-lisp", 40))
