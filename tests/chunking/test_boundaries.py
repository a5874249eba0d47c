from itertools import pairwise

import pytest

from qdrant_embed.chunking.boundaries import (
    GLUED,
    LINE,
    PAGE,
    PARAGRAPH,
    WRAPPED,
    is_one_character,
    line_levels,
    natural_cut,
    nearby_hash,
    sentence_starts,
)


def level_of(text, words):
    return line_levels(text).get(text.index(words))


def sentences(text):
    edges = [0, *sentence_starts(text, 0, len(text)), len(text)]
    return [text[a:b].strip() for a, b in pairwise(edges)]


def test_levels_of_lines():
    text = "one\ntwo\n  three\n\nfour\n\n    five\n\fsix"
    assert level_of(text, "two") == LINE
    assert level_of(text, "  three") == LINE + 1
    assert level_of(text, "four") == PARAGRAPH
    assert level_of(text, "    five") == PARAGRAPH + 2
    assert level_of(text, "six") == PAGE


def test_the_first_line_and_blank_lines_are_no_boundaries():
    assert line_levels("one\n \n\t\n") == {}
    assert list(line_levels("\n\none\n\n\ntwo")) == [2, 8]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\v", "\x85", "\u2028", "\u2029"])
def test_every_line_end_counts(end):
    assert line_levels(f"one{end}two") == {3 + len(end): LINE}


def test_a_page_break_counts_though_blank_lines_follow():
    assert level_of("one\n\f\n\ntwo", "two") == PAGE


@pytest.mark.parametrize("closer", ["}", "});", "]", ")", "</", "///", ":::"])
def test_what_closes_is_glued_to_what_it_closes(closer):
    level = level_of(f"open\n\n{closer}\n", closer)
    assert (level == GLUED) == (closer != "</")


def test_a_colon_announces_what_follows():
    assert level_of("like this:\n\none", "one") == LINE
    assert level_of("例如：\n\none", "one") == LINE


def test_a_line_broken_by_its_width_is_hardly_a_boundary():
    text = "The gates of the harbour open at six in the morning and\nclose at ten.\nAnd so on"
    assert level_of(text, "close") == WRAPPED
    assert level_of(text, "And") == LINE


def test_indentation_has_a_deepest_level():
    assert level_of("a\n" + " " * 200 + "b", " " * 200) == LINE + 9


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It opens. It closes! Does it? Yes.", ["It opens.", "It closes!", "Does it?", "Yes."]),
        ("Dr. Ahab, e.g. in winter, pays 3.5 dollars to J. Doe. Fine.", None),
        ("He said “Stop.” Then he left.", ["He said “Stop.”", "Then he left."]),
        ("Wait... then go. Now", ["Wait... then go.", "Now"]),
        ("港口六点打开。十点关闭！为什么？", ["港口六点打开。", "十点关闭！", "为什么？"]),
        ("「開く。」閉まる。", ["「開く。」", "閉まる。"]),
        ("द्वार खुलते हैं। बंद होते हैं॥ ठीक", ["द्वार खुलते हैं।", "बंद होते हैं॥", "ठीक"]),
        ("no marks at all", ["no marks at all"]),
        ("see example.com. for more", ["see example.com. for more"]),
    ],
)
def test_sentences(text, expected):
    found = [part for part in sentences(text) if part]
    if expected is None:
        assert found == ["Dr. Ahab, e.g. in winter, pays 3.5 dollars to J. Doe.", "Fine."]
    else:
        assert found == expected


def test_a_mark_over_the_space_is_not_torn_off():
    assert list(sentence_starts("End. \u0301next. A", 0, 15)) == [12]


@pytest.mark.parametrize(
    ("text", "low", "high", "after"),
    [
        ("one two\nthree four. Five, six", 1, 28, "one two\n"),
        ("one two three four. Five, six", 1, 28, "one two three four. "),
        ("one two three, four five six", 1, 28, "one two three, "),
        ("港口的大门，早上六点", 1, 9, "港口的大门，"),
    ],
)
def test_the_best_place_is_taken(text, low, high, after):
    assert text[: natural_cut(text, 0, low, high)] == after


def test_a_cut_does_not_depend_on_where_the_span_begins():
    text = "the gates of the harbour open at six in the morning and close at ten at night " * 3
    assert natural_cut(text, 0, 100, 160) == natural_cut(text, 50, 100, 160)


def test_characters_are_not_torn():
    family = "👨\u200d👩\u200d👧\u200d👦"
    text = family * 20
    for high in range(1, len(text)):
        place = natural_cut(text, 0, 1, high)
        assert place % len(family) == 0 or high < len(family)


def test_a_character_larger_than_the_window_is_cut_where_it_must():
    assert natural_cut("a" + "\u0301" * 50, 0, 5, 20) == 20


def test_one_character():
    assert is_one_character("x👍🏽y", 1, 3)
    assert not is_one_character("xyz", 1, 3)


def test_the_hash_depends_on_nearby_words_only():
    near = "the gates of the harbour open at six"
    assert nearby_hash(f"{'a' * 100}{near}{'b' * 100}", 118) == nearby_hash(
        f"{'c' * 50}{'a' * 50}{near}{'b' * 99}", 118
    )
    assert nearby_hash("one  two", 4) == nearby_hash("one\n\ntwo", 4)
    assert nearby_hash("\udc80 x", 1) >= 0
