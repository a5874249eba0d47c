import datetime
import io
import zipfile

import openpyxl
import pytest
import xlsxwriter
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill

from qdrant_embed.errors import ReadError

SPREADSHEET = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def saved(book):
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def changed(content, changes):
    """Change parts of a workbook, given as name → function of its bytes; None takes one out."""
    source, buffer = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            if name not in changes or changes[name] is not None:
                target.writestr(name, changes.get(name, lambda text: text)(source.read(name)))
    return buffer.getvalue()


@pytest.fixture
def berths():
    book = openpyxl.Workbook()
    book.active.title = "Berths"
    for row in [
        ("Report", None, None, None),
        ("Ship", "Length", "Arrived", "Insured"),
        ("Aurora", 84.5, datetime.datetime(2024, 3, 9), True),
        (None, None, None, None),
        ("Boreas", 61.0, datetime.datetime(2024, 3, 9, 6, 30), None),
    ]:
        book.active.append(row)
    return book


def test_xlsx(read, berths):
    berths.create_sheet("Empty")
    berths.create_sheet("Numbers").append((1, 2))
    berths.properties.title = "Spring"
    document = read("berths.xlsx", saved(berths))
    assert document.text == (
        "## Berths\n\nReport\n\nShip: Aurora\nLength: 84.5\nArrived: 2024-03-09\nInsured: True\n\n"
        "Ship: Boreas\nLength: 61\nArrived: 2024-03-09T06:30:00\n\n## Numbers\n\n1 | 2"
    )
    assert (document.title, document.text_type) == ("Spring", "text/markdown")


@pytest.mark.parametrize("names", ["openpyxl", "xlsxwriter", "stripped"])
def test_formulas_stand_where_there_is_no_value(read_file, names):
    rows = [("Item", "Price", "Total"), ("Rope", 3, "=B2*2"), ("Sail", 5, '=HYPERLINK("http://x.example","Harbour")')]
    if names == "xlsxwriter":
        buffer = io.BytesIO()
        book = xlsxwriter.Workbook(buffer)
        sheet = book.add_worksheet("Sheet")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row[:2])
            sheet.write(number, 2, row[2])
        book.close()
        content = buffer.getvalue()
    else:
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        content = saved(book)
    if names == "stripped":  # as Apache POI leaves them
        content = changed(
            content, {"xl/worksheets/sheet1.xml": lambda text: text.replace(b"<v></v>", b"").replace(b"<v />", b"")}
        )
    result = read_file("a.xlsx", content)
    assert result.document.text.endswith(
        'Item: Rope\nPrice: 3\nTotal: =B2*2\n\nItem: Sail\nPrice: 5\nTotal: =HYPERLINK("http://x.example","Harbour")'
    )
    assert result.notes == ("formulas without a computed value are given as formulas: 2 cells",)


def test_values_of_formulas_stand_as_they_were_computed(read_file, make_sheet):
    cells = (
        '<c r="A1"><f>1+1</f><v>2</v></c><c r="B1" t="str"><f>IF(A1,"","x")</f><v></v></c>'
        '<c r="C1" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="D1" t="str"><f>"a"</f><v>words</v></c>'
    )
    result = read_file("a.xlsx", make_sheet(f"<row>{cells}</row>"))
    assert (result.document.text, result.notes) == ("## Sheet\n\n2 | #DIV/0! | words", ())


def test_formulas_that_share_one_are_translated(read, make_sheet):
    rows = (
        '<row r="1"><c r="B1"><f t="shared" ref="B1:B3" si="0">A1*2</f></c></row>'
        '<row r="2"><c r="B2"><f t="shared" si="0"/></c></row><row r="3"><c r="B3"><f t="shared" si="7"/></c></row>'
    )
    assert read("a.xlsx", make_sheet(rows)).text == "## Sheet\n\n=A1*2\n\n=A2*2"


@pytest.fixture
def make_sheet(make_zip):
    """Return a function that makes a workbook of the XML of the rows of its only sheet."""

    def make(rows, more=None, *, namespace=SPREADSHEET):
        relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        related = f'<Relationship Id="r1" Type="{relation}/worksheet" Target="worksheets/sheet1.xml"/>'
        members = {
            "xl/workbook.xml": f'<workbook {namespace} xmlns:r="{relation}"><sheets><sheet name="Sheet" sheetId="1" '
            'r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f"<Relationships>{related}</Relationships>",
            "xl/worksheets/sheet1.xml": f'<worksheet {namespace}><dimension ref="A1"/><sheetData>{rows}</sheetData>'
            "</worksheet>",
        }
        return make_zip(members | (more or {}))

    return make


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ('<row><c t="inlineStr"><is><r><t>Rich </t></r><r><t>1</t></r><rPh><t>x</t></rPh></is></c></row>', "Rich 1"),
        ('<row r="1048576"><c r="XFD1048576"><v>7</v></c></row>', "7"),
        ('<row><c r="A1" t="s"><v>9</v></c><c r="B1"><v>none</v></c><c r="zz"><v>1E+3</v></c></row>', "none | 1000"),
        ('<row><c t="b"><v>1</v></c><c t="d"><v>2024-03</v></c><c s="99"><v>3</v></c></row>', "True | 2024-03 | 3"),
        ('<row><c t="str"><v>two_x000A_lines</v></c></row>', "two\nlines"),
    ],
)  # fmt: skip
def test_cells_of_odd_writers(read, make_sheet, rows, text):
    assert read("a.xlsx", make_sheet(rows)).text == f"## Sheet\n\n{text}"


def test_workbooks_in_the_strict_form_are_read(read, make_sheet):
    strict = 'xmlns="http://purl.oclc.org/ooxml/spreadsheetml/main"'
    assert read("a.xlsx", make_sheet("<row><c><v>7</v></c></row>", namespace=strict)).text == "## Sheet\n\n7"


def test_hidden_sheets_comments_and_charts_are_read_and_told_of(read_file, berths):
    costs = berths.create_sheet("Costs")
    costs.append(("Rent", 5))
    costs.sheet_state = "hidden"
    costs["B1"].comment = Comment("Too much?", "Ann")
    chart = BarChart()
    chart.title = "Rent by year"
    chart.add_data(Reference(costs, min_col=2, min_row=1, max_row=1))
    costs.add_chart(chart, "D2")
    result = read_file("a.xlsx", saved(berths))
    assert result.document.text.endswith("## Costs\n\nRent | 5\n\nRent by year\n\n### Comments\n\n- B1: Too much?")
    assert result.notes == ("1 hidden sheet read too: Costs",)


def test_dates_are_dates_whatever_the_format_is_called(read, berths):
    berths.active["C3"].number_format = 'dd"."mm"."yy'
    berths.active["B3"].number_format = "0.00%"
    berths.active["B3"].fill = PatternFill("solid", fgColor="FFFF00")
    assert "Length: 84.5\nArrived: 2024-03-09\n" in read("a.xlsx", saved(berths)).text


def test_damaged_parts_are_told_of_and_the_rest_is_read(read_file, berths):
    content = saved(berths)
    broken = changed(content, {"xl/styles.xml": lambda text: text[:50]})
    result = read_file("a.xlsx", broken)
    assert "Ship: Aurora" in result.document.text
    assert result.notes == ("damaged parts are left out: xl/styles.xml",)
    cut = changed(content, {"xl/worksheets/sheet1.xml": lambda text: text[: text.index(b'<row r="5"')]})
    result = read_file("b.xlsx", cut)
    assert "Ship: Aurora" in result.document.text
    told = "parts that are no well-formed XML are read as far as they can be told apart: "
    assert result.notes == (f"{told}xl/worksheets/sheet1.xml",)
    missing = changed(content, {"xl/worksheets/sheet1.xml": None})
    assert read_file("c.xlsx", missing).notes[0] == "a sheet is missing in the file: Berths"


@pytest.mark.parametrize("damage", ["<v>", "</q>", "&nbsp;", "\x0b", "<c"])
def test_rows_and_strings_after_what_breaks_the_rules_are_read(read_file, make_sheet, damage):
    strings = f"<sst {SPREADSHEET}><si><t>Ship</t></si>{damage}<si><t>Port</t></si></sst>"
    rows = f'<row r="1"><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row>{damage}<row r="2"><c><f>A9</f></c><c/></row>'
    found = read_file("a.xlsx", make_sheet(rows, {"xl/sharedStrings.xml": strings}))
    assert found.document.text.endswith("Ship: =A9\n\nPort")
    assert any(note.endswith("formulas: 1 cells") for note in found.notes)
    assert any(note.endswith("told apart: xl/sharedStrings.xml, xl/worksheets/sheet1.xml") for note in found.notes)


def test_a_text_that_many_cells_share_does_not_fill_the_memory(read, make_sheet):
    shared = {"xl/sharedStrings.xml": f"<sst {SPREADSHEET}><si><t>{'words ' * 100_000}</t></si></sst>"}
    rows = '<row><c t="s"><v>0</v></c></row>' * 5_000  # 3 GB of text
    with pytest.raises(ReadError, match="too large: its text would be more than"):
        read("a.xlsx", make_sheet(rows, shared))


def test_a_second_table_of_a_sheet_has_its_own_names(read):
    book = openpyxl.Workbook()
    for row in [("Name", "City"), ("Ann", "Oslo"), (), ("Port", "Depth"), ("Oslo", 12)]:
        book.active.append(row)
    assert read("two.xlsx", saved(book)).text == "## Sheet\n\nName: Ann\nCity: Oslo\n\nPort: Oslo\nDepth: 12"
