import pytest

from qdrant_embed.chunking.boundaries import BLOCK, GLUED, HEADING, ITEM, LINE, RULE
from qdrant_embed.chunking.markdown_outline import LONGEST_TITLE, plain_title, read_outline


def titles(text):
    return [(heading.level, heading.title) for heading in read_outline(text).headings]


def level_of(text, words):
    return read_outline(text).levels.get(text.index(words))


def test_headings_of_both_kinds():
    text = "Top\n===\n\ntext\n\nSub\n---\n\n### Third ###\n\n###### Sixth\n"
    assert titles(text) == [(1, "Top"), (2, "Sub"), (3, "Third"), (6, "Sixth")]


def test_a_heading_knows_where_it_and_its_text_begin():
    text = "intro\n\n## One\n\n\ntwo\nthree\n"
    (heading,) = read_outline(text).headings
    assert text[heading.start :].startswith("## One")
    assert text[heading.text_start :].startswith("two")


def test_headings_without_text_between_them():
    text = "# One\n\n## Two\n\nthree"
    first, second = read_outline(text).headings
    assert first.text_start == second.start
    assert text[second.text_start :] == "three"


def test_a_heading_at_the_end_has_no_text():
    text = "# One\n\n"
    assert read_outline(text).headings[0].text_start == len(text)


@pytest.mark.parametrize(
    "text",
    [
        "```\n# no\n```\n",
        "~~~ python\n# no\n",
        "    # no\n",
        "> # no\n",
        "- # no\n",
        "<!--\n# no\n-->\n",
        "#no\n",
        "####### no\n",
        "---\ntitle: x\n# no\n---\n",
        r"\# no",
    ],
)
def test_what_is_no_heading_of_the_document(text):
    assert titles(text) == []


def test_front_matter_is_left_whole_and_offsets_stay_true():
    text = "---\r\ntitle: Keys\r\n# comment\r\n---\r\n\r\n# Keys\r\n\r\ntext\r\n"
    (heading,) = read_outline(text).headings
    assert (heading.title, text[heading.start : heading.start + 6]) == ("Keys", "# Keys")


def test_a_rule_at_the_top_is_no_front_matter():
    assert titles("---\n\n# Keys\n\ntext\n\n---\n\n# More\n") == [(1, "Keys"), (1, "More")]
    assert titles("---\n---\n# Keys\n") == [(1, "Keys")]
    assert titles("---\nnever closed\n\n# Keys\n") == [(1, "Keys")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_do_not_move_offsets(end):
    text = f"# A{end}{end}one{end}{end}## B{end}{end}two{end}"
    headings = read_outline(text).headings
    assert [text[one.start] for one in headings] == ["#", "#"]
    assert [text[one.text_start : one.text_start + 3] for one in headings] == ["one", "two"]


def test_levels_of_blocks():
    text = "# A\n\nfirst\n\nsecond\n\n---\n\n## B\n\nthird\n\n- one\n- two\n\n  - inner\n\nlast\n"
    assert level_of(text, "second") == BLOCK
    assert level_of(text, "---") == RULE
    assert level_of(text, "## B") == HEADING + 1
    assert level_of(text, "- one") == BLOCK
    assert ITEM <= level_of(text, "- two") < level_of(text, "  - inner") < LINE
    assert level_of(text, "last") == BLOCK


def test_what_follows_a_heading_is_glued_to_it():
    text = "intro\n\n# A\n\nfirst\n\nSetext\n---\nsecond\n"
    assert level_of(text, "first") == GLUED
    assert level_of(text, "---") == GLUED
    assert level_of(text, "second") == GLUED


def test_a_heading_right_after_a_heading_stays_a_boundary():
    assert level_of("# A\n\n## B\n\ntext", "## B") == HEADING + 1


def test_the_head_of_a_table_is_glued_to_its_first_row():
    text = "intro\n\n| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n"
    assert level_of(text, "|---") == GLUED
    assert level_of(text, "| 1") == GLUED
    assert ITEM <= level_of(text, "| 3") < LINE


def test_the_ends_of_a_fence_are_glued_to_its_code():
    text = "intro\n\n```python\none = 1\ntwo = 2\n```\n\nend\n"
    assert level_of(text, "one") == GLUED
    assert level_of(text, "two") >= LINE
    assert level_of(text, "```\n\nend") == GLUED
    assert level_of(text, "end") == BLOCK


@pytest.mark.parametrize(
    "text", ["", "\n", "```", "```\n", "# ", "#", "---", "---\n---", "|a|\n|-|", "- ", "> ", "\f# A"]
)
def test_scraps_are_survived(text):
    outline = read_outline(text)
    assert all(0 < place < len(text) for place in outline.levels)


@pytest.mark.parametrize(
    ("markup", "title"),
    [
        ("Plain words", "Plain words"),
        ("Use `snake_case_names` { #use-them }", "Use snake_case_names"),
        ("**Bold** and *italic* and __dunder__", "Bold and italic and dunder"),
        ("A [link](https://example.com/a_b) here", "A link here"),
        ("![Logo](logo.svg) Name", "Logo Name"),
        ("two\nlines", "two lines"),
        ("C# and F#", "C# and F#"),
        ("", ""),
    ],
)
def test_a_title_is_the_words_of_a_heading(markup, title):
    assert plain_title(markup) == title


def test_a_very_long_title_is_cut():
    title = plain_title("word " * 1_000_000)
    assert len(title) <= LONGEST_TITLE
    assert title.endswith("word…")
    assert len(plain_title("字" * 1000)) == LONGEST_TITLE
