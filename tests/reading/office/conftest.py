"""Builders of Office files part by part, as other programs than Office write them."""

import pytest

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
NAMESPACES = (
    f'xmlns:w="{W}" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" '
    'xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram" '
    'xmlns:v="urn:schemas-microsoft-com:vml"'
)
TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"


def relations(targets):
    """Return the XML of relations, given as kind=target; each is named after its kind."""
    inside = "".join(f'<Relationship Id="{kind}" Type="{KIND}{kind}" Target="{to}"/>' for kind, to in targets.items())
    return (
        f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{inside}</Relationships>'
    )


@pytest.fixture
def make_docx(make_zip):
    """Return a function that makes a DOCX of the XML of its body, and of other parts: name → (kind, content)."""

    def make(body, parts=None, extra=None):
        parts = parts or {}
        members = {
            "[Content_Types].xml": TYPES,
            "_rels/.rels": relations({"officeDocument": "word/document.xml"}),
            "word/document.xml": f"<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>",
            "word/_rels/document.xml.rels": relations({kind: name for name, (kind, _) in parts.items()}),
        }
        members |= {f"word/{name}": content for name, (_, content) in parts.items()}
        return make_zip(members | (extra or {}))

    return make


@pytest.fixture
def part():
    """Return a function that makes the XML of a part of a DOCX."""
    return lambda tag, inside: f"<w:{tag} {NAMESPACES}>{inside}</w:{tag}>"


@pytest.fixture
def p():
    """Return a function that makes the XML of a paragraph."""
    return lambda text: f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"
