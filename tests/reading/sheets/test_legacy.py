from pathlib import Path

import pytest

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.sheets.legacy import read_spreadsheet_xml

SPREADSHEET = """<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">
<Worksheet ss:Name="Berths"><Table>
<Row><Cell><Data ss:Type="String">Ship</Data></Cell><Cell><Data ss:Type="String">Length</Data></Cell>
<Cell><Data ss:Type="String">Arrived</Data></Cell></Row>
<Row><Cell><Data ss:Type="String">Aurora</Data></Cell>
<Cell ss:Index="3"><Data ss:Type="DateTime">2024-03-09T00:00:00.000</Data></Cell></Row>
</Table></Worksheet></Workbook>"""


def test_xls(read):
    pytest.importorskip("xlrd")
    content = (Path(__file__).parents[1] / "data" / "berths.xls").read_bytes()
    assert read("berths.xls", content).text == (
        "## Berths\n\nShip: Aurora\nLength: 84.5\nArrived: 2024-03-09\nInsured: True"
    )


def test_a_damaged_workbook_says_so(read):
    content = (Path(__file__).parents[1] / "data" / "berths.xls").read_bytes()
    for damaged in (b"nothing of the kind", content[:1500], content[:8] + b"\xff" * 504 + content[512:]):
        with pytest.raises(ReadError, match=r"broken file: it is damaged, or no workbook: \w+"):
            read("a.xls", damaged)


def test_the_xml_of_2003():
    text = read_spreadsheet_xml(SPREADSHEET.encode(), "a.xls").text
    assert text == "## Berths\n\nShip: Aurora\nArrived: 2024-03-09\n\nLength"
    with pytest.raises(ReadError, match="broken XML"):
        read_spreadsheet_xml(SPREADSHEET.encode()[:-40], "a.xls")
