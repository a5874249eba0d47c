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
        "It lifts **twelve** tons.\n\n## Untitled\n\nOnly *text*"
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


def test_entities_and_damage_are_refused(read):
    bomb = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]><a>&y;</a>'
    with pytest.raises(ReadError, match="declares entities"):
        read("a.xml", bomb)
    with pytest.raises(ReadError, match="broken XML"):
        read("a.xml", "<a><b></a>")


def test_attributes_are_text(read):
    rows = '<posts><row Id="1" Title="Tides" Body="High at noon"/><row Id="2" Title="Knots"/></posts>'
    assert read("posts.xml", rows).text == "Id: 1\nTitle: Tides\nBody: High at noon\n\nId: 2\nTitle: Knots"
    assert read("c.xml", '<c><db host="h1">Main</db><p>See <a title="the map">this</a></p></c>').text == (
        "host: h1\ndb: Main\nSee this\ntitle: the map"
    )
