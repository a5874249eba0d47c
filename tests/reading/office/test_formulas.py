import pytest
from lxml import etree

from qdrant_embed.reading.office.formulas import latex_of

M = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'


def run(text):
    return f"<m:r><m:t>{text}</m:t></m:r>"


def part(name, text):
    return f"<m:{name}>{run(text)}</m:{name}>"


def prop(kind, name, value):
    return f'<m:{kind}><m:{name} m:val="{value}"/></m:{kind}>'


def latex(inside):
    return latex_of(etree.fromstring(f"<m:oMath {M}>{inside}</m:oMath>"))


MATRIX = "".join(f"<m:mr>{part('e', one)}{part('e', other)}</m:mr>" for one, other in ("10", "01"))


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        (run("a ≤ b"), "a ≤ b"),
        (f"<m:f>{part('num', 'a+b')}{part('den', '2')}</m:f>", r"\frac{a+b}{2}"),
        (f"<m:f>{prop('fPr', 'type', 'lin')}{part('num', 'a')}{part('den', '2')}</m:f>", "a/2"),
        (f"<m:f>{prop('fPr', 'type', 'noBar')}{part('num', 'n')}{part('den', 'k')}</m:f>", r"\binom{n}{k}"),
        (f"<m:rad><m:deg/>{part('e', 'x')}</m:rad>", r"\sqrt{x}"),
        (f"<m:rad>{part('deg', '3')}{part('e', 'x')}</m:rad>", r"\sqrt[3]{x}"),
        (f"<m:sSup>{part('e', 'e')}{part('sup', '−x')}</m:sSup>", "e^{−x}"),
        (f"<m:sSub>{part('e', 'a+b')}{part('sub', 'i')}</m:sSub>", "{a+b}_{i}"),
        (f"<m:sSubSup>{part('e', 'x')}{part('sub', '1')}{part('sup', '2')}</m:sSubSup>", "x_{1}^{2}"),
        (f"<m:sPre>{part('sub', '6')}{part('sup', '14')}{part('e', 'C')}</m:sPre>", "{}_{6}^{14}C"),
        (
            f"<m:nary>{prop('naryPr', 'chr', '∑')}{part('sub', 'i=1')}{part('sup', 'n')}{part('e', 'i')}</m:nary>",
            r"\sum_{i=1}^{n} i",
        ),
        (f"<m:nary>{part('sub', '0')}{part('sup', '1')}{part('e', 'f')}</m:nary>", r"\int_{0}^{1} f"),
        (f"<m:d>{part('e', 'x')}{part('e', 'y')}</m:d>", "(x | y)"),
        (f'<m:d><m:dPr><m:begChr m:val="{{"/><m:endChr m:val=""/></m:dPr>{part("e", "x")}</m:d>', r"\left\{ x \right."),
        (f"<m:m>{MATRIX}</m:m>", r"\begin{matrix} 1 & 0 \\ 0 & 1 \end{matrix}"),
        (f"<m:eqArr>{part('e', 'x=1')}{part('e', 'y=2')}</m:eqArr>", r"\begin{array}{l} x=1 \\ y=2 \end{array}"),
        (f"<m:func>{part('fName', 'sin')}{part('e', 'θ')}</m:func>", r"\sin θ"),
        (f"<m:func>{part('fName', 'wind')}{part('e', 'θ')}</m:func>", "wind θ"),
        (f"<m:limLow>{part('e', 'lim')}{part('lim', 'n→∞')}</m:limLow>", r"\lim_{n→∞}"),
        (f"<m:acc>{prop('accPr', 'chr', '⃗')}{part('e', 'v')}</m:acc>", r"\vec{v}"),
        (f"<m:acc>{part('e', 'v')}</m:acc>", r"\hat{v}"),
        (f"<m:bar>{prop('barPr', 'pos', 'top')}{part('e', 'x')}</m:bar>", r"\overline{x}"),
        (f"<m:groupChr>{part('e', 'x')}</m:groupChr>", r"\underbrace{x}"),
        ("<m:r><m:rPr><m:nor/></m:rPr><m:t>if wet</m:t></m:r>", r"\text{if wet}"),
        (run("sin\u2061θ"), "sin θ"),
        (run("50 % of $_{a}\\b"), r"50 \% of \$_\{a\}\backslash b"),
    ],
)
def test_forms(inside, expected):
    assert latex(inside) == expected


def test_what_is_missing_or_unknown_loses_no_text():
    assert latex("<m:f><m:num/></m:f>") == r"\frac{}{}"
    assert latex(f"<m:later>{run('new')}</m:later><m:nary/>").startswith("new")


def test_formulas_as_deep_as_a_file_can_be():
    deep = run("x")
    for _ in range(90):
        deep = f"<m:f><m:num>{deep}</m:num><m:den>{run('2')}</m:den></m:f>"
    assert latex(deep).count("x") == 1
