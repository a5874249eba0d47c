from pathlib import Path

import pytest

from qdrant_embed.errors import ReadError

IMAGE = "q 600 0 0 700 0 0 cm /I1 Do Q"


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


def test_what_cannot_be_read_says_why(read, make_pdf, draw_pdf):
    encrypted = (Path(__file__).parents[1] / "data" / "encrypted.pdf").read_bytes()
    damage = (b"/Type /Page ", b"/Type /Nope ")
    for content, reason in [
        (encrypted, "encrypted: it opens with a password only"),
        (b"%PDF-1.4\nnothing more", "broken PDF"),
        (draw_pdf([IMAGE, IMAGE]), "no text on its 2 pages: it may be scanned; run OCR"),
        (make_pdf([[], []]), "no text on its 2 pages, and no images"),
        (make_pdf([["Words."], []]).replace(*damage), "none of its 2 pages can be read"),
        (make_pdf([["Words."], []]).replace(*damage, 1), "no text on 1 of its 2 pages, and the others are damaged"),
    ]:
        with pytest.raises(ReadError, match=reason):
            read("a.pdf", content)


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        ("tii", "pages 2-3 of 3 have no text: they"),
        ("itb", "page 1 of 3 has no text: it"),
        ("tititiii", "pages 2, 4, 6-8 of 8 have no text: they"),
        ("tv", "page 2 of 2 has no text: it"),
        ("ti" * 14, "14 pages (2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24 …) of 28 have no text: they"),
        ("tbbt", None),
        ("tt", None),
    ],
)
def test_pages_that_are_images_are_told_of_by_number(read_file, draw_pdf, line, kinds, told):
    outlines = "0 0 m 9 9 l S\n" * 200
    pages = {"t": line(50, 700, "Words."), "i": IMAGE, "b": "", "v": outlines}
    result = read_file("a.pdf", draw_pdf([pages[kind] for kind in kinds]))
    assert result.document.text.strip().startswith("Words.")
    assert result.notes == ((f"{told} may be scanned; run OCR on it first, e.g. ocrmypdf",) if told else ())


def test_attached_files_are_told_of(read_file, draw_pdf, line):
    names = "/Names << /EmbeddedFiles << /Names [(table.xlsx) 100 0 R] >> >>"
    objects = [
        "<< /Type /Filespec /F (table.xlsx) /UF (table.xlsx) /EF << /F 101 0 R >> >>",
        "<< /Type /EmbeddedFile /Length 1 >>\nstream\nx\nendstream",
    ]
    result = read_file("a.pdf", draw_pdf([line(50, 700, "Words.")], objects, catalog=names))
    assert result.notes == ("attached files are not read: table.xlsx",)
