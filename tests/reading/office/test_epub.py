import pytest

from qdrant_embed.errors import ReadError

CHAPTER = '<html xmlns="http://www.w3.org/1999/xhtml"><body><h1>{0}</h1><p>Words of {0}.</p></body></html>'
CONTAINER = '<container><rootfiles><rootfile full-path="{}"/></rootfiles></container>'
TYPE = "application/xhtml+xml"


@pytest.fixture
def make_book(make_zip):
    """Return a function that makes a book: items (id → href) and spine of its index, and the files it holds."""

    def make(items, spine, files, *, opf="o/book.opf", container=None, more=None):
        manifest = "".join(f'<item id="{key}" href="{href}" media-type="{TYPE}"/>' for key, href in items.items())
        order = "".join(f'<itemref idref="{key}"/>' for key in spine)
        package = (
            '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
            f"<dc:title>Knots</dc:title><dc:creator>Ann</dc:creator></metadata><manifest>{manifest}</manifest>"
            f"<spine>{order}</spine></package>"
        )
        members = {"mimetype": "application/epub+zip", "META-INF/container.xml": container or CONTAINER.format(opf)}
        members |= {opf: package} | {name: CHAPTER.format(word) for name, word in files.items()}
        return make_zip(members | (more or {}))

    return make


def test_chapters_in_the_order_of_the_spine(read, make_book):
    document = read(
        "knots.epub", make_book({"b": "b.xhtml", "a": "a.xhtml"}, "ab", {"o/a.xhtml": "one", "o/b.xhtml": "two"})
    )
    assert document.title == "Knots"
    assert document.text == "**Title:** Knots\n**Authors:** Ann\n\n# one\n\nWords of one.\n\n# two\n\nWords of two."


@pytest.mark.parametrize(
    ("href", "name"),
    [
        ("A.xhtml", "o/a.XHTML"),
        ("my%20chapter.xhtml", "o/my chapter.xhtml"),
        ("my%20chapter.xhtml", "o/my%20chapter.xhtml"),
        ("../text/a.xhtml", "text/a.xhtml"),
        ("..\\text\\a.xhtml", "text/a.xhtml"),
        ("../../a.xhtml", "a.xhtml"),
        ("a.xhtml#start", "o/a.xhtml"),
    ],
)
def test_chapters_are_found_under_names_that_differ(read_file, make_book, href, name):
    result = read_file("a.epub", make_book({"a": href}, "a", {name: "one"}))
    assert "Words of one." in result.document.text
    assert result.notes == ()


def test_chapters_that_are_missing_are_told_of(read_file, make_book):
    items = {"a": "a.xhtml", "b": "b.xhtml"}
    result = read_file("a.epub", make_book(items, "abx", {"o/a.xhtml": "one"}))
    assert "Words of one." in result.document.text
    assert result.notes == ("2 of 3 chapters are missing in the file: o/b.xhtml, x",)
    with pytest.raises(ReadError, match=r"none of its 2 chapters is in the file: o/a.xhtml, o/b.xhtml"):
        read_file("b.epub", make_book(items, "ab", {}))


def test_a_book_without_a_spine_or_an_index_is_read_by_its_pages(read_file, make_book, make_zip):
    files = {"o/ch10.xhtml": "ten", "o/ch9.xhtml": "nine"}
    items = {"b": "ch9.xhtml", "a": "ch10.xhtml"}
    assert "nine.\n\n# ten" in read_file("a.epub", make_book(items, "", files)).document.text
    other = read_file("b.epub", make_book(items, "", files, container=CONTAINER.format("no.opf")))
    assert "nine.\n\n# ten" in other.document.text
    assert other.document.title == "Knots"
    for container in ("<broken", CONTAINER.format("")):
        members = {name: CHAPTER.format(word) for name, word in files.items()} | {"META-INF/container.xml": container}
        result = read_file("c.epub", make_zip(members | {"x.opf": "<broken"}))
        assert result.document.text.startswith("# nine")
        assert result.notes[0].startswith("it has no index that can be read")


def test_pages_outside_the_spine_are_read_too(read, make_book):
    book = make_book({"a": "a.xhtml", "b": "b.xhtml"}, "a", {"o/a.xhtml": "one", "o/b.xhtml": "two"})
    assert read("a.epub", book).text.endswith("Words of one.\n\n# two\n\nWords of two.")


def test_copy_protection_is_told_of(read, make_book):
    protected = (
        '<encryption><EncryptedData><CipherData><CipherReference URI="o/{}"/></CipherData></EncryptedData></encryption>'
    )
    for name, fails in (("a.xhtml", True), ("font.otf", False)):
        more = {"META-INF/encryption.xml": protected.format(name)}
        book = make_book({"a": "a.xhtml"}, "a", {"o/a.xhtml": "one"}, more=more)
        if fails:
            with pytest.raises(ReadError, match="copy protection"):
                read("a.epub", book)
        else:
            assert "Words of one." in read("a.epub", book).text
