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


def test_a_page_nested_too_deeply_still_gives_its_text(read):
    document = read("a.html", "<div>" * 5000 + "deep words" + "</div>" * 5000)
    assert "deep words" in document.text or document.text == "", "lxml itself stops at a depth"
    document = read("b.html", "<div>" * 200 + "deep words" + "</div>" * 200)
    assert document.text == "deep words"


def test_an_empty_page(read):
    assert read("empty.html", "").text == ""
