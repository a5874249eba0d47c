import codecs
import io
from pathlib import Path

import openpyxl
import pytest

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.archives import OLE
from qdrant_embed.reading.files import ReadOptions, find_root, walk
from qdrant_embed.reading.signature import true_extension

ROWS = "<tr><th>Name</th><th>City</th></tr><tr><td>Ann</td><td>Oslo</td></tr>"
HTML_TABLE = f"<html><body><table>{ROWS}</table></body></html>"
MHTML = (
    "MIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n\n"
    f"--x\nContent-Type: text/html\n\n{HTML_TABLE}\n--x--\n"
)
SPREADSHEET = (
    '<?xml version="1.0"?>\n<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
    'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="S"><Table>'
    "<Row><Cell><Data>Name</Data></Cell><Cell><Data>City</Data></Cell></Row>"
    "<Row><Cell><Data>Ann</Data></Cell><Cell><Data>Oslo</Data></Cell></Row></Table></Worksheet></Workbook>"
)
BERTHS = (Path(__file__).parent / "data" / "berths.xls").read_bytes()


@pytest.fixture
def xlsx():
    book, buffer = openpyxl.Workbook(), io.BytesIO()
    for row in (("Name", "City"), ("Ann", "Oslo")):
        book.active.append(row)
    book.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["a.xls", "a.xlsx", "a.xlsm"])
@pytest.mark.parametrize(
    "content",
    [
        HTML_TABLE,
        "\ufeff\n" + HTML_TABLE,
        "Name\tCity\nAnn\tOslo\n",
        "Name;City\nAnn;Oslo\n",
        "Name|City\nAnn|Oslo\n",
        SPREADSHEET,
        MHTML,
        ROWS,
        HTML_TABLE.encode("utf-16"),
        codecs.BOM_UTF16_BE + SPREADSHEET.encode("utf-16-be"),
    ],
)
def test_tables_under_the_name_of_a_workbook(read, name, content):
    text = read(name, content).text
    assert "Ann" in text
    assert "Oslo" in text
    assert "<" not in text


@pytest.mark.parametrize("name", ["a.xls", "a.csv", "a.txt", "a.docx", "a.pdf", "a.html", "a.json"])
def test_a_workbook_under_another_name(read, xlsx, name):
    assert read(name, xlsx).text.endswith("Name: Ann\nCity: Oslo")


def test_other_formats_under_other_names(read, make_pdf, make_zip):
    assert read("a.docx", make_pdf([["Words."]])).text == "Words."
    assert read("a.csv", HTML_TABLE).text.endswith("| Ann | Oslo |")
    assert read("a.epub", HTML_TABLE).text.endswith("| Ann | Oslo |")
    assert "Oslo" in read("a.htm", MHTML).text
    assert "Oslo" in read("a.mht", MHTML).text
    assert "Aurora" in read("a.xlsx", BERTHS).text
    for name, content, reason in (
        ("a.docx", OLE + "WordDocument".encode("utf-16-le"), "no reader for .doc; save it as DOCX or PDF"),
        ("a.docx", "{\\rtf1 words}", "no reader for .rtf"),
        ("a.docx", make_zip({"mimetype": "application/vnd.oasis.opendocument.text"}), "no reader for .odt"),
        ("a.xlsx", make_zip({"xl/workbook.bin": "x"}), "no reader for .xlsb"),
    ):
        with pytest.raises(ReadError, match=reason):
            read(name, content)


def test_names_of_old_formats_are_passed_over_unless_the_bytes_are_of_others(tree, read, make_pdf):
    files = {"old.doc": OLE, "page.doc": HTML_TABLE, "print.ppt": make_pdf([["Words."]]), "note.rtf": "{\\rtf1 x}"}
    items = list(walk(find_root(tree(files | {"a.odt": b"PK\x03\x04"})), ReadOptions()))
    reasons = {item.source: getattr(item, "reason", None) for item in items}
    assert reasons == {
        "a.odt": "no reader for .odt; save it as DOCX or PDF",
        "note.rtf": "no reader for .rtf; save it as DOCX or PDF",
        "old.doc": "no reader for .doc; save it as DOCX or PDF",
        "page.doc": None,
        "print.ppt": None,
    }
    assert read("page.doc", files["page.doc"]).text.endswith("| Ann | Oslo |")
    assert read("print.ppt", files["print.ppt"]).text == "Words."


@pytest.mark.parametrize(
    ("extension", "content"),
    [
        (".html", "<p>words</p>"),
        (".eml", "MIME-Version: 1.0\nContent-Type: text/html\n\n<p>x"),
        (".txt", HTML_TABLE),
        (".csv", "%,PDF\n1,2\n"),
        (".xls", "nothing of the kind"),
        (".pdf", "\0\1\2"),
        (".docx", "PK\x03\x04broken"),
    ],
)
def test_bytes_that_say_nothing_else_leave_the_name(extension, content):
    assert true_extension(extension, content.encode()) == extension


@pytest.mark.parametrize(("name", "content"), [
    ("app.html", "<html><head><title>App</title></head><body><div id=root></div><script>1</script></body></html>"),
    ("a.json", "[]"), ("a.xml", "<a><b/></a>"), ("a.ipynb", '{"cells": []}'),
])  # fmt: skip
def test_files_without_text_are_told_of(read_file, name, content):
    result = read_file(name, content)
    assert (result.document.text, result.notes) == ("", ("no text was found in it",))


def test_files_of_blanks_are_empty_and_not_told_of(read_file):
    assert read_file("blank.txt", " \n").notes == ()
    assert read_file("empty.html", "").notes == ()


def test_of_the_kind_of_an_archive_only_the_beginning_is_unpacked(make_zip, monkeypatch):
    bomb = make_zip({"mimetype": "application/epub+zip" + " " * 10**7, "word/document.xml": "<a/>"})
    monkeypatch.delattr("zipfile.ZipFile.read")
    assert true_extension(".docx", bomb) == ".epub"


def test_a_page_under_the_name_of_rich_text(tree, read):
    folder = tree({"a.rtf": HTML_TABLE, "b.rtf": "{\\rtf1 words}"})
    reasons = {item.source: getattr(item, "reason", "") for item in walk(find_root(folder), ReadOptions())}
    assert reasons == {"a.rtf": "", "b.rtf": "no reader for .rtf; save it as DOCX or PDF"}
    assert read("a.rtf", HTML_TABLE).text.endswith("| Ann | Oslo |")


def test_a_web_archive_is_read_as_leniently_as_a_mail(read_file):
    head = "Subject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n\n"
    parts = (
        "--x\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n<p>This is no base64.</p>\n"
        '--x\nContent-Type: text/html; charset="=?us-ascii?q?utf-8?="\n\n<p>Größe.</p>\n'
    )
    document = read_file("a.mht", head + parts + "--x--\n").document
    assert (document.title, document.text) == ("Größe", "This is no base64.\n\nGröße.")
