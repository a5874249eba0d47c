"""Hits as people see them: in a notebook and in a terminal."""

import io
import pickle
from html.parser import HTMLParser

import pytest
from rich.console import Console

from qdrant_embed import Document, Hit, Hits
from qdrant_embed.retrieval.render import marked_spans, printable


class Page(HTMLParser):
    """What a browser would make of a table: its tags, its text, and the texts that are marked."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text, self.marks, self.marking = [], "", [], False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.marking = tag == "mark"

    def handle_endtag(self, tag):
        self.marking = False

    def handle_data(self, data):
        self.text += data
        if self.marking:
            self.marks.append(data)


def hits_of(text, query="", **fields):
    values = {"id": "1", "score": 0.5, "source": "page.md", "start": 0, "end": len(text), **fields}
    return Hits([Hit(text=text, **values)], query=query)


def printed(hits, *, width=80, colors=False):
    console = Console(
        file=io.StringIO(), width=width, force_terminal=colors, color_system="standard" if colors else None
    )
    console.print(hits)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("text", "query", "marked"),
    [
        ("The keys are rotated.", "how do I rotate a key?", ["keys", "rotated"]),
        ("Master keys, key rings.", "key", ["keys", "key"]),
        ("KEYS and Keys", "keys", ["KEYS", "Keys"]),
        ("The and of it", "the and of it", []),
        ("monkey business", "key", []),
        ("nothing here", "", []),
        ("Öffnung am Kai", "kai", ["Kai"]),
        ("检索 文本", "检索", ["检索"]),
    ],
)
def test_words_of_the_question_are_marked_by_their_stems(text, query, marked):
    assert [text[start:end] for start, end in marked_spans(text, query, "english")] == marked


def test_words_beside_each_other_are_marked_as_one():
    assert marked_spans("a rotated key!", "rotate keys", "english") == [(2, 13)]


def test_the_notebook_shows_question_place_score_and_marked_text(collection, pages):
    collection.ingest(pages)
    hits = collection.search("when are the cables inspected?", k=2)
    page = Page(hits._repr_html_())
    assert page.tags.count("table") == 1
    assert page.tags.count("tr") == 3
    assert {"cables", "inspected"} <= set(page.marks)
    assert "when are the cables inspected?" in page.text
    for hit in hits:
        assert hit.text in page.text
        assert hit.place in page.text
        assert f"{hit.score:.3f}" in page.text


@pytest.mark.parametrize(
    "evil", ["<script>alert('x')</script>", '"><img src=x onerror=alert(1)>', "&lt;b&gt; & <b>bold</b>"]
)
def test_nothing_of_a_document_becomes_html(evil):
    text = f"Before {evil} after the script."
    hits = hits_of(text, query=f"script {evil}", source=evil, headings=(evil,))
    page = Page(hits._repr_html_())
    assert set(page.tags) <= {"style", "table", "tr", "th", "td", "div", "mark"}
    assert text in page.text
    assert page.text.count(evil) == 4  # question, source, heading, text
    assert "script" in page.marks


def test_nothing_of_a_document_becomes_html_on_the_way_through_a_collection(collection):
    collection.ingest([Document(text="A <script>alert(1)</script> tag.", source="<script>.md", metadata={"a": "<b>"})])
    assert "script" not in Page(collection.search("script tag")._repr_html_()).tags


def test_dollars_are_no_formulas():
    assert "tex2jax_ignore mathjax_ignore" in hits_of("costs $5 or $6")._repr_html_()


def test_nothing_found_is_said():
    assert "nothing found" in Hits(query="x")._repr_html_()
    assert "nothing found" in printed(Hits(query="x"))


def test_the_terminal_shows_question_place_score_and_text(collection, pages):
    collection.ingest(pages)
    hits = collection.search("when are the cables inspected?", k=1)
    shown = printed(hits)
    for wanted in ("when are the cables inspected?", hits[0].place, f"{hits[0].score:.3f}", "every Tuesday"):
        assert wanted in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_the_terminal_marks_words_after_a_line_end_of_windows():
    shown = printed(hits_of("First line.\r\nThe keys\r\nare here.", query="keys"), colors=True)
    assert "\x1b[1;33mkeys\x1b[0m" in shown
    assert "\r" not in shown


def test_a_document_cannot_steer_the_terminal():
    shown = printed(hits_of("\x1b[2J\x1b]0;owned\x07 keys \x9b31m", query="\x1b[1mkeys", source="\x1b[31mred"))
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "\x9b" not in shown
    assert "␛[2J" in shown


def test_a_document_is_no_markup_for_the_terminal():
    assert "[bold red]not red[/bold red] :smile:" in printed(
        hits_of("[bold red]not red[/bold red] :smile:", query="[x]")
    )


@pytest.mark.parametrize("width", [40, 60, 120])
def test_the_table_fits_the_terminal(width):
    shown = printed(hits_of("A" * 300 + " and many more words " * 20, query="words"), width=width)
    assert max(map(len, shown.splitlines())) <= width
    assert "".join(shown.split()).count("A") >= 300


def test_printable_leaves_ordinary_text_alone():
    assert printable("tab\there\nnext — 😀 é") == "tab\there\nnext — 😀 é"
    assert printable("a\r\nb\x00\x7f") == "a\nb␀␡"


def test_hits_are_a_list_that_remembers_its_question():
    hits = Hits(hits_of("keys", query="keys") * 3, query="keys", language="german")
    assert (hits[1:].query, hits[1:].language, len(hits[1:])) == ("keys", "german", 2)
    assert isinstance(hits[0], Hit)
    again = pickle.loads(pickle.dumps(hits))
    assert (again, again.query, again.language) == (hits, "keys", "german")


def test_a_later_part_of_a_table_is_shown_below_its_row_of_names():
    row = "| `voyage-4` | 1024 |"
    hits = hits_of(row, "voyage", headings=("Models",), context="Models\n\n| name | *width* |")
    (hit,) = hits
    assert hit.column_names == "| name | *width* |"
    assert f"| name | *width* |\n{row}" in Page(hits._repr_html_()).text
    assert Page(hits._repr_html_()).marks == ["voyage"]
    assert printed(hits).index("width") < printed(hits).index("1024")
    assert (hit.text, hit.passage) == (row, row)


@pytest.mark.parametrize("context", ["", "Pipes | and bars", "Keys › Pipes | and bars"])
def test_headings_are_no_row_of_names(context):
    (hit,) = hits_of("text", headings=("Keys", "Pipes | and bars"), context=context)
    assert hit.column_names == ""


def test_a_collection_stores_the_row_of_names_with_each_part(make_collection):
    rows = "".join(f"| crane {number} | {number} tons and a long remark about cables |\n" for number in range(40))
    docs = make_collection(chunk_tokens=60)
    docs.ingest(
        [
            Document(
                text=f"# Cranes\n\n| crane | load |\n|---|---|\n{rows}", source="cranes.md", media_type="text/markdown"
            )
        ]
    )
    first, *later = docs.chunks("cranes.md")
    assert first.column_names == ""
    assert later
    assert {hit.column_names for hit in later} == {"| crane | load |"}
