import pytest

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.charset.wide import wide_encoding
from qdrant_embed.reading.text_encoding import (
    assumed_encoding,
    code_encoding,
    decode,
    is_utf8_if_valid,
    looks_binary,
    markup_encoding,
)

GERMAN = "Die Fähre läuft täglich um acht Uhr aus, außer an Feiertagen. Größere Schiffe müssen vorher grüßen. "
RUSSIAN = "Паром отправляется ежедневно в восемь часов утра, кроме праздничных дней. "
JAPANESE = "名前,年齢,住所\n佐藤太郎,30,東京\n三木英子,25,大阪\n髙橋淳,35,名古屋\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("text", ["plain words\n", GERMAN, RUSSIAN])
def test_unicode_in_every_form(encoding, text):
    assert decode(text.encode(encoding)).text == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["plain words\n", GERMAN, GERMAN * 3 + RUSSIAN])
def test_utf16_without_a_mark(encoding, text):
    assert decode(text.encode(encoding)).text == text


@pytest.mark.parametrize(("text", "encoding"), [(GERMAN, "cp1252"), (RUSSIAN, "cp1251"), (JAPANESE, "cp932")])
def test_old_encodings(text, encoding):
    assert decode(text.encode(encoding)).text == text


def test_utf8_with_a_broken_byte_stays_utf8():
    broken = (GERMAN * 3).encode() + b"\xff" + GERMAN.encode()
    assert decode(broken).text == GERMAN * 3 + "\ufffd" + GERMAN


@pytest.mark.parametrize(
    "data",
    [b"\x00\x01\x02\x03" * 50, b"%PDF-1.7 words", b"PK\x03\x04words", b"\x7fELF" + b"\0" * 60, bytes(range(256))],
)
def test_binary_data_is_no_text(data):
    assert looks_binary(data)
    with pytest.raises(ReadError, match="binary data"):
        decode(data)


@pytest.mark.parametrize(
    "data", [b"", b"words\n", b"\x1b[31mred\x1b[0m log line", GERMAN.encode("cp1252"), b"a\x0cb\n"]
)
def test_text_is_not_binary(data):
    assert not looks_binary(data)


FRENCH = "Le café crème est servi à l'hôtel près de l'église.\n"


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        ([(GERMAN + "\n", "utf-8"), (FRENCH, "cp1252"), (GERMAN + "\n", "utf-8")], "windows-1252"),
        ([(RUSSIAN + "\n", "utf-8"), (RUSSIAN + "\n", "cp1251")], "windows-1251"),
        ([(JAPANESE, "utf-8"), (JAPANESE, "cp932")], "Shift_JIS"),
    ],
)
def test_lines_of_another_encoding_in_utf8(lines, name):
    decoded = decode(b"".join(text.encode(encoding) for text, encoding in lines))
    assert decoded.text == "".join(text for text, _ in lines)
    assert decoded.guessed_encoding == ""  # which would be a second note on the same lines
    assert decoded.notes[0].endswith(f"not in UTF-8 like the rest, read as {name}")


def test_damage_is_counted():
    assert decode((FRENCH * 3).encode() + b"\xc3").notes == ("1 byte damaged, not UTF-8: U+FFFD stands in their place",)
    assert decode(FRENCH.encode()).notes == ()


def test_surrogates_that_were_encoded_one_by_one():
    assert decode("moon \ud83c\udf19 é".encode("utf-8", "surrogatepass")).text == "moon 🌙 é"


@pytest.mark.parametrize("text", [GERMAN, RUSSIAN, "plain words\n"])
def test_nul_is_left_out_and_said(text):
    for encoding in ("utf-8", "cp1251" if text == RUSSIAN else "cp1252"):
        data = text.encode(encoding)
        for broken in (data[:7] + b"\0" + data[7:], data + b"\0" * 300):
            decoded = decode(broken)
            assert decoded.text == text
            assert decoded.notes[0].endswith("left out")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
@pytest.mark.parametrize(
    "text",
    [RUSSIAN, "会议上午九点开始。\n", "こんにちは", "สวัสดีครับ", "नमस्ते दुनिया\n", "It’s “nine” – o’clock", "안녕하세요"],
)
def test_wide_encodings_without_a_mark(encoding, text):
    assert decode(text.encode(encoding)).text == text


@pytest.mark.parametrize("between", ["\n", "\t", "\r"])
@pytest.mark.parametrize(
    ("letters", "encoding"),
    [
        ("áčďéěíňóřšťúůýž", "cp1250"), ("ąćęłńóśźż", "cp1250"), ("ŐŰÁÉőűáé", "iso8859-2"), ("äöüÄÖÜß", "cp1252"),
        ("àâçéèêëîïôùûü", "cp850"), ("éa", "cp1252"), ("àbcçdeéfgh", "mac-roman"), ("абвгдеж", "cp1251"),
        ("αβγδ", "cp1253"),
    ],
)  # fmt: skip
def test_letters_in_a_row_or_a_column_are_no_indic_script(letters, encoding, between):
    for times in (1, 2, 50, 1000):
        for end in ("", between):
            text = between.join(letters * times) + end
            assert wide_encoding(text.encode(encoding)) == ""
            with assumed_encoding(encoding):
                assert decode(text.encode(encoding)).text == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text",
    ["সভা শুরু হয়।", "સભા નવ વાગ્યે શરૂ થાય છે.", "ਮੀਟਿੰਗ ਨੌਂ ਵਜੇ\n", "യോഗം ഒമ്പതിന്", "රැස්වීම නවයට\r\n", "बैठक\n", "సమావేశం", "கூட்டம்"],
)
def test_indic_scripts_without_a_mark(encoding, text):
    for times in (1, 3, 400):
        assert decode((text * times).encode(encoding)).text == text * times


def test_utf16_among_other_lines():
    wide, plain = "wide line café\r\n", "plain line of the old program\r\n"
    assert decode(plain.encode() * 2 + wide.encode("utf-16-le") + plain.encode()).text == plain * 2 + wide + plain
    assert decode(wide.encode("utf-16") + plain.encode()).text == wide + plain


@pytest.mark.parametrize("encoding", ["iso2022_jp", "iso2022_jp_ext", "iso2022_jp_2004"])
def test_seven_bit_japanese(encoding):
    assert decode(("会議は午前九時に始まります。\n" * 3).encode(encoding)).text == "会議は午前九時に始まります。\n" * 3


def test_seven_bit_japanese_of_windows_and_of_terminals():
    words = "会議 ok 閧熙 ".encode("iso2022_jp")
    windows = b"\x1b$B-!-j|b" + words[3:] + b"\x1b(I1\x1b(B"  # among them numbers in circles and letters of IBM's
    assert decode(windows).text == "①㈱髙会議 ok 閧熙 ｱ"
    colored = "\x1b[31merror\x1b[0m 会議は九時".encode("iso2022_jp")
    assert decode(colored).text == "\x1b[31merror\x1b[0m 会議は九時"


def test_other_seven_bit_encodings():
    assert decode("회의는 아홉 시에\n".encode("iso2022_kr")).text == "회의는 아홉 시에\n"
    chinese = decode("会议上午九点开始\n".encode("hz"))
    assert (chinese.text, chinese.guessed_encoding) == ("会议上午九点开始\n", "HZ")
    for plain in ("f(~{x: 1~})", "\x1b(B\x1b[m reset", "a +AGE- b"):
        assert decode(plain.encode()).text == plain


@pytest.mark.parametrize(
    ("text", "encoding", "declared"),
    [
        (FRENCH, "utf-8", "iso-8859-1"),
        (FRENCH, "utf-8", "us-ascii"),
        (FRENCH, "cp1252", "utf-8"),
        (FRENCH, "cp1252", "us-ascii"),
        ("He said “yes” – 10 €.", "cp1252", "iso-8859-1"),
        (RUSSIAN, "koi8-r", "iso-8859-1"),
        (RUSSIAN, "cp1251", "windows-1251"),
        ("會議在朱镕基路", "gbk", "gb2312"),
        ("Ħobża u ġobon", "iso8859-3", "iso-8859-3"),
        ("Größe", "utf-7", "utf-7"),
        (FRENCH, "cp1252", "no such thing"),
        (FRENCH, "utf-8", "utf-16"),
    ],
)
def test_what_is_declared_is_checked_against_the_bytes(text, encoding, declared):
    assert decode(text.encode(encoding), declared).text == text


def test_a_declaration_is_no_guess():
    assert decode(RUSSIAN.encode("koi8-r"), "koi8-r").guessed_encoding == ""
    assert decode(RUSSIAN.encode("koi8-r"), "latin-1").guessed_encoding == "KOI8-R"
    assert decode(RUSSIAN.encode("koi8-r")).guessed_encoding == "KOI8-R"


@pytest.mark.parametrize(
    ("head", "declared"),
    [
        (b"# -*- coding: latin-1 -*-\n", "latin-1"),
        (b"#!/usr/bin/python\n# vim: set fileencoding=koi8-r :\n", "koi8-r"),
        (b'@charset "iso-8859-2";\n', "iso-8859-2"),
        (b"x = 1\ny = 2\n# coding: latin-1\n", ""),
        (b"no encoding: here\n", ""),
    ],
)
def test_what_source_code_declares(head, declared):
    assert code_encoding(head) == declared


@pytest.mark.parametrize(
    ("head", "declared"),
    [
        (b"<?xml version='1.0' encoding='windows-1251'?><a/>", "windows-1251"),
        (b"<html><meta charset=koi8-r>", "koi8-r"),
        (b'<meta http-equiv="Content-Type" content="text/html; charset=gb2312">', "gb2312"),
        (b"<p>charset=utf-8</p>", ""),
    ],
)
def test_what_markup_declares(head, declared):
    assert markup_encoding(head) == declared


def test_an_assumed_encoding_is_for_what_says_nothing():
    short = "Ñu".encode("cp850")
    with assumed_encoding("cp850"):
        assert decode(short).text == "Ñu"
        assert decode(short).guessed_encoding == ""
        assert decode("Ñu".encode()).text == "Ñu"
        assert decode("Ñandú".encode("cp1252"), "windows-1252").text == "Ñandú"
    with assumed_encoding("utf-8"):
        assert decode(b"caf\xe9 " + "é".encode()).text == "caf\ufffd é"


UKRAINIAN = "Ці книги з Японії, Іспанії та Румунії. "
"""`нії` in windows-1251 is what a surrogate would be in UTF-8."""


@pytest.mark.parametrize("times", [1, 40])
def test_what_looks_like_a_surrogate_in_another_encoding(times):
    data = (UKRAINIAN * times).encode("cp1251")
    assert decode(data).text == decode(data, "windows-1251").text == UKRAINIAN * times
    with assumed_encoding("cp1251"):
        assert decode(data).text == UKRAINIAN * times
    chinese = "会议上午九点开始。请带上所有文件，在沓口见。" * times
    assert decode(chinese.encode("gbk")).text == decode(chinese.encode("gbk"), "gb2312").text == chinese
    line = "Книги з Японії та Румунії.\n"
    assert decode((line * 9).encode() + line.encode("cp1251")).text == line * 10


def test_surrogates_and_nul_of_other_programs_are_mended_in_utf8():
    decoded = decode("one \ud83c end".encode("utf-8", "surrogatepass"))
    assert (decoded.text, decoded.notes) == (
        "one \ufffd end",
        ("3 bytes damaged, not UTF-8: U+FFFD stands in their place",),
    )
    decoded = decode(b"one\xc0\x80 end \xc3\xa9")
    assert (decoded.text, decoded.notes) == ("one end é", ("1 NUL character left out",))


@pytest.mark.parametrize("declared", ["", "iso-8859-1", "windows-1252", "shift_jis", "utf-8"])
def test_surrogates_of_other_programs_are_joined_whatever_is_declared(declared):
    text = "Größe 😀 der Tür"
    written = "Größe \ud83d\ude00 der Tür".encode("utf-8", "surrogatepass")
    assert decode(written, declared).text == text
    decoded = decode(written + b"\xc0\x80", declared)
    assert (decoded.text, decoded.notes) == (text, ("1 NUL character left out",))


GERMAN = "Hallo Welt, schöne Grüße aus Köln 😀. Die Tür ist geöffnet.\n"


def test_a_lone_surrogate_is_damage_of_utf8_and_no_word_of_another_encoding():
    lone = "Ein Wort \ud83d hier\n".encode("utf-8", "surrogatepass")
    wanted = "Ein Wort \ufffd hier\n"
    decoded = decode(GERMAN.encode() * 20 + lone + b"x\xff")
    assert decoded.text == GERMAN * 20 + wanted + "x\ufffd"
    assert decoded.notes == ("4 bytes damaged, not UTF-8: U+FFFD stands in their place",)
    with assumed_encoding("cp1252") as assumed:
        assert decode(GERMAN.encode() + lone).text == GERMAN + wanted
    assert not assumed.used


def test_a_word_between_tags_is_mended_as_one_between_spaces_is():
    line = "<td>Straße</td><td>Köln</td>\n"
    assert decode((line * 9).encode() + line.encode("cp1252")).text == line * 10


def test_an_assumed_encoding_does_not_turn_damaged_utf8_into_other_letters():
    damaged = RUSSIAN.encode() + b"\xff" + RUSSIAN.encode()
    short = "né\n".encode() + b"\xff"
    with assumed_encoding("cp1251") as assumed:
        assert decode(damaged).text == RUSSIAN + "\ufffd" + RUSSIAN
        assert decode(damaged, "utf-8").text == RUSSIAN + "\ufffd" + RUSSIAN
        assert decode(short, "utf-8").text == "né\n\ufffd"
        assert not assumed.used
        assert decode(RUSSIAN.encode("cp1251")).text == RUSSIAN
        assert assumed.used
    with assumed_encoding("utf-16-le") as assumed:
        assert decode(RUSSIAN.encode("cp1251"), "cp1251").text == RUSSIAN
        assert not assumed.used


def test_when_valid_utf8_may_be_another_encoding():
    assert is_utf8_if_valid("")
    assert is_utf8_if_valid("UTF8")
    assert is_utf8_if_valid("latin-1")
    assert not is_utf8_if_valid("gbk")
    assert not is_utf8_if_valid("utf-7")
    with assumed_encoding("utf-7"):
        assert not is_utf8_if_valid("")
        assert is_utf8_if_valid("utf-8")
    with assumed_encoding("gbk"):
        assert is_utf8_if_valid("")
