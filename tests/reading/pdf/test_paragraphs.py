import pytest

from qdrant_embed.reading.pdf.paragraphs import unwrap

LONG = "This line is as long as the lines of a paragraph are and it"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([LONG, "goes on."], f"{LONG} goes on."),
        ([LONG[:-6] + "end.", "Next one."], f"{LONG[:-6]}end.\nNext one."),
        ([LONG, "short", "lines", LONG], f"{LONG} short\nlines\n{LONG}"),
        ([LONG, "2. item", LONG, "17"], f"{LONG}\n2. item\n{LONG}\n17"),
        ([LONG, "", "New paragraph"], f"{LONG}\n\nNew paragraph"),
        ([LONG[:-2] + "exam\x02", "ple."], f"{LONG[:-2]}example."),
        (["漢" * 50, "字" * 3], "漢" * 50 + "字" * 3),
        (["1 Foo 2", "2 Bar 2"], "1 Foo 2\n2 Bar 2"),
        ([""], ""),
    ],
)
def test_lines_of_a_paragraph_are_joined(lines, expected):
    assert unwrap("\n".join(lines)) == expected
