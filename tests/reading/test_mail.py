from email.message import EmailMessage

import pytest

from qdrant_embed.errors import ReadError


def letter(**headers):
    message = EmailMessage()
    for name, value in {"Subject": "Keys", "From": "Ada <ada@h.example>", "To": "night@h.example", **headers}.items():
        message[name] = value
    return message


def test_a_plain_message(read):
    message = letter(Date="Mon, 01 Jan 2024 06:00:00 +0100", Subject="Ключи — lost")
    message.set_content("The key is at pier two.\n")
    document = read("a.eml", message.as_bytes())
    assert document.text == (
        "# Ключи — lost\n\nFrom: Ada <ada@h.example>\nTo: night@h.example\nDate: Mon, 01 Jan 2024 06:00:00 +0100\n\n"
        "The key is at pier two."
    )
    assert document.title == "Ключи — lost"
    assert document.metadata == {
        "from": "Ada <ada@h.example>", "to": "night@h.example", "date": "2024-01-01T06:00:00+01:00",
    }  # fmt: skip


def test_alternatives_and_attachments(read):
    message = letter()
    message.set_content("The plain one.")
    message.add_alternative("<p>The <b>rich</b> one.</p>", subtype="html")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="plan.pdf")
    message.add_attachment("attached words", filename="note.txt")
    text = read("a.eml", message.as_bytes()).text
    assert text.endswith("Attachments: plan.pdf, note.txt\n\nThe plain one.")


def test_a_message_of_html_only(read):
    message = letter()
    message.set_content("<p>The <b>rich</b> one.</p>", subtype="html")
    assert read("a.eml", message.as_bytes()).text.endswith("\n\nThe **rich** one.")


@pytest.mark.parametrize("kind", [b"", b"Content-Type: text/plain; charset=x-unheard-of\n"])
def test_a_body_whose_encoding_is_not_said(read, kind):
    text = "Die Fähre läuft täglich um acht Uhr aus, außer an Feiertagen."
    raw = b"Subject: Ferry\nDate: someday\n" + kind + b"Content-Transfer-Encoding: 8bit\n\n" + text.encode()
    document = read("a.eml", raw)
    assert document.text.endswith(text)
    assert document.metadata == {"date": "someday"}


def test_a_broken_outlook_message(read):
    with pytest.raises(ReadError, match="broken file"):
        read("a.msg", b"\xd0\xcf\x11\xe0 nothing more")
