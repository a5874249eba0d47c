import pytest

from qdrant_embed.reading.text import first_heading, markdown_title


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# Keys\n\ntext", "Keys"),
        ("text\n\n## Late heading ##\n", "Late heading"),
        ("---\ntitle: 'Front: matter'\n---\n# Heading\n", "Front: matter"),
        ("---\ntags: [a]\n---\n# Heading\n", "Heading"),
        ("# FastAPI { #fastapi }\n", "FastAPI"),
        ("# The `load_all` **call** ([docs](https://x.y))\n", "The load_all call (docs)"),
        ("```sh\n# a comment\n```\n# Real\n", "Real"),
        ("~~~~\n# a\n~~~\n# b\n~~~~\n# Real\n", "Real"),
        ("Setext\n======\n", "Setext"),
        ("text\n\n---\n\n# After a rule\n", "After a rule"),
        ("no heading, #hash\n", ""),
        ("", ""),
    ],
)
def test_title_of_markdown(text, title):
    assert markdown_title(text) == title


def test_a_heading_in_an_unclosed_fence_is_code():
    assert first_heading("```\n# comment") == ""


@pytest.mark.parametrize(
    ("name", "content", "title", "media_type"),
    [
        ("a.md", "# Keys\n\ntext", "Keys", "text/markdown"),
        ("guide.rst", "======\nKeys\n======\n\ntext", "Keys", "text/x-rst"),
        ("guide.rst", ".. note:: x\n\nOpening hours\n-------------\n", "Opening hours", "text/x-rst"),
        ("notes.txt", "# not a title", "notes", "text/plain"),
        ("rotate.py", "def rotate():\n    pass\n", "rotate", "text/x-python"),
        ("LICENSE", "Do what you want.", "LICENSE", "text/plain"),
        ("empty.md", "", "empty", "text/markdown"),
    ],
)
def test_texts_are_read_as_they_stand(read, name, content, title, media_type):
    document = read(name, content)
    assert (document.text, document.title, document.text_type) == (content, title, media_type)


def test_line_ends_nul_and_surrogates(read):
    document = read("a.txt", b"one\r\ntwo\rthree\nfour \xed\xa0\x80 end" + b" \xc3\xa9" * 40)
    assert document.text.startswith("one\ntwo\nthree\nfour \ufffd")
    assert document.text.encode()
    assert "\0" not in read("b.txt", "wide\0 words".encode("utf-16")).text
