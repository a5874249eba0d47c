import pytest

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.decoding import decode, looks_binary

GERMAN = "Die Fähre läuft täglich um acht Uhr aus, außer an Feiertagen. Größere Schiffe müssen vorher grüßen. "
RUSSIAN = "Паром отправляется ежедневно в восемь часов утра, кроме праздничных дней. "
JAPANESE = "名前,年齢,住所\n佐藤太郎,30,東京\n三木英子,25,大阪\n髙橋淳,35,名古屋\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("text", ["plain words\n", GERMAN, RUSSIAN])
def test_unicode_in_every_form(encoding, text):
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["plain words\n", GERMAN, GERMAN * 3 + RUSSIAN])
def test_utf16_without_a_mark(encoding, text):
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(("text", "encoding"), [(GERMAN, "cp1252"), (RUSSIAN, "cp1251"), (JAPANESE, "cp932")])
def test_old_encodings(text, encoding):
    assert decode(text.encode(encoding)) == text


def test_utf8_with_a_broken_byte_stays_utf8():
    broken = (GERMAN * 3).encode() + b"\xff" + GERMAN.encode()
    assert decode(broken) == GERMAN * 3 + "\ufffd" + GERMAN


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
