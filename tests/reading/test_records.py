import pytest

from qdrant_embed.reading.records import table_records


def test_rows_carry_the_names_of_their_fields(read):
    document = read("ships.csv", "name,length,port\nAurora,84,Kiel\n\nBoreas,,Bergen\n")
    assert document.text == "name: Aurora\nlength: 84\nport: Kiel\n\nname: Boreas\nport: Bergen"
    assert (document.text_type, document.title) == ("text/plain", "ships")


@pytest.mark.parametrize(("name", "separator"), [("a.csv", ";"), ("a.csv", "|"), ("a.tsv", "\t"), ("a.csv", "\t")])
def test_other_separators(read, name, separator):
    rows = [("name", "length"), ("Aurora", "84"), ("Boreas", "61")]
    text = "\n".join(separator.join(row) for row in rows)
    assert read(name, text).text == "name: Aurora\nlength: 84\n\nname: Boreas\nlength: 61"


def test_shift_jis(read):
    document = read("names.csv", "名前,年齢,住所\n佐藤太郎,30,東京\n髙橋淳,35,名古屋\n".encode("cp932"))
    assert document.text == "名前: 佐藤太郎\n年齢: 30\n住所: 東京\n\n名前: 髙橋淳\n年齢: 35\n住所: 名古屋"


def test_quoted_cells_keep_separators_and_lines(read):
    assert (
        read("a.csv", 'name,note\nAurora,"long, and\ntwo lines"\n').text == "name: Aurora\nnote: long, and\ntwo lines"
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([["1", "2"], ["3", "4"]], ["1 | 2", "3 | 4"]),
        ([["Report 2024", "", ""], ["ship", "port", ""], ["Aurora", "Kiel", "late"]],
         ["Report 2024", "ship: Aurora\nport: Kiel\nlate"]),
        ([["", "ship", "port"], ["0", "Aurora", "Kiel"]], ["0\nship: Aurora\nport: Kiel"]),
        ([["ship", "port"]], ["ship | port"]),
        ([["words"], ["more words"]], ["words", "more words"]),
        ([["ship", "port"], ["all fast"]], ["all fast"]),
        ([["", " "], []], []),
    ],
)  # fmt: skip
def test_tables(rows, expected):
    assert list(table_records(rows)) == expected


def test_every_cell_survives():
    rows = [["ship", "port"], ["Aurora", "Kiel"], ["a note"], ["Boreas", "Bergen", "extra", ""]]
    text = "\n".join(table_records(rows))
    assert all(cell in text for row in rows for cell in row)


def test_a_field_larger_than_the_csv_module_allows_is_kept_as_text(read):
    text = "name,note\nAurora," + "x" * 200_000 + "\n"
    assert read("a.csv", text).text == text


def test_json(read):
    document = read(
        "a.json",
        '{"title": "Ships", "open": true, "none": null, "list": [{"a": 1, "b": [1, 2]}, {"a": 2}], "in": {"x": "é"}}',
    )
    assert document.title == "Ships"
    assert document.text == ("title: Ships\nopen: true\nnone: null\nlist:\n  a: 1\n  b: 1, 2\n\n  a: 2\n\nin:\n  x: é")


@pytest.mark.parametrize("text", ['{"a": 1, // a comment\n}', "[" * 100_000, "{'a': 1}"])
def test_json_that_does_not_parse_is_kept(read, text):
    document = read("a.json", text)
    assert (document.text, document.text_type) == (text, "application/json")


def test_json_lines(read):
    assert read("a.jsonl", '{"a": 1, "b": "two"}\n\nnot json\n{"a": 2}\n').text == "a: 1\nb: two\n\nnot json\n\na: 2"


def test_escaped_surrogates_and_nul_in_json(read):
    assert read("a.json", r'{"a": "x\ud800y\u0000z"}').text == "a: x\ufffdyz"
