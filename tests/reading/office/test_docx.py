import pytest

from qdrant_embed.errors import ReadError
from qdrant_embed.reading import archives

CORE = (
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{}</dc:title></cp:coreProperties>'
)
TEXT_BOX = (
    "<w:p><w:r><w:t>Before.</w:t></w:r><w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:drawing><wp:inline>"
    "<a:graphic><a:graphicData><wps:wsp><wps:txbx><w:txbxContent>{box}</w:txbxContent></wps:txbx></wps:wsp>"
    "</a:graphicData></a:graphic></wp:inline></w:drawing></mc:Choice>{fallback}</mc:AlternateContent></w:r></w:p>"
)
CHART = (
    "<c:chart><c:title><c:tx><c:rich><a:p><a:r><a:t>Ships</a:t></a:r></a:p></c:rich></c:tx></c:title><c:plotArea>"
    "<c:lineChart><c:ser><c:tx><c:strRef><c:strCache><c:pt><c:v>Arrived</c:v></c:pt></c:strCache></c:strRef></c:tx>"
    "<c:cat><c:strRef><c:strCache><c:pt><c:v>May</c:v></c:pt><c:pt><c:v>June</c:v></c:pt></c:strCache></c:strRef>"
    "</c:cat><c:val><c:numRef><c:numCache><c:pt><c:v>4</c:v></c:pt><c:pt><c:v>7</c:v></c:pt></c:numCache></c:numRef>"
    "</c:val></c:ser></c:lineChart></c:plotArea></c:chart>"
)


def test_docx(read, make_docx, part):
    body = (
        '<w:p><w:pPr><w:pStyle w:val="Title"/></w:pPr><w:r><w:t>Handbook</w:t></w:r></w:p>'
        "<w:p><w:r><w:t>Call load_all, 2*3 times.</w:t></w:r></w:p>"
    )
    styles = part("styles", '<w:style w:type="paragraph" w:styleId="Title"><w:name w:val="Title"/></w:style>')
    document = read("a.docx", make_docx(body, {"styles.xml": ("styles", styles)}))
    assert document.text == "# Handbook\n\nCall load_all, 2*3 times."
    assert (document.title, document.text_type) == ("Handbook", "text/markdown")
    titled = make_docx(body, extra={"docProps/core.xml": CORE.format("From properties")})
    assert read("b.docx", titled).title == "From properties"


def test_headers_footers_notes_and_comments_stand_after_the_body(read_file, make_docx, part, p):
    comment = f'<w:comment w:id="0" w:author="Ann">{p("Raise it.")}</w:comment>'
    footnote = f'<w:footnote w:id="9">{p("No one refers to it.")}</w:footnote>'
    parts = {
        "header1.xml": ("header", part("hdr", p("Contract 4711"))),
        "footer1.xml": ("footer", part("ftr", p("Harbour office"))),
        "comments.xml": ("comments", part("comments", comment)),
        "footnotes.xml": ("footnotes", part("footnotes", footnote)),
    }  # fmt: skip
    result = read_file("letter.docx", make_docx(p("Body."), parts))
    assert result.document.text == (
        "Body.\n\n## Notes\n\nNo one refers to it.\n\n## Headers and footers\n\nContract 4711\n\nHarbour office\n\n"
        "## Comments\n\n- Ann: Raise it."
    )
    assert (result.document.title, result.notes) == ("letter", ())


FORMULA = (
    '<m:oMath xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"><m:f><m:num><m:r><m:t>a</m:t></m:r>'
    "</m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f></m:oMath>"
)
BLOCK = f'<m:oMathPara xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math">{FORMULA}</m:oMathPara>'


def test_formulas_stand_where_they_are(read, make_docx, part, p):
    note = f'<w:footnote w:id="2"><w:p><w:r><w:t>Half of it: </w:t></w:r>{FORMULA}</w:p></w:footnote>'
    body = (
        f"<w:p><w:r><w:t>It is </w:t></w:r>{FORMULA}<w:r><w:t> tons.</w:t></w:r></w:p><w:p>{BLOCK}</w:p>"
        '<w:p><w:r><w:t>See below.</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r></w:p>'
    )
    text = read("a.docx", make_docx(body, {"footnotes.xml": ("footnotes", part("footnotes", note))})).text
    assert text.startswith("It is $\\frac{a}{2}$ tons.\n\n$$\\frac{a}{2}$$\n\nSee below.")
    assert "Half of it: $\\frac{a}{2}$" in text


def test_marks_of_runs_and_styles_without_a_type(read_file, make_docx, part):
    def marked(mark, text):
        return f"<w:p><w:r><w:rPr><w:{mark}/></w:rPr><w:t>{text}</w:t></w:r></w:p>"

    heading = '<w:p><w:pPr><w:pStyle w:val="H"/></w:pPr><w:r><w:t>Tides</w:t></w:r></w:p>'
    styles = '<w:style w:styleId="H"><w:name w:val="heading 2"/></w:style><w:style><w:name w:val="odd"/></w:style>'
    body = heading + marked("b", "Bold.") + marked('u w:val="single"', "Under.") + marked("dstrike", "Struck.")
    result = read_file("a.docx", make_docx(body, {"styles.xml": ("styles", part("styles", styles))}))
    assert result.document.text == "## Tides\n\n**Bold.**\n\n<u>Under.</u>\n\n~~Struck.~~"
    assert result.notes == ()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.html", "<html><body><p>Chunk words.</p></body></html>"),
        ("a.txt", "Chunk words."),
        ("a.mht", "MIME-Version: 1.0\nContent-Type: text/html\n\n<p>Chunk words.</p>"),
    ],
)
def test_chunks_of_other_formats_stand_in_their_place(read, make_docx, p, name, content):
    body = p("Before.") + '<w:altChunk r:id="aFChunk"/>' + p("After.")
    assert read("a.docx", make_docx(body, {name: ("aFChunk", content)})).text == "Before.\n\nChunk words.\n\nAfter."


def test_a_chunk_that_is_a_document_and_chunks_that_cannot_be_read(read_file, make_docx, p):
    body = p("Before.") + '<w:altChunk r:id="aFChunk"/>'
    inner = make_docx(p("Inner words."))
    assert read_file("a.docx", make_docx(body, {"b.docx": ("aFChunk", inner)})).document.text.endswith("Inner words.")
    for content, reason in ((b"{\\rtf1 x}", "it is RTF"), (inner[:90], "binary data")):
        result = read_file("b.docx", make_docx(body, {"c.bin": ("aFChunk", content)}))
        assert result.document.text == "Before."
        assert [note.startswith("the part c.bin is left out") and reason in note for note in result.notes] == [True]
    nested = inner
    for _ in range(5):
        nested = make_docx(body, {"b.docx": ("aFChunk", nested)})
    assert "more than 3 documents" in read_file("c.docx", nested).notes[0]


@pytest.mark.parametrize("fallback", ["", "<mc:Fallback><w:pict/></mc:Fallback>", "<mc:Fallback>{vml}</mc:Fallback>"])
def test_a_text_box_is_read_once(read, make_docx, p, fallback):
    vml = f"<w:pict><v:rect><v:textbox><w:txbxContent>{p('Boxed words.')}</w:txbxContent></v:textbox></v:rect></w:pict>"
    body = TEXT_BOX.format(box=p("Boxed words."), fallback=fallback.format(vml=vml)) + p("After.")
    assert read("a.docx", make_docx(body)).text == "Before.\n\nBoxed words.\n\nAfter."


def test_elements_around_text_do_not_take_it_along(read, make_docx):
    run = "<w:r><w:t>{}</w:t></w:r>"
    body = "<w:p>" + run.format("Dear ") + '<w:fldSimple w:instr="NAME">' + run.format("Ann") + "</w:fldSimple>" + (
        "<w:bdo>" + run.format(" B.") + "</w:bdo><w:ins>" + run.format(" new") + "</w:ins>"
        "<w:del><w:r><w:delText>old</w:delText></w:r></w:del>"
        "<w:sdt><w:sdtContent>" + run.format(" control") + "</w:sdtContent></w:sdt></w:p>"
    )  # fmt: skip
    assert read("a.docx", make_docx(body)).text == "Dear Ann B. new control"


def test_text_in_elements_that_nobody_knows_is_added(read, make_docx, p):
    body = p("Before.") + f"<w:unheard>{p('In a new element.')}</w:unheard>" + p("After.")
    assert read("a.docx", make_docx(body)).text == "Before.\n\nAfter.\n\nIn a new element."


def test_charts_and_diagrams_stand_in_their_place(read, make_docx, part, p):
    drawing = "<w:p><w:r><w:drawing><wp:inline><a:graphic><a:graphicData>{}</a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"  # noqa: E501
    body = drawing.format('<c:chart r:id="chart"/>') + drawing.format('<dgm:relIds r:dm="diagramData"/>') + p("After.")
    parts = {
        "charts/chart1.xml": ("chart", part("x", CHART)),
        "diagrams/data1.xml": ("diagramData", part("x", "<a:p><a:r><a:t>Step one</a:t></a:r></a:p>")),
    }
    assert read("a.docx", make_docx(body, parts)).text == (
        "Ships\n\n|  | Arrived |\n| --- | --- |\n| May | 4 |\n| June | 7 |\n\n- Step one\n\nAfter."
    )


def test_what_the_converter_stumbles_over_is_read_as_paragraphs(read_file, make_docx, p):
    body = (
        p("Before.")
        + '<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val="x"/></w:tcPr>'
        + p("Cell.")
        + "</w:tc></w:tr></w:tbl>"
    )
    result = read_file("a.docx", make_docx(body))
    assert result.document.text == "Before.\n\nCell."
    assert result.notes[0].startswith("read as plain paragraphs, for its formatting is broken: invalid literal")


def test_a_large_document_is_read_as_paragraphs_in_little_time(read_file, make_docx, part, p):
    styles = part("styles", '<w:style w:type="paragraph" w:styleId="U1"><w:name w:val="heading 2"/></w:style>')
    heading = '<w:p><w:pPr><w:pStyle w:val="U1"/></w:pPr><w:r><w:t>Tides</w:t></w:r></w:p>'
    rest = "".join(p(f"Paragraph number {number}" + " of many words" * 80) for number in range(5_000))
    content = make_docx(
        heading + rest + '<w:altChunk r:id="aFChunk"/>',
        {"styles.xml": ("styles", styles), "a.html": ("aFChunk", "<p>Chunk words.</p>")},
    )
    result = read_file("a.docx", content)
    assert result.document.text.startswith("## Tides\n\nParagraph number 0 of many")
    assert result.document.text.endswith(" of many words\n\nChunk words.")
    assert result.notes[0].startswith("read as plain paragraphs, for it is large: 5,")


def test_headers_are_found_where_no_relation_names_them(read, make_docx, part, p):
    text = read("a.docx", make_docx(p("Body."), extra={"word/header2.xml": part("hdr", p("Contract 4711"))})).text
    assert text == "Body.\n\n## Headers and footers\n\nContract 4711"


def test_embedded_files_are_told_of(read_file, make_docx, p):
    result = read_file("a.docx", make_docx(p("Body."), extra={"word/embeddings/table.xlsx": b"x"}))
    assert result.notes == ("embedded files are not read: table.xlsx",)


@pytest.mark.parametrize("name", ["a.docx", "a.pptx", "a.xlsx", "a.epub"])
def test_what_cannot_be_read_says_why(read, make_zip, name):
    encrypted = archives.OLE + b"\0" * 64 + archives.ENCRYPTED_PACKAGE
    for content, reason in [
        (b"no archive at all", "no zip archive"),
        (make_zip({"other.txt": "x"})[:-30], "no zip archive"),
        (make_zip({"other.txt": "x"}), "broken file|broken book"),
        (encrypted, "encrypted: it opens with a password only"),
        (archives.OLE + b"\0" * 64, "before 2007"),
        (
            make_zip({"word/document.xml": " " * (archives.MARKUP_LIMIT + 1)}),
            "too large: its text unpacks to 67,108,865",
        ),
    ]:
        if name == "a.xlsx" and "too large" in reason:
            continue
        with pytest.raises(ReadError, match=reason):
            read(name, content)


def test_a_body_that_is_not_well_formed_is_read_as_paragraphs(read_file, make_docx, p):
    for broken in ("<w:b>", "</w:q>", "&nbsp;", "<w:r", "\x0b"):
        result = read_file("a.docx", make_docx(p("Before.") + broken + p("After.")))
        assert [line for line in result.document.text.split("\n\n") if line in ("Before.", "After.")] == [
            "Before.",
            "After.",
        ]
        assert result.notes == (
            "parts that are no well-formed XML are read as far as they can be told apart: word/document.xml",
        )
