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
    assert text.endswith("Attachments: plan.pdf, note.txt\n\nThe plain one.\n\n## note.txt\n\nattached words")


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


HEAD = "From: Ann <a@h.example>\nSubject: Boat\n"


def body_of(read, text):
    raw = text if isinstance(text, bytes) else text.encode()
    return read("a.eml", HEAD.encode() + raw).text.partition("a@h.example>\n\n")[2]


@pytest.mark.parametrize("blank", ["", " \n\n", "\u00a0\n", "\u200b"])
def test_a_blank_plain_part_gives_way_to_the_html(read, blank):
    parts = f"--b\nContent-Type: text/plain; charset=utf-8\n\n{blank}\n--b\n"
    parts += "Content-Type: text/html\n\n<p>At nine.</p>\n--b--\n"
    assert body_of(read, f'Content-Type: multipart/alternative; boundary="b"\n\n{parts}') == "At nine."


def test_a_plain_part_that_says_less_gives_way(read):
    parts = "--b\nContent-Type: text/plain\n\nUse a viewer.\n--b\nContent-Type: text/html\n\n"
    parts += "<p>The boat leaves at nine from pier four</p>\n--b--\n"
    assert body_of(read, f"Content-Type: multipart/alternative; boundary=b\n\n{parts}") == (
        "The boat leaves at nine from pier four"
    )


@pytest.mark.parametrize(
    ("charset", "encoding", "text"),
    [
        ("us-ascii", "utf-8", "Das Café öffnet – „ja“."),
        ("iso-8859-1", "utf-8", "Das Café öffnet um neun."),
        ("utf-8", "cp1252", "Das Café öffnet um neun."),
        ("iso-8859-1", "cp1252", "He said “yes” – 10 €."),
        ("gb2312", "gbk", "會議在朱镕基路"),
        ("iso-2022-jp", "iso2022_jp", "会議は午前九時"),
        ("nonsense", "koi8-r", "Паром отправляется ежедневно."),
    ],
)
def test_the_charset_is_checked(read, charset, encoding, text):
    raw = f"Content-Type: text/plain; charset={charset}\n\n".encode() + text.encode(encoding)
    assert body_of(read, raw) == text


@pytest.mark.parametrize(
    "broken",
    [
        "To: !an??:=m==fr2@[C", "To: (c):", 'To: "', "Content-Disposition: a; filename*=", "Cc: =?utf-8?B?####?=",
        "Content-Type: text/plain; charset*0*=", "Date: never", "Reply-To: <", "Content-Type: ;;;", "To: =?x?Q?=ZZ?=",
    ],
)  # fmt: skip
def test_one_bad_header_costs_nothing_else(read, broken):
    document = read("a.eml", f"{HEAD}{broken}\n\nBody words.\n")
    assert document.title == "Boat"
    assert document.text.endswith("Body words.")


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        ("Réunion à neuf".encode(), "Réunion à neuf"),
        ("Réunion à neuf".encode("cp1252"), "Réunion à neuf"),
        (b"=?utf-8?B?R3LDvMOfZQ==?= =?utf-8?Q?_aus_K=C3=B6ln?=", "Grüße aus Köln"),
        (b"=?utf-8?B?4pyT?= plain =?iso-8859-1?Q?caf=E9?=", "✓ plain café"),
        (b"=?utf-8?B?8J+a?= =?utf-8?B?og==?=", "🚢"),
    ],
)
def test_subjects(read, raw, subject):
    assert read("a.eml", b"From: a@h.example\nSubject: " + raw + b"\n\nBody").title == subject


PARTS = "--bb\nContent-Type: text/plain; charset=utf-8\n\nThe gate opens at nine.\n--bb--\n"


@pytest.mark.parametrize(
    "rest",
    [
        f'Content-Type: multipart/mixed; boundary="other"\n\n{PARTS}',
        f"Content-Type: multipart/alternative\n\n{PARTS}",
        "Content-Type: multipart/mixed; boundary=x\n\nThe gate opens at nine.\n",
        f'\nContent-Type: multipart/mixed; boundary="bb"\n\n{PARTS}',
        'Content-Type: multipart/mixed; boundary="bb"\n\n--bb\nContent-Type: text/plain\n\nThe gate opens at nine.\n',
        "Content-Transfer-Encoding: base64\n\nThe gate opens at nine.\n",
    ],
)
def test_a_body_whose_parts_are_not_told_apart(read, rest):
    assert "The gate opens at nine." in body_of(read, rest)


def test_text_around_the_parts_and_letters_within(read):
    inner = "--b\nContent-Type: message/rfc822\n\nSubject: Inner\nFrom: Bo <b@h.example>\n\nInner words.\n"
    inner += "--b--\nAfter all.\n"
    text = body_of(read, f"Content-Type: multipart/mixed; boundary=b\n\nBefore all.\n{inner}")
    assert text == "Before all.\n\n## Inner\nFrom: Bo <b@h.example>\n\nInner words.\n\nAfter all."
    standard = f"Content-Type: multipart/mixed; boundary=bb\n\nThis is a multi-part message in MIME format.\n{PARTS}"
    assert body_of(read, standard) == "The gate opens at nine."


def test_flowed_lines_and_invitations(read):
    assert body_of(read, "Content-Type: text/plain; format=flowed\n\nOne \nline.\n> quoted \n> too\n\nNext.\n") == (
        "One line.\n> quoted too\n\nNext."
    )
    event = "BEGIN:VEVENT\nSUMMARY;LANGUAGE=en:Crane\n  four\nLOCATION:Pier\\, two\nUID:1\nEND:VEVENT\n"
    assert body_of(read, f"Content-Type: text/calendar\n\n{event}") == "Summary: Crane four\nLocation: Pier, two"


def test_files_that_are_not_read_are_named(read_file):
    part = "--b\nContent-Type: application/pdf\nContent-Disposition: attachment; "
    part += "filename*=utf-8''pl%C3%A4ne.pdf\n\nx\n--b--\n"
    found = read_file("a.eml", f"{HEAD}Content-Type: multipart/mixed; boundary=b\n\n{part}")
    assert found.notes == ("an attached file was not read: pläne.pdf",)
    assert "Attachments: pläne.pdf" in found.document.text


@pytest.mark.parametrize(("outer", "inner"), [("", "koi8-u"), ("; charset=koi8-u", "utf-8")])
def test_html_that_names_its_encoding_itself_or_in_its_header(read, outer, inner):
    page = f'<meta charset="{inner}"><p>Ґанок ґречної пані</p>'.encode("koi8-u")
    head = f"Subject: Porch\nContent-Type: text/html{outer}\nContent-Transfer-Encoding: 8bit\n\n"
    assert read("a.eml", head.encode() + page).text.endswith("\n\nҐанок ґречної пані")


def test_all_of_a_letter_in_html_is_its_text(read):
    main = "<p>Sails are cheap.</p>" * 20
    parts = f"<nav>All sails</nav><main>{main}</main><div>Ropes, too.</div><aside>Ask Bo</aside>"
    text = read("a.eml", f"Subject: Sale\nContent-Type: text/html\n\n<body>{parts}</body>").text
    assert all(words in text for words in ("All sails", "Sails are cheap.", "Ropes, too.", "Ask Bo"))
