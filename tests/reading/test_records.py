import pytest


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


def test_equal_keys_keep_all_their_values(read):
    assert read("a.json", '{"in": {"note": "first", "note": "second"}}').text == "in:\n  note: first\n  note: second"
    assert read("a.jsonl", '{"a": 1, "a": 2}\n').text == "a: 1\na: 2"


def test_numbers_stay_as_they_are_written(read):
    big = "9" * 5000
    assert (
        read("a.json", f'{{"a": 1.10, "b": 1e999, "c": NaN, "d": {big}}}').text
        == f"a: 1.10\nb: 1e999\nc: NaN\nd: {big}"
    )


def test_json_values_one_after_the_other(read):
    assert read("a.json", '{"a": 1}{"a": 2}\n\n{"a": 3}').text == "a: 1\n\na: 2\n\na: 3"
    assert read("a.json", '\ufeff{"a": 1}').text == "a: 1"
    assert read("a.jsonl", '{\n "a": 1\n}\n{\n "a": 2\n}\n').text == "a: 1\n\na: 2"


def test_what_is_no_json_is_said(read_file):
    lines = read_file("a.jsonl", '{"a": 1}\nnope\n{"a": 2}\n')
    assert (lines.document.text, lines.notes) == (
        "a: 1\n\nnope\n\na: 2",
        ("no valid JSON in line 2; kept as it stands",),
    )
    assert read_file("b.json", '{"a": 1}\nnope\n{"a": 2}\n').document.text == "a: 1\n\nnope\n\na: 2"
    assert "no valid JSON (line 1" in read_file("c.json", '{"a": 1, // one\n"b": 2}').notes[0]
    assert "nested too deeply" in read_file("d.json", "[" * 100_000).notes[0]
    assert read_file("e.json", "").notes == ()


def test_deep_json_grows_no_text(read):
    levels, items = 400, 2000
    text = '{"a":' * levels + "[" + ",".join(['{"b":1}'] * items) + "]" + "}" * levels
    found = read("a.json", text).text
    assert found.count("b: 1") == items
    assert len(found) < 8 * len(text)
