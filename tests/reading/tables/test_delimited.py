import pytest


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


def test_a_long_value(read):
    assert read("a.csv", "name,note\nAurora," + "x" * 200_000 + "\n").text == "name: Aurora\nnote: " + "x" * 200_000


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e"])
def test_a_row_ends_at_a_line_feed_and_at_nothing_else(read, separator):
    text = f"name,note,port\nAurora,first{separator}second,Kiel\n"
    assert read("a.csv", text).text == f"name: Aurora\nnote: first{separator}second\nport: Kiel"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "id;tags;sub\n1;['345', '1'];a\n2;['235'];b\n",
            "id: 1\ntags: ['345', '1']\nsub: a\n\nid: 2\ntags: ['235']\nsub: b",
        ),
        ("a\tb\nx, y | z\t1,5\n", "a: x, y | z\nb: 1,5"),
        ("1,5;2,5\n1,6;2,7\n", "1,5 | 2,5\n\n1,6 | 2,7"),
        ('id,data\n1,"{""a"": [1, 2]}"\n', 'id: 1\ndata: {"a": [1, 2]}'),
        ('id;note\n1;"two\nlines; and more"\n', "id: 1\nnote: two\nlines; and more"),
        ("sep=;\na;b\n1;2\n", "a: 1\nb: 2"),
        ("sep=\t\r\na\tb\r\n1\t2\r\n", "a: 1\nb: 2"),
        ('name,note\nAnn,"say \\"hi, you\\" now"\nBo,x\n', 'name: Ann\nnote: say "hi, you" now\n\nname: Bo\nnote: x'),
        ("\ufeffname,x\nA,1\n", "name: A\nx: 1"),
        ('name, note\nA, "x, y"\n', "name: A\nnote: x, y"),
        ("Report 2024\n\nship,length\nAurora,84\n", "Report 2024\n\nship: Aurora\nlength: 84"),
        (
            "2024-01-01 12:30:00,INFO\n2024-01-02 12:31:00,WARN\n",
            "2024-01-01 12:30:00 | INFO\n\n2024-01-02 12:31:00 | WARN",
        ),
        ("Note: a line\nother: line\n", "Note: a line\n\nother: line"),
        ("words\nmore words, and some\nthird\n", "words\n\nmore words | and some\n\nthird"),
        ("a;b;c\n", "a | b | c"),
        ("", ""),
    ],
)
def test_dialects(read, text, expected):
    assert read("a.csv", text).text == expected


def test_a_quote_that_nothing_closes_takes_in_no_other_row(read_file):
    for text in ('name,note,n\nAnn,"open,1\nBo,fine,2\nCy,x,3\n', 'name,note,n\nAnn,"open,1\nBo,fine,2\nCy,"x",3\n'):
        found = read_file("a.csv", text)
        assert (
            found.document.text
            == 'name: Ann\nnote: "open\nn: 1\n\nname: Bo\nnote: fine\nn: 2\n\nname: Cy\nnote: x\nn: 3'
        )
        assert found.notes == ("1 row has a quote that nothing closes; it was read as a character",)


def test_rows_with_more_cells_are_kept_and_said(read_file):
    found = read_file("a.csv", "a,b\n1x,2x\n3x,4x\n5x,6x,extra\n")
    assert found.document.text.endswith("a: 5x\nb: 6x\nextra")
    assert found.notes == ("1 row has more than 2 cells; the last ones stand without a name",)


@pytest.mark.parametrize(
    "data",
    [b'"' * 1000, b'"a1"\n' * 9000, b',"x' * 20_000, b',"x\n' * 9000, b'a,b\n' + b'1,"x,2\n' * 9000, b'"\\"' * 20_000],
    ids=["quotes", "column", "open", "open lines", "open rows", "escapes"],
)  # fmt: skip
def test_quotes_of_any_kind_take_no_time(read, data):
    text = read("a.csv", data).text
    assert text.replace('"', "") or not data.strip(b'"\\')
