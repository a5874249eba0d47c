import datetime
import io
from pathlib import Path

import openpyxl
import pytest

from qdrant_embed.errors import ReadError


def test_xlsx(read):
    book = openpyxl.Workbook()
    berths = book.active
    berths.title = "Berths"
    for row in [
        ("Report", None, None, None),
        ("Ship", "Length", "Arrived", "Insured"),
        ("Aurora", 84.5, datetime.datetime(2024, 3, 9), True),
        (None, None, None, None),
        ("Boreas", 61.0, datetime.datetime(2024, 3, 9, 6, 30), None),
    ]:
        berths.append(row)
    book.create_sheet("Empty")
    book.create_sheet("Numbers").append((1, 2))
    book.properties.title = "Spring"
    buffer = io.BytesIO()
    book.save(buffer)
    document = read("berths.xlsx", buffer.getvalue())
    assert document.text == (
        "## Berths\n\nReport\n\nShip: Aurora\nLength: 84.5\nArrived: 2024-03-09\nInsured: True\n\n"
        "Ship: Boreas\nLength: 61\nArrived: 2024-03-09T06:30:00\n\n## Numbers\n\n1 | 2"
    )
    assert (document.title, document.text_type) == ("Spring", "text/markdown")


def test_xls(read):
    pytest.importorskip("xlrd")
    content = (Path(__file__).parent / "data" / "berths.xls").read_bytes()
    assert read("berths.xls", content).text == (
        "## Berths\n\nShip: Aurora\nLength: 84.5\nArrived: 2024-03-09\nInsured: True"
    )
    with pytest.raises(ReadError, match="broken file"):
        read("broken.xls", b"nothing of the kind")
