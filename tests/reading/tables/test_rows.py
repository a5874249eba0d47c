import pytest

from qdrant_embed.reading.tables import rows as rows_module
from qdrant_embed.reading.tables.rows import table_records


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([["1", "2"], ["3", "4"]], ["1 | 2", "3 | 4"]),
        ([["Report 2024", "", ""], ["ship", "port", ""], ["Aurora", "Kiel", "late"]],
         ["Report 2024", "ship: Aurora\nport: Kiel\nlate"]),
        ([["", "ship", "port"], ["0", "Aurora", "Kiel"]], ["0\nship: Aurora\nport: Kiel"]),
        ([["ship", "port"]], ["ship | port"]),
        ([["words"], ["more words"]], ["words", "more words"]),
        ([["ship", "port"], ["all fast"]], ["ship | port\n\nall fast"]),
        ([["", " "], []], []),
    ],
)  # fmt: skip
def test_tables(rows, expected):
    assert list(table_records(rows)) == expected


def test_every_cell_survives():
    rows = [["ship", "port"], ["Aurora", "Kiel"], ["a note"], ["Boreas", "Bergen", "extra", ""]]
    text = "\n".join(table_records(rows))
    assert all(cell in text for row in rows for cell in row)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # numbers as names: years and steps, where the rows have none
        ([["country", "2019", "2020"], ["Norway", "5", "6"]], ["country: Norway\n2019: 5\n2020: 6"]),
        ([["ship", "Q1 2024", "Q2 2024"], ["Aurora", "7", "9"]], ["ship: Aurora\nQ1 2024: 7\nQ2 2024: 9"]),
        ([["ship", "1", "2", "3"], ["Aurora", "7", "9", "4"]], ["ship: Aurora\n1: 7\n2: 9\n3: 4"]),
        ([["Ann", "1990", "2001"], ["Bo", "1985", "1999"]], ["Ann | 1990 | 2001", "Bo | 1985 | 1999"]),
        ([["Aurora", "84", "61"], ["Boreas", "61", "7"]], ["Aurora | 84 | 61", "Boreas | 61 | 7"]),
        ([["", "2019", "2020"], ["Norway", "5", "6"]], ["Norway\n2019: 5\n2020: 6"]),
        ([["2019", "2020"], ["5", "6"]], ["2019: 5\n2020: 6"]),
        ([["1", "2", "3"], ["5", "8", "6"]], ["1 | 2 | 3", "5 | 8 | 6"]),
        # equal names
        ([["name", "phone", "phone"], ["Ann", "111", "222"]], ["name: Ann\nphone: 111\nphone: 222"]),
        ([["yes", "no", "yes"], ["no", "no", "yes"]], ["yes | no | yes", "no | no | yes"]),
        # one value in a row as wide as the table
        ([["name", "phone"], ["Ann", "1"], ["", "222"]], ["name: Ann\nphone: 1", "phone: 222"]),
        # a second table
        ([["Name", "City"], ["Ann", "Oslo"], ["", ""], ["Port", "Depth"], ["Oslo", "12"]],
         ["Name: Ann\nCity: Oslo", "Port: Oslo\nDepth: 12"]),
        ([["Name", "City"], ["Ann", "Oslo"], [], ["Bo", "Rome"], ["Cy", "Bonn"]],
         ["Name: Ann\nCity: Oslo", "Name: Bo\nCity: Rome", "Name: Cy\nCity: Bonn"]),
        ([["Name", "Age"], ["Ann", "30"], [], ["Bo", "40"], ["Cy", "50"]],
         ["Name: Ann\nAge: 30", "Name: Bo\nAge: 40", "Name: Cy\nAge: 50"]),
        # names without a value
        ([["ship", "port", "flag"], ["Aurora", "Kiel", ""]], ["ship: Aurora\nport: Kiel", "flag"]),
    ],
)  # fmt: skip
def test_which_row_names_the_fields(rows, expected):
    assert list(table_records(rows)) == expected


def test_long_names_over_short_values_do_not_make_the_text_grow(monkeypatch):
    monkeypatch.setattr(rows_module, "LEAST_TO_WATCH", 20_000)
    names = [f"{number:02}" + "n" * 78 for number in range(50)]
    rows = [names, *([f"v{line}"] * 50 for line in range(3000))]
    texts = list(table_records(rows))
    assert sum(map(len, texts)) < 20 * sum(len(cell) for row in rows[1:] for cell in row)
    assert len(texts) == 3000
    assert all(f"v{line}" in text for line, text in enumerate(texts))
    assert names[0] in texts[0] and sum(names[-1] in text for text in texts) > 100
    usual = list(table_records([["name", "port"], *([["Aurora", "Kiel"]] * 3000)]))
    assert usual[-1] == "name: Aurora\nport: Kiel"
