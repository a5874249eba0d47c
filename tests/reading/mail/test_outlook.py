ABOUT = {"0037001F": "Ключи", "0C1A001F": "Ada", "5D01001F": "ada@h.example", "0E04001F": "Night; Day"}
SENT = 133485408000000000


def test_a_message(read, make_msg):
    document = read("a.msg", make_msg({**ABOUT, "0E03001F": "Eve", "00390040": SENT, "1000001F": "At pier two.\r\n"}))
    assert document.text == (
        "# Ключи\n\nFrom: Ada <ada@h.example>\nTo: Night; Day\nCc: Eve\nDate: Mon, 01 Jan 2024 00:00:00 +0000\n\n"
        "At pier two."
    )
    assert document.title == "Ключи"
    assert document.metadata["date"] == "2024-01-01T00:00:00+00:00"


def test_the_headers_that_it_came_with_go_first(read, make_msg):
    came = "Received: from h\r\nFrom: Ada B. <ada@b.example>\r\nTo: night@h.example\r\n\r\n"
    text = read("a.msg", make_msg({**ABOUT, "007D001F": came, "1000001F": "Body."})).text
    assert text == "# Ключи\n\nFrom: Ada B. <ada@b.example>\nTo: night@h.example\n\nBody."


def test_bodies_are_compared(read, make_msg):
    html = b"<p>The <b>whole</b> text, of which the plain one has little.</p>"
    assert read("a.msg", make_msg({"1000001F": "See HTML.", "10130102": html})).text.startswith("The **whole** text")
    assert read("a.msg", make_msg({"10130102": html})).text.startswith("The **whole** text")
    assert read("a.msg", make_msg({"1000001F": "Same words.", "10130102": b"<p>Same <i>words</i>.</p>"})).text == (
        "Same words."
    )


def test_old_texts_are_in_the_code_page_of_the_message(read, make_msg):
    old = {"3FFD0003": 1251, "0037001E": "Ключи".encode("cp1251"), "1000001E": "У причала".encode("cp1251")}
    assert read("a.msg", make_msg(old)).text == "# Ключи\n\nУ причала"


def test_attached_files_are_read_or_named(read_file, make_msg):
    files = [
        {"3707001F": "note.txt", "37010102": b"attached words"},
        {"3707001F": "plan.pdf", "370E001F": "application/pdf", "37010102": b"%PDF"},
        {"3704001F": "LOGO.PNG", "370E001F": "image/png", "3712001F": "logo@h", "37010102": b"\x89PNG"},
        {"3001001F": "Inner", "3701000D": {"0037001F": "Tides", "1000001F": "High at noon."}},
    ]
    found = read_file("a.msg", make_msg({**ABOUT, "1000001F": "See below.", "files": files}))
    assert found.document.text.split("\n\n", 2)[2] == (
        "See below.\n\n## note.txt\n\nattached words\n\n## Tides\n\nHigh at noon."
    )
    assert "Attachments: note.txt, plan.pdf, LOGO.PNG" in found.document.text
    assert found.notes == ("an attached file was not read: plan.pdf",)


def test_a_body_of_rtf_alone_is_told_of(read_file, make_msg):
    found = read_file("a.msg", make_msg({**ABOUT, "10090102": b"\x10\0\0\0LZFu"}))
    assert found.notes == ("its body is there as RTF alone, and was not read",)
