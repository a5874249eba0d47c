import io

import pptx
import pytest
from pptx.util import Inches

from qdrant_embed.errors import ReadError
from qdrant_embed.reading import archives

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)
CORE = (
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{}</dc:title></cp:coreProperties>'
)


@pytest.fixture
def make_docx(make_zip):
    def make(paragraphs, title=None):
        body = "".join(
            f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>'
            for style, text in paragraphs
        )
        members = {"[Content_Types].xml": TYPES, "_rels/.rels": RELATIONS}
        members["word/document.xml"] = f"<w:document {W}><w:body>{body}</w:body></w:document>"
        members["word/styles.xml"] = f"<w:styles {W}>" + "".join(
            f'<w:style w:type="paragraph" w:styleId="{name}"><w:name w:val="{name}"/></w:style>'
            for name in ("Title", "Normal")
        ) + "</w:styles>"  # fmt: skip
        members["word/_rels/document.xml.rels"] = (
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
            'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/>'
            "</Relationships>"
        )
        if title is not None:
            members["docProps/core.xml"] = CORE.format(title)
        return make_zip(members)

    return make


def test_docx(read, make_docx):
    content = make_docx([("Title", "Handbook"), ("Normal", "Call load_all, 2*3 times.")])
    document = read("a.docx", content)
    assert document.text == "# Handbook\n\nCall load_all, 2*3 times."
    assert (document.title, document.text_type) == ("Handbook", "text/markdown")
    assert read("b.docx", make_docx([("Normal", "Text")], title="From properties")).title == "From properties"


def test_pptx_slides_are_pages(read):
    show = pptx.Presentation()
    for title, text in [("Cranes", "Four lifts twelve tons."), ("Keys", "Rotated every ninety days.")]:
        slide = show.slides.add_slide(show.slide_layouts[5])
        slide.shapes.title.text = title
        slide.shapes.add_textbox(0, Inches(3), Inches(4), Inches(1)).text_frame.text = text
    show.core_properties.title = "PowerPoint Presentation"  # as the program itself writes
    buffer = io.BytesIO()
    show.save(buffer)
    document = read("show.pptx", buffer.getvalue())
    assert document.text == "# Cranes\nFour lifts twelve tons.\n\n# Keys\nRotated every ninety days."
    assert (document.title, document.text_type) == ("Cranes", "text/markdown")
    assert document.page_at(document.text.index("Rotated")) == 2


def test_epub(read, make_zip):
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
        "<dc:title>Knots</dc:title></metadata><manifest>"
        '<item id="b" href="b.xhtml"/><item id="a" href="a.xhtml"/></manifest>'
        '<spine><itemref idref="a"/><itemref idref="b"/></spine></package>'
    )
    chapter = '<html xmlns="http://www.w3.org/1999/xhtml"><body><h1>{}</h1><p>{}</p></body></html>'
    container = '<container><rootfiles><rootfile full-path="o/book.opf"/></rootfiles></container>'
    members = {"mimetype": "application/epub+zip", "META-INF/container.xml": container, "o/book.opf": package}
    members |= {"o/a.xhtml": chapter.format("One", "The bowline."), "o/b.xhtml": chapter.format("Two", "The hitch.")}
    document = read("knots.epub", make_zip(members))
    assert document.title == "Knots"
    assert document.text.endswith("# One\n\nThe bowline.\n\n# Two\n\nThe hitch.")


@pytest.mark.parametrize("name", ["a.docx", "a.pptx", "a.xlsx", "a.epub"])
def test_what_cannot_be_read_says_why(read, make_zip, name):
    encrypted = archives.OLE + b"\0" * 64 + archives.ENCRYPTED_PACKAGE
    for content, reason in [
        (b"no archive at all", "no zip archive"),
        (make_zip({"other.txt": "x"})[:-30], "no zip archive"),
        (make_zip({"other.txt": "x"}), "broken file"),
        (encrypted, "encrypted: it opens with a password only"),
        (archives.OLE + b"\0" * 64, "before 2007"),
    ]:
        with pytest.raises(ReadError, match=reason):
            read(name, content)
