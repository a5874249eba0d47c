from pathlib import Path

import pytest

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.pdf import unwrap


def test_pages_and_title(read, make_pdf):
    document = read("a.pdf", make_pdf([["The gates open at six."], [], ["Crane four lifts."]], title="Handbook"))
    assert document.text == "The gates open at six.\n\n\n\nCrane four lifts."
    assert document.title == "Handbook"
    assert document.page_starts == (0, 24, 26)
    assert [document.page_at(document.text.index(word)) for word in ("gates", "Crane")] == [1, 3]
    assert document.text_type == "text/plain"


@pytest.mark.parametrize("title", ["", "Microsoft Word - minutes.docx", "untitled", "paper.tex"])
def test_titles_that_no_person_gave(read, make_pdf, title):
    assert read("minutes.pdf", make_pdf([["words"]], title=title)).title == "minutes"


def test_what_cannot_be_read_says_why(read, make_pdf):
    encrypted = (Path(__file__).parent / "data" / "encrypted.pdf").read_bytes()
    for content, reason in [
        (encrypted, "encrypted: it opens with a password only"),
        (b"%PDF-1.4\nnothing more", "broken PDF"),
        (make_pdf([[], []]), "no text on its 2 pages: it may be scanned; run OCR"),
    ]:
        with pytest.raises(ReadError, match=reason):
            read("a.pdf", content)


LONG = "This line is as long as the lines of a paragraph are and it"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([LONG, "goes on."], f"{LONG} goes on."),
        ([LONG[:-6] + "end.", "Next one."], f"{LONG[:-6]}end.\nNext one."),
        ([LONG, "short", "lines", LONG], f"{LONG} short\nlines\n{LONG}"),
        ([LONG, "2. item", LONG, "17"], f"{LONG}\n2. item\n{LONG}\n17"),
        ([LONG, "", "New paragraph"], f"{LONG}\n\nNew paragraph"),
        ([LONG[:-2] + "exam\x02", "ple."], f"{LONG[:-2]}example."),
        (["漢" * 50, "字" * 3], "漢" * 50 + "字" * 3),
        (["1 Foo 2", "2 Bar 2"], "1 Foo 2\n2 Bar 2"),
        ([""], ""),
    ],
)
def test_lines_of_a_paragraph_are_joined(lines, expected):
    assert unwrap("\n".join(lines)) == expected
