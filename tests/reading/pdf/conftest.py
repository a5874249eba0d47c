"""A builder of PDFs object by object."""

import pytest


@pytest.fixture
def draw_pdf():
    """Return a function that makes a PDF of the drawing commands of each page, and of further objects from number 100.

    A page can use the font F1 and the image I1.
    """

    def make(pages, objects=(), *, page="", catalog=""):
        kids = " ".join(f"{10 + 2 * n} 0 R" for n in range(len(pages)))
        image = "<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 "
        numbered = {
            1: f"<< /Type /Catalog /Pages 2 0 R {catalog} >>",
            2: f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
            3: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            4: f"{image}/Length 1 >>\nstream\n0\nendstream",
        }
        for n, commands in enumerate(pages):
            numbered[10 + 2 * n] = (
                f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {11 + 2 * n} 0 R {page} "
                "/Resources << /Font << /F1 3 0 R >> /XObject << /I1 4 0 R >> >> >>"
            )
            numbered[11 + 2 * n] = f"<< /Length {len(commands)} >>\nstream\n{commands}\nendstream"
        numbered |= dict(enumerate(objects, start=100))
        body, offsets = b"%PDF-1.7\n", {}
        for number, content in numbered.items():
            offsets[number] = len(body)
            body += f"{number} 0 obj\n{content}\nendobj\n".encode("latin-1")
        table = "".join(f"{number} 1\n{offset:010} 00000 n \n" for number, offset in offsets.items())
        trailer = f"trailer\n<< /Size 200 /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
        return body + f"xref\n0 1\n0000000000 65535 f \n{table}{trailer}".encode()

    return make


@pytest.fixture
def line():
    """Return a function that gives the commands that draw a line of text."""
    return lambda x, y, text: f"BT /F1 10 Tf {x} {y} Td ({text}) Tj ET"
