from pathlib import Path

import pytest

from qdrant_embed.errors import ReadError

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


def test_the_xml_of_2003(read, read_file):
    text = read("a.xls", SPREADSHEET).text
    assert text == "## Berths\n\nShip: Aurora\nArrived: 2024-03-09\n\nLength"
    cut = read_file("a.xls", SPREADSHEET[:-40])
    assert cut.document.text == text
    assert cut.notes[0].startswith("no well-formed XML (")


def test_a_row_that_the_xml_of_2003_leaves_out_ends_a_table(read):
    rows = [("", "Name", "City"), ("", "Ann", "Oslo"), (' ss:Index="4"', "Port", "Depth"), ("", "Oslo", "12")]
    names = "urn:schemas-microsoft-com:office:spreadsheet"
    written = "".join(
        f"<Row{place}><Cell><Data>{one}</Data></Cell><Cell><Data>{other}</Data></Cell></Row>"
        for place, one, other in rows
    )
    text = f'<?xml version="1.0"?><Workbook xmlns="{names}" xmlns:ss="{names}">'
    text += f'<Worksheet ss:Name="Ports"><Table>{written}</Table></Worksheet></Workbook>'
    assert read("ports.xls", text).text == "## Ports\n\nName: Ann\nCity: Oslo\n\nPort: Oslo\nDepth: 12"
