import pytest

PAGE = """<!doctype html><html><head><meta charset="utf-8"><title> Opening
 hours </title><style>p {color: red}</style></head><body>
<nav><a href="/">Home</a></nav>
<main><h1>Opening hours</h1><script>track()</script>
<p>The <b>gates</b> open at <a href="https://x.y/long/address">six</a>; see load_all and 2*3.</p>
<img src="data:image/png;base64,AAAA" alt="the gates">
<table><tr><th>day</th><th>from</th></tr><tr><td>Monday</td><td>6</td></tr></table>
<pre><code>a_b = "c"</code></pre></main>
<footer>Imprint</footer></body></html>"""


def test_the_main_part_as_markdown(read):
    document = read("hours.html", PAGE)
    assert document.text == (
        "# Opening hours\n\nThe **gates** open at six; see load_all and 2*3.\n\nthe gates\n\n"
        '| day | from |\n| --- | --- |\n| Monday | 6 |\n\n```\na_b = "c"\n```'
    )
    assert (document.title, document.text_type) == ("Opening hours", "text/markdown")


def test_without_a_main_part_all_but_the_surroundings(read):
    document = read("a.htm", "<nav>Home</nav><h2>Keys</h2><p>Text</p><aside>Ad</aside><footer>Imprint</footer>")
    assert document.text == "## Keys\n\nText"
    assert document.title == "Keys"


def test_the_heading_above_the_main_part_is_kept(read):
    text = "<body><header><h1>Keys</h1></header><main><p>Text</p></main></body>"
    assert read("a.html", text).text == "# Keys\n\nText"


def test_the_declared_encoding_counts(read):
    page = '<html><head><meta charset="windows-1251"></head><body><p>Паром</p></body></html>'
    assert read("a.html", page.encode("cp1251")).text == "Паром"


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<form><h1>Notice</h1><p>Words.</p></form>", "# Notice\n\nWords."),
        ("<h3><button>How do I sail?</button></h3><p>So.</p>", "### How do I sail?\n\nSo."),
        ("<fieldset><legend>How often?</legend><label>Weekly</label><label>Daily</label></fieldset>",
         "How often?\n\n Weekly  Daily"),
        ("<p>Port: <select><optgroup><option>Oslo</option><option>Rome</option></optgroup></select></p>",
         "Port:  Oslo, Rome"),
        ("<textarea>typed words</textarea><input value='42'><input type=hidden value=token>", "typed words\n\n 42"),
        ("<details><summary>More</summary><p>Folded.</p></details><dialog>Asked.</dialog>",
         "More\n\nFolded.\n\nAsked."),
        ("<p>Intro</p><noscript><p>Open at nine.</p></noscript>", "Intro\n\nOpen at nine."),
        ("<p>Intro</p><noscript>Please enable JavaScript.</noscript>", "Intro"),
        ("<iframe srcdoc='<p>Inside</p>'></iframe><p>After</p>", "Inside\n\nAfter"),
        ("<object data=x><p>412 ships</p></object><canvas>Tides</canvas>", "412 ships\n\nTides"),
        ("<video>Your browser cannot play this.</video><p>After</p>", "After"),
        ("<frameset><frame src=x><noframes><body><p>Framed</p></body></noframes></frameset>", "Framed"),
        ("<svg><title>icon</title><text>Label</text></svg><svg><title>logo</title></svg>", "Label"),
        ("<template shadowrootmode=open><p>Card</p></template><template><p>{x}</p></template><p>End</p>",
         "Card\n\nEnd"),
        ("<dl><dt>Term</dt><dd>Meaning</dd></dl>", "Term\n:   Meaning"),
        ("<table><tr><td><table><tr><td>a</td><td>b</td></tr></table></td><td><p>Right</p></td></tr></table>",
         "| a | b |\n| --- | --- |\n\nRight"),
        ("<div hidden=until-found>Found</div><div hidden>Not shown</div>", "Found"),
        ("<img src='data:image/png;base64,AAAA'><a href='data:text/plain,x'>link</a>", "link"),
    ],
)  # fmt: skip
def test_what_stands_in_elements_of_every_name_is_read(read, page, expected):
    assert read("a.html", f"<html><body>{page}</body></html>").text == expected


@pytest.mark.parametrize(
    ("page", "kept", "left_out"),
    [
        ("<main><a href='#c'>Skip</a></main><div><p>All the words.</p></div>", ["All the words."], []),
        ("<div><p>Boats leave hourly until ten.</p></div><article>Ad: rope.</article>", ["Boats leave"], []),
        ("<main><p>First words.</p></main><main><p>Second words.</p></main>", ["First", "Second"], []),
        ("<article>Small one.</article><article>Small two.</article>", ["one", "two"], []),
        ("<main></main><div>Real words.</div>", ["Real words."], []),
        ("<main><div id=mw-content-text>Knots are tied.</div><ul><li><a href=x>Tools</a></ul></main>",
         ["Knots"], ["Tools"]),
        ("<main><p>Long enough main words.</p></main><aside>Warning: pier closed.</aside>"
         "<footer><address>Harbour office, pier 4</address></footer>", ["Warning", "pier 4"], []),
        ("<main><p>Words.</p></main><aside>Ad</aside><footer>© 2024 Harbour and sons</footer>",
         ["Words"], ["Ad", "Harbour"]),
        ("<nav><a href=x>Only this</a></nav>", ["Only this"], []),
        ("<template><p>Only this</p></template>", ["Only this"], []),
        ("<body hidden><p>Shown by a script</p></body>", ["Shown"], []),
        ("<noscript>You need to enable JavaScript.</noscript><div id=root></div>", ["enable"], []),
        ("<footer>Imprint</footer>", ["Imprint"], []),
        ("<title>Open <p>page of words", ["page of words"], []),
        ("<nav><p>" + "A long text in a wrong element. " * 10 + "</p></nav><p>End</p>", ["A long text", "End"], []),
    ],
)  # fmt: skip
def test_the_choice_of_the_main_part_never_loses_the_text(read, page, kept, left_out):
    text = read("a.html", page).text
    assert all(word in text for word in kept)
    assert not any(word in text for word in left_out)


def test_much_text_beside_the_main_part_is_told_of(read_file):
    words = "<p>Words of the page.</p>"
    result = read_file("a.html", f"<main>{words * 20}</main><div>{words * 15}</div>")
    assert result.notes == ("270 characters around the main part of the page are left out",)
    assert read_file("b.html", f"<main>{words * 20}</main><div>{words}</div>").notes == ()


def test_cdata_of_xhtml_is_text(read):
    body = "<body><p>a <![CDATA[b & <c>]]></p></body>"
    page = f'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">{body}</html>'
    assert read("a.xhtml", page).text == "a b & <c>"


@pytest.mark.parametrize(
    "markup", ["<div>", "<b>", "<a href=x>", "<ul><li>", "<table><tr><td>", "<select>", "<svg><text>"]
)
def test_nesting_of_any_depth_keeps_the_text_in_linear_time(read, markup):
    assert "deep words" in read("a.html", markup * 10_000 + "deep words").text


def test_an_empty_page(read):
    assert read("empty.html", "").text == ""
