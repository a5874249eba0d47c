import pytest

from qdrant_embed.errors import ReadError

RSS = """<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel><title>Harbour news</title><link>https://h.example</link><description>All of it</description>
<item><title>Crane four</title><link>https://h.example/4</link><pubDate>Mon, 01 Jan 2024 06:00:00 GMT</pubDate>
<description>short</description>
<content:encoded><![CDATA[<p>It lifts <b>twelve</b> tons.</p>]]></content:encoded></item>
<item><description>Only &lt;i&gt;text&lt;/i&gt;</description></item></channel></rss>"""

ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Tides</title>
<entry><title>High water</title><link rel="self" href="https://t.example/self"/><link href="https://t.example/1"/>
<updated>2024-01-01T00:00:00Z</updated><content type="html">&lt;p&gt;At noon.&lt;/p&gt;</content></entry></feed>"""


def test_rss(read):
    document = read("news.xml", RSS)
    assert document.text == (
        "# Harbour news\n\nAll of it\n\n## Crane four\n\nMon, 01 Jan 2024 06:00:00 GMT\nhttps://h.example/4\n\n"
        "It lifts **twelve** tons.\n\nshort\n\n## Untitled\n\nOnly *text*"
    )
    assert (document.title, document.text_type) == ("Harbour news", "text/markdown")


def test_atom(read):
    text = "# Tides\n\n## High water\n\n2024-01-01T00:00:00Z\nhttps://t.example/1\n\nAt noon."
    assert read("tides.atom", ATOM).text == text


def test_other_xml(read):
    text = "<book><!-- note --><title>Knots</title><p>The <em>bowline</em> holds.</p><empty/><n><a>1</a></n></book>"
    assert read("knots.xml", text).text == "title: Knots\nThe bowline holds.\na: 1"


def test_the_declared_encoding_counts(read):
    text = '<?xml version="1.0" encoding="windows-1251"?><a><b>Паром</b></a>'
    assert read("a.xml", text.encode("cp1251")).text == "b: Паром"


def test_entities_are_refused(read):
    bomb = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]><a>&y;</a>'
    with pytest.raises(ReadError, match="declares entities"):
        read("a.xml", bomb)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("<a><b>one</b><c>two & three < four</c></b></a>the rest", "b: one\nc: two & three < four\nthe rest"),
        ("<a>one</a>\n<a>two</a>", "a: one\na: two"),
        ('<r><x:a y:t="k">v</x:a></r>', "t: k\na: v"),
        ("<a><b>tides</b><c>cut off in the mid", "b: tides\nc: cut off in the mid"),
        ("<a t='no end>tides</a><b>knots &eacute;</b>", "t: no end\na: tides\nb: knots é"),
        ("<a><!-- no end <b>tides</b></a>", "no end tides"),
        ("<a><![CDATA[x & <i>]]></b><c>y</c></a>", "x & <i>y"),
        ("<a><b>one\x0btwo</b></a>", "b: one two"),
        ("words alone", "words alone"),
    ],
)
def test_what_is_not_well_formed_is_read_as_far_as_it_goes(read_file, written, text):
    found = read_file("a.xml", written)
    assert found.document.text == text
    assert [note for note in found.notes if note.startswith("no well-formed XML (")]


def test_names_of_characters_are_known_and_space_may_come_first(read_file):
    found = read_file("a.xml", "\n<?xml version='1.0'?><a>caf&eacute; &amp; <![CDATA[&eacute;]]></a>")
    assert (found.document.text, found.notes) == ("a: café & &eacute;", ())


@pytest.mark.parametrize("piece", ["<a>", "<a>x", '<a "', "<!--", "<![CDATA[", "<!DOCTYPE [", "</a>", "<a b='", "<"])
def test_hostile_markup_takes_no_time(read, piece):
    assert len(read("a.xml", "<r>" + piece * 20_000 + "deep").text) < 300_000


def test_deep_nesting(read):
    assert read("a.xml", "<a>" * 50_000 + "deep" + "</a>" * 50_000).text == "a: deep"


def test_what_else_is_said_of_an_item(read):
    feed = """<rss xmlns:media="http://search.yahoo.com/mrss/"><channel><title>News</title><item><title>Crane</title>
    <author>Ann</author><category>Cranes</category><guid>tag:1</guid><description>Read it.</description>
    <enclosure url="https://h.example/1.mp3" type="audio/mpeg" title="Recording of the crane"/>
    <media:group><media:title>Crane at night</media:title><media:thumbnail url="https://h.example/1.png"/>
    </media:group></item></channel></rss>"""
    assert read("news.rss", feed).text == (
        "# News\n\n## Crane\n\nauthor: Ann\ncategory: Cranes\nenclosure: Recording of the crane\n"
        "title: Crane at night\n\nRead it."
    )


def test_the_types_of_atom(read):
    entries = (
        '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><h2>Night</h2><ul><li>one</li></ul></div></content>',
        "<content>1 &lt; 2 and 3 &gt; 2</content>",
        '<summary>Of tides</summary><content type="html">&lt;b&gt;Tides&lt;/b&gt; at noon</content>',
    )
    written = "".join(f"<entry><title>Tides</title>{entry}</entry>" for entry in entries)
    text = read("a.atom", f'<feed xmlns="http://www.w3.org/2005/Atom">{written}</feed>').text
    assert text.split("## Tides\n\n")[1:] == [
        "## Night\n\n- one\n\n",
        "1 < 2 and 3 > 2\n\n",
        "**Tides** at noon\n\nOf tides",
    ]


def test_attributes_are_text(read):
    rows = '<posts><row Id="1" Title="Tides" Body="High at noon"/><row Id="2" Title="Knots"/></posts>'
    assert read("posts.xml", rows).text == "Id: 1\nTitle: Tides\nBody: High at noon\n\nId: 2\nTitle: Knots"
    assert read("c.xml", '<c><db host="h1">Main</db><p>See <a title="the map">this</a></p></c>').text == (
        "host: h1\ndb: Main\nSee this\ntitle: the map"
    )


def test_all_bodies_and_titles_of_an_item_are_read(read):
    item = (
        "<title>Gate</title><m:title>The north gate</m:title><description>Shut at nine.</description>"
        "<d:description>&lt;main&gt;Open on Sundays.&lt;/main&gt;&lt;aside&gt;Ask Ann&lt;/aside&gt;</d:description>"
        '<m:content url="https://h.example/a.jpg"><m:title>Lock</m:title>'
        "<m:description>A view</m:description></m:content>"
    )
    text = read("a.rss", f'<rss xmlns:d="d" xmlns:m="m"><channel><item>{item}</item></channel></rss>').text
    assert text == (
        "## Gate\n\ntitle: The north gate\ntitle: Lock\ndescription: A view\n\nShut at nine.\n\n"
        "Open on Sundays.\n\nAsk Ann"
    )
