import textwrap

import pytest

LEFT = (
    "The harbour opens at six in the morning and closes at nine in the evening, on all days of the year but two. " * 6
)
RIGHT = "Cranes lift twelve tons each, and are looked after by the people of the yard, who know them all by name. " * 6


@pytest.fixture
def columns():
    def wrapped(width, *texts):
        cut = [textwrap.wrap(text, width) for text in texts]
        return list(zip(*cut, strict=False))

    return wrapped


def words(text):
    return " ".join(text.split())


def test_columns_drawn_row_by_row_are_read_one_after_the_other(read, draw_pdf, line, columns):
    rows = columns(46, LEFT, RIGHT)
    page = [line(150, 760, "A title over both columns of the page")]
    page += [line(x, 740 - 12 * n, text) for n, row in enumerate(rows) for x, text in zip((50, 320), row, strict=True)]
    page += [line(150, 740 - 12 * len(rows) - 20, "A line over both columns at its foot")]
    text = words(read("a.pdf", draw_pdf(["\n".join(page)])).text)
    left, right = (" ".join(row[side] for row in rows) for side in (0, 1))
    assert text == f"A title over both columns of the page {left} {right} A line over both columns at its foot"


def test_three_columns_and_words_that_are_broken_at_the_end_of_a_line(read, draw_pdf, line, columns):
    rows = columns(28, LEFT, RIGHT, "Ferries cross the sound each hour, save in storms. " * 12)
    rows[2] = ("and closes at nine in the e-", *rows[2][1:])
    rows[3] = ("vening, as everybody knows", *rows[3][1:])
    page = [
        line(x, 740 - 12 * n, text) for n, row in enumerate(rows) for x, text in zip((40, 230, 420), row, strict=True)
    ]
    text = words(read("a.pdf", draw_pdf(["\n".join(page)])).text)
    assert "and closes at nine in the evening, as everybody knows" in text
    for side in (1, 2):
        assert " ".join(row[side] for row in rows) in text


@pytest.mark.parametrize("order", ["by column", "short", "table", "single"])
def test_other_pages_keep_the_order_in_which_they_are_drawn(read, draw_pdf, line, columns, order):
    rows = columns(46, LEFT, RIGHT)
    if order == "short":
        rows = rows[:4]
    if order == "table":
        rows = [(f"Berth {n}", f"{n * 3} m, free") for n in range(30)]
    if order == "single":
        rows = [(row[0],) for row in rows]
    drawn = [(x, 740 - 12 * n, text) for n, row in enumerate(rows) for x, text in zip((50, 320), row, strict=False)]
    if order == "by column":
        drawn.sort(key=lambda piece: piece[0])
    text = words(read("a.pdf", draw_pdf(["\n".join(line(*piece) for piece in drawn)])).text)
    assert text == " ".join(text for _, _, text in drawn)
