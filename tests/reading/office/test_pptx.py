import io
import re
import zipfile

import pptx
import pytest
from pptx.chart.data import CategoryChartData, XyChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from qdrant_embed.errors import ReadError

A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
P = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'


def saved(show):
    buffer = io.BytesIO()
    show.save(buffer)
    return buffer.getvalue()


def changed(content, changes, relations=""):
    """Change parts of a file, add new ones, and relations to the first slide."""
    source, buffer = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            text = source.read(name)
            if name in changes and changes[name] is None:
                continue
            if name == "ppt/slides/_rels/slide1.xml.rels":
                text = text.replace(b"</Relationships>", relations.encode() + b"</Relationships>")
            target.writestr(name, changes[name](text) if name in changes else text)
        for name in set(changes) - set(source.namelist()):
            target.writestr(name, changes[name](b""))
    return buffer.getvalue()


@pytest.fixture
def make_show():
    def make(*slides):
        show = pptx.Presentation()
        for title, text in slides:
            slide = show.slides.add_slide(show.slide_layouts[5])
            slide.shapes.title.text = title
            slide.shapes.add_textbox(0, Inches(3), Inches(4), Inches(1)).text_frame.text = text
        return show

    return make


def test_slides_are_pages(read, make_show):
    show = make_show(("Cranes", "Four lifts twelve tons."), ("Keys", "Rotated every ninety days."))
    show.core_properties.title = "PowerPoint Presentation"  # as the program itself writes
    document = read("show.pptx", saved(show))
    assert document.text == "# Cranes\nFour lifts twelve tons.\n\n# Keys\nRotated every ninety days."
    assert (document.title, document.text_type) == ("Cranes", "text/markdown")
    assert document.page_at(document.text.index("Rotated")) == 2


def test_notes_charts_and_what_follows_a_chart(read, make_show):
    show = make_show(("Ships", "By month."))
    show.slides[0].notes_slide.notes_text_frame.text = "Say it slowly."
    categories = CategoryChartData()
    categories.categories = ["May", "June"]
    categories.add_series("Arrived", (4, 7.5))
    show.slides[0].shapes.add_chart(XL_CHART_TYPE.PIE, 0, 0, Inches(3), Inches(3), categories)
    points = XyChartData()
    points.add_series("Depths").add_data_point(2.25, 17.75)
    show.slides[0].shapes.add_chart(XL_CHART_TYPE.XY_SCATTER, 0, 0, Inches(3), Inches(3), points)
    text = read("show.pptx", saved(show)).text
    assert all(f"\n{line}\n" in text for line in ("| June | 7.5 |", "# Ships", "By month."))
    assert all(words in text for words in ("Say it slowly.", "Depths", "2.25", "17.75"))
    assert text.count("| June | 7.5 |") == 1


def test_hidden_slides_comments_and_diagrams(read_file, make_show):
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
    relations = (
        f'<Relationship Id="c1" Type="{kind}comments" Target="../comments/comment1.xml"/>'
        f'<Relationship Id="d1" Type="{kind}diagramData" Target="../diagrams/data1.xml"/>'
    )
    content = changed(
        saved(make_show(("Cranes", "Four."))),
        {
            "ppt/slides/slide1.xml": lambda text: text.replace(b"<p:sld ", b'<p:sld show="0" ', 1),
            "ppt/comments/comment1.xml": lambda _: f"<p:cmLst {P}><p:cm><p:text>Too long?</p:text></p:cm></p:cmLst>",
            "ppt/diagrams/data1.xml": lambda _: f"<x {A}><a:p><a:r><a:t>Step one</a:t></a:r></a:p></x>",
        },
        relations,
    )
    result = read_file("show.pptx", content)
    assert result.document.text == "# Cranes\nFour.\n\n- Comment: Too long?\n\n- Step one"
    assert result.notes == ("slide 1 is hidden, and is read too",)


def test_shapes_are_read_from_top_to_bottom_groups_and_tables_too(read, make_show):
    show = make_show(("Cranes", "Below."))
    slide = show.slides[0]
    group = slide.shapes.add_group_shape()
    for top, text in ((2.6, "second"), (2.2, "first")):
        group.shapes.add_textbox(0, Inches(top), Inches(1), Inches(1)).text_frame.text = text
    table = slide.shapes.add_table(2, 2, 0, Inches(2), Inches(4), Inches(1)).table
    for row, column, text in ((0, 0, "Crane"), (0, 1, "Tons"), (1, 0, "four\nold"), (1, 1, "12")):
        table.cell(row, column).text = text
    text = read("a.pptx", saved(show)).text
    assert "| Crane | Tons |\n| --- | --- |\n| four old | 12 |" in text
    assert [text.index(word) for word in ("# Cranes", "Crane |", "first", "second", "Below.")] == sorted(
        text.index(word) for word in ("# Cranes", "Crane |", "first", "second", "Below.")
    )


def test_a_shape_that_cannot_be_read_leaves_the_others_as_they_are(read_file, make_show):
    show = make_show(("Cranes", "Four."), ("Keys", "Ninety days."))
    show.slides[0].shapes.add_table(1, 1, 0, Inches(2), Inches(4), Inches(1)).table.cell(0, 0).text = "Twelve tons."
    without_rows = {"ppt/slides/slide1.xml": lambda text: text.replace(b"<a:tblGrid>", b"<a:tblGrid><a:gridCol/>")}
    broken = {"ppt/slides/slide1.xml": lambda text: re.sub(rb"<a:tbl>.*</a:tbl>", b"<a:tbl></a:tbl>", text, flags=re.S)}
    for changes in (without_rows, broken):
        result = read_file("a.pptx", changed(saved(show), changes))
        assert result.document.text.startswith("# Cranes") and result.document.text.endswith("# Keys\nNinety days.")


def test_slides_that_are_missing_or_break_the_converter_are_told_of(read_file, make_show):
    content = saved(make_show(("Cranes", "Four."), ("Keys", "Ninety days.")))
    result = read_file("a.pptx", changed(content, {"ppt/slides/slide2.xml": None}))
    assert "Four." in result.document.text
    assert "slide 2 is missing in the file" in result.notes
    odd = changed(content, {"ppt/slides/slide1.xml": lambda text: re.sub(rb'<a:off x="0"', b'<a:off x="none"', text)})
    result = read_file("b.pptx", odd)
    assert all(word in result.document.text for word in ("Cranes", "Four.", "Keys", "Ninety days."))
    assert result.notes[0].startswith("read as plain paragraphs")


def test_a_presentation_whose_first_part_is_damaged(read, read_file, make_show):
    content = saved(make_show(("Cranes", "Four."), ("Keys", "Ninety days.")))
    cut = {"ppt/presentation.xml": lambda text: text[:200]}
    found = read_file("a.pptx", changed(content, cut))
    assert found.document.text == "Cranes\n\nFour.\n\nKeys\n\nNinety days."
    assert "damaged parts are left out: ppt/presentation.xml" in found.notes
    with pytest.raises(ReadError, match=r"its part ppt/presentation.xml is damaged"):
        read("a.pptx", changed(content, cut | {f"ppt/slides/slide{number}.xml": None for number in (1, 2)}))
