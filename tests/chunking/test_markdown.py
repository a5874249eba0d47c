from itertools import pairwise

import pytest

from qdrant_embed.chunking import ChunkLimit, chunk_document, make_chunker
from qdrant_embed.chunking.markdown import CONTEXT_SHARE, SEPARATOR
from qdrant_embed.tokens import WordTokens
from qdrant_embed.types import Document, join_context

WORDS = "the gates of the harbour open at six in the morning and close at ten at night when the tide turns "
LONG = (WORDS * 3).strip()
PAGE = f"""# Handbook

{LONG}

## Gates

{LONG}

### Winter {"{ #winter }"}

{LONG}

#### `opening_hours`

{LONG}

## Keys

{LONG}
"""


def chunks(text, tokens=80, overlap=0):
    chunker = make_chunker("markdown", WordTokens(), ChunkLimit(tokens=tokens, overlap=overlap))
    return list(chunk_document(Document(text=text, source="a.md", media_type="text/markdown"), chunker))


def test_the_path_of_headings_is_context_and_headings():
    found = {chunk.headings: chunk.context for chunk in chunks(PAGE)}
    assert found == {
        ("Handbook",): "",
        ("Handbook", "Gates"): "Handbook",
        ("Handbook", "Gates", "Winter"): "Handbook › Gates",
        ("Handbook", "Gates", "Winter", "opening_hours"): "Handbook › Gates › Winter",
        ("Handbook", "Keys"): "Handbook",
    }


def test_a_chunk_that_does_not_show_its_heading_has_it_as_context():
    later = [chunk for chunk in chunks(f"# Handbook\n\n## Gates\n\n{LONG}\n\n{LONG}\n\n{LONG}\n") if chunk.index]
    assert later
    for chunk in later:
        assert chunk.context == "Handbook › Gates"
        assert chunk.embed_text == f"Handbook › Gates\n\n{chunk.text}"


def test_a_heading_stays_with_what_follows_it():
    for chunk in chunks(PAGE, tokens=40):
        assert not chunk.text.splitlines()[-1].startswith("#")


def test_text_before_the_first_heading_has_none():
    first = chunks(f"{LONG}\n\n# Later\n\n{LONG}\n")[0]
    assert (first.headings, first.context) == ((), "")


def test_a_heading_of_the_same_level_ends_the_one_before():
    found = chunks(f"## A\n\n{LONG}\n\n# B\n\n{LONG}\n\n### C\n\n{LONG}\n\n## D\n\n{LONG}\n")
    assert [chunk.headings for chunk in found] == [("A",), ("B",), ("B", "C"), ("B", "D")]


def test_a_chunk_over_several_sections_has_the_headings_they_share_and_then_their_own():
    (chunk,) = chunks("# A\n\n## B\n\none\n\n## C\n\ntwo\n")
    assert (chunk.headings, chunk.context) == (("A", "B · C"), "")
    (chunk,) = chunks("# A\n\n## B\n\none\n\n### D\n\nthree\n\n## C\n\ntwo\n")
    assert chunk.headings == ("A", "B · C")
    (chunk,) = chunks("# A\n\none\n\n## B\n\ntwo\n")
    assert chunk.headings == ("A",), "text of the outer section itself is none of B"
    many = "".join(f"# Section {n}\n\nx\n\n" for n in range(60))
    assert all(len(title) <= 200 for chunk in chunks(many, tokens=400) for title in chunk.headings)


def test_a_context_takes_no_more_than_its_share():
    counter = WordTokens()
    path = "".join(f"{'#' * n} {f'level{n} ' * 6}\n\n" for n in range(1, 7))
    for tokens in (12, 30, 60, 200):
        for chunk in chunks(f"{path}{LONG}\n\n{LONG}\n", tokens=tokens):
            assert counter.count(join_context(chunk.context, "")) <= tokens // CONTEXT_SHARE
            assert counter.count(chunk.embed_text) <= tokens


def test_outer_headings_are_left_out_first():
    path = "".join(f"{'#' * n} {f'level{n} ' * 6}\n\n" for n in range(1, 5))
    chunk = chunks(f"{path}{LONG}\n\n{LONG}\n", tokens=54)[-1]
    assert chunk.context == SEPARATOR.join([("level3 " * 6).strip(), ("level4 " * 6).strip()])
    assert len(chunk.headings) == 4


def test_a_heading_too_long_for_a_context_is_cut():
    chunk = chunks(f"# {'word ' * 30}\n\n{LONG}\n\n{LONG}\n\n{LONG}\n", tokens=60)[-1]
    assert chunk.context
    assert ("word " * 30).startswith(chunk.context)


def test_fences_are_cut_only_where_they_do_not_fit():
    fence = "```python\n" + "".join(f"value_{n} = {n}\n\n" for n in range(8)) + "```"
    assert fence in [chunk.text for chunk in chunks(f"{LONG}\n\n{fence}\n\n{LONG}\n")]
    found = chunks(f"{LONG}\n\n{fence}\n\n{LONG}\n", tokens=16)
    assert not any(fence in chunk.text for chunk in found)
    assert not any(chunk.text.strip() == "```" for chunk in found)


def test_tables_are_cut_between_rows():
    table = "| a | b |\n|---|---|\n" + "".join(f"| row {n} | some words |\n" for n in range(20))
    found = chunks(f"# T\n\n{table}", tokens=60)
    assert len(found) > 2
    for chunk in found:
        assert chunk.text.endswith("|")
        assert chunk.text.startswith(("#", "|"))
    assert found[0].text.count("|---|---|\n| row 0") == 1


def test_items_are_cut_between_not_within():
    items = [f"- {n} {WORDS.strip()}" for n in range(12)]
    for chunk in chunks("\n".join(items) + "\n", tokens=70):
        assert chunk.text.split("\n")[0] in items
        assert chunk.text.split("\n")[-1] in items


def test_overlap_stays_within_its_section():
    text = f"# A\n\n{LONG}\n\n{LONG}\n\n# B\n\n{LONG} tail of it.\n\n{LONG}\n\n{LONG}\n"
    border = text.index("# B")
    found = chunks(text, tokens=80, overlap=30)
    assert any(one.end > two.start for one, two in pairwise(found))
    assert all(chunk.end <= border or chunk.start >= border for chunk in found)


def test_windows_line_ends_make_the_same_chunks():
    unix, windows = chunks(PAGE), chunks(PAGE.replace("\n", "\r\n"))
    assert [(chunk.text, chunk.headings) for chunk in unix] == [
        (chunk.text.replace("\r\n", "\n"), chunk.headings) for chunk in windows
    ]


@pytest.mark.parametrize("media_type", ["text/markdown", "text/plain", "text/x-python"])
def test_auto_takes_markdown_for_markdown_only(media_type):
    auto = make_chunker("auto", WordTokens(), ChunkLimit(tokens=80))
    found = list(chunk_document(Document(text=PAGE, source="a", media_type=media_type), auto))
    assert any(chunk.headings for chunk in found) == (media_type == "text/markdown")


def test_each_part_of_a_table_has_its_row_of_names_as_context():
    table = "| model | size |\n|:--|--:|\n" + "".join(f"| row {n} | {n} words |\n" for n in range(20))
    text = f"# Models\n\n{LONG}\n\n{table}\n{LONG}\n"
    counter = WordTokens()
    rows = [chunk for chunk in chunks(text, tokens=60) if "| row" in chunk.text]
    assert len(rows) > 3
    for chunk in rows:
        assert ("| model | size |" in chunk.text) != (chunk.context == "Models\n\n| model | size |")
        assert text[chunk.start : chunk.end] == chunk.text
        assert counter.count(chunk.embed_text) <= 60
    assert not any("model" in chunk.context for chunk in chunks(text, tokens=60) if "| row" not in chunk.text)


def test_names_of_many_columns_are_those_that_fit():
    wide = f"|{'|'.join(f' column{n} ' for n in range(40))}|\n|{'---|' * 40}\n"
    rows = "".join(f"|{'|'.join(f' {n} ' for n in range(40))}|\n" for _ in range(9))
    found = [chunk for chunk in chunks(f"{wide}{rows}", tokens=120) if chunk.context]
    assert found
    for chunk in found:
        assert chunk.context.startswith("| column0 | column1 |")
        assert WordTokens().count(join_context(chunk.context, "")) <= 120 // CONTEXT_SHARE


def test_a_table_without_names_gives_no_context():
    table = "| | |\n|---|---|\n" + "".join(f"| row {n} | some words |\n" for n in range(20))
    assert not any(chunk.context for chunk in chunks(table, tokens=40))
