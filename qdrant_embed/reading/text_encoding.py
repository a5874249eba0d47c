"""The one way from bytes to text, for every format."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from qdrant_embed.display import counted
from qdrant_embed.errors import ReadError
from qdrant_embed.reading.charset.codepages import MULTI_BYTE, NAMES, codec_of
from qdrant_embed.reading.charset.detection import detect, text_bits
from qdrant_embed.reading.charset.iso_2022 import CODECS, decode_iso_2022
from qdrant_embed.reading.charset.repair import joined_surrogates, repair_utf8
from qdrant_embed.reading.charset.wide import CONTROL, narrowed, wide_encoding, widened
from qdrant_embed.reading.parsed import Parsed

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
"""UTF-32 stands before UTF-16, whose mark it begins with."""

BINARY_SIGNATURES = (
    b"%PDF-", b"PK\x03\x04", b"\x1f\x8b", b"\x7fELF", b"\x89PNG", b"\xff\xd8\xff", b"\xd0\xcf\x11\xe0", b"GIF8",
    b"SQLite format 3\0", b"7z\xbc\xaf\x27\x1c", b"BZh9", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"Rar!\x1a\x07", b"OggS",
)  # fmt: skip
TAR_SIGNATURE, TAR_PLACE = b"ustar", 257
NUL_RUN = re.compile(rb"\0+")
BYTES_FOR_A_NUL = 64

ISO_2022 = re.compile(rb"\x1b\$(?:[@AB]|\([@A-DOPQ]|\)[CAG])")
KOREAN = b"\x1b$)C"
HZ_TEXT = re.compile(rb"~\{(?:[\x21-\x29\x30-\x57][\x21-\x7e])+~\}")
WIDE = ("utf-16", "utf-32")
SEVEN_BIT = frozenset({*CODECS, "iso2022_kr", "iso2022_jp", "iso2022_jp_1", "iso2022_jp_3", "hz", "utf-7"})


@dataclass(slots=True)
class Assumed:
    """The encoding in which bytes are read that do not say theirs.

    :param codec: Empty for none.
    :param used: Whether any bytes were read in it.
    """

    codec: str = ""
    used: bool = False

    def take(self) -> str:
        """Return the codec, to read in it."""
        self.used = True
        return self.codec


_assumed: ContextVar[Assumed] = ContextVar("assumed_encoding")


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of some bytes.

    :param guessed_encoding: Its name, where neither a mark, nor a declaration, nor UTF-8 itself tells it.
    :param notes: What the bytes hold and the text lacks, a sentence each.
    """

    text: str
    guessed_encoding: str = ""
    notes: tuple[str, ...] = ()

    def parsed(
        self, text: str, *, title: str = "", text_type: str = "text/plain", notes: tuple[str, ...] = ()
    ) -> Parsed:
        """Return what a reader made of this text, with what is to be said of the bytes."""
        return Parsed(
            text=text,
            title=title,
            text_type=text_type,
            notes=(*self.notes, *notes),
            guessed_encoding=self.guessed_encoding,
        )


MARKUP_HEAD = 4096
MARKUP_ENCODING = re.compile(
    rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]+)|<meta[^>]{0,400}?charset\s*=\s*["']?\s*([\w.:-]+)""",
    re.IGNORECASE,
)
CODE_ENCODING = re.compile(
    rb"""(?:.{0,300}\n)?[ \t\f]*(?:[#;%*"']|//|/\*|--|<!--).{0,300}?coding[:=][ \t]*([\w.-]+)|@charset "([\w.:-]+)\""""
)


def markup_encoding(data: bytes) -> str:
    """Return the encoding that XML or HTML declares, empty if it declares none."""
    return _first_group(MARKUP_ENCODING.search(data, 0, MARKUP_HEAD))


def code_encoding(data: bytes) -> str:
    """Return the encoding that source code names in its first two lines, as for Python or Emacs; empty if none."""
    return _first_group(CODE_ENCODING.match(data))


def _first_group(match: re.Match[bytes] | None) -> str:
    return next((group.decode("ascii", "replace") for group in match.groups() if group), "") if match else ""


@contextmanager
def assumed_encoding(name: str) -> Iterator[Assumed]:
    """Read what is not UTF-8, and says nothing of its encoding, in this one instead of a guess; empty for none."""
    assumed = Assumed(codec_of(name))
    token = _assumed.set(assumed)
    try:
        yield assumed
    finally:
        _assumed.reset(token)


def looks_binary(sample: bytes) -> bool:
    """Tell whether the first bytes of a file are those of no text in any common encoding."""
    if any(sample.startswith(mark) for mark, _ in BYTE_ORDER_MARKS):
        return False
    return _is_signed(sample) or (not wide_encoding(sample) and _is_binary(narrowed(sample)))


def is_utf8_if_valid(declared: str) -> bool:
    """Tell whether bytes that are valid UTF-8 are always read as such, under what is declared and assumed."""
    named = codec_of(declared)
    return named not in MULTI_BYTE and (named or _assumed.get(Assumed()).codec) not in SEVEN_BIT


def decode(data: bytes, declared: str = "") -> Decoded:
    """Decode bytes: by mark, as declared if that fits, as UTF-8, in the assumed encoding, or in the likeliest one.

    What is valid UTF-8 is UTF-8, whatever a declaration or the assumed encoding says; a declared code page is taken
    unless the bytes make much better words in another one.

    :param declared: The name of the encoding that the file or its envelope gives.
    :raises ReadError: The bytes are no text, or in no encoding that can be told.
    """
    for mark, encoding in BYTE_ORDER_MARKS:
        if data.startswith(mark) and not (mark == codecs.BOM_UTF32_LE and len(data) % 4):
            return _marked(data[len(mark) :], encoding)
    if wide := wide_encoding(data):
        return _in(data, wide)
    assumed, named = _assumed.get(Assumed()), codec_of(declared)
    if (named or assumed.codec).startswith(WIDE) and (b"\0" in data or _strictly(data, "utf-8") is None):
        return _in(data, named or assumed.take())
    named = "" if named.startswith(WIDE) else named
    if _is_signed(data) or _is_binary(narrowed(data)):
        raise ReadError("binary data under the name of a text file")
    data, notes = _without_nul(data)
    decoded = _seven_bit(data, named, assumed) if data.isascii() else _eight_bit(data, named, assumed)
    return Decoded(decoded.text, decoded.guessed_encoding, notes + decoded.notes)


def _marked(data: bytes, encoding: str) -> Decoded:
    if encoding.startswith("utf-16"):
        return _in(widened(data, encoding), encoding)
    if encoding == "utf-8":
        data, notes = _without_nul(data)
        decoded = _utf8(data) or _in(data, encoding)
        return Decoded(decoded.text, decoded.guessed_encoding, notes + decoded.notes)
    return _in(data, encoding)


def _seven_bit(data: bytes, named: str, assumed: Assumed) -> Decoded:
    """Decode ASCII, or one of the encodings that write all their characters in its bytes."""
    said = named or assumed.codec
    if said in SEVEN_BIT and not said.startswith("iso2022"):
        return _in(data, named or assumed.take())
    if KOREAN in data:
        return _in(data, "iso2022_kr")
    if ISO_2022.search(data):
        text = decode_iso_2022(data)
        return _in(data, "iso2022_jp_ext") if text is None else Decoded(text)
    if HZ_TEXT.search(data) and (decoded := _strictly(data, "hz")):
        return Decoded(decoded.text, guessed_encoding="HZ")
    return Decoded(data.decode("ascii"))


def _eight_bit(data: bytes, named: str, assumed: Assumed) -> Decoded:
    whole = _whole_utf8(data)
    if whole and not (named in MULTI_BYTE and _reads_better(data, named, whole.text)):
        return whole
    beyond_doubt = not named and assumed.codec not in ("", "utf-8")
    if named in ("", "utf-8") and (decoded := _utf8(data, beyond_doubt=beyond_doubt)):
        return decoded
    named = "" if named == "utf-8" else named
    if assumed.codec and not named:
        return _in(data, assumed.take())
    guess = detect(data, named)
    if guess is None:
        raise ReadError("the text is in an unknown encoding; save the file as UTF-8, or name its encoding: --encoding")
    decoded = _in(data, guess.page.codec)
    return Decoded(decoded.text, "" if guess.page.codec == named else guess.page.name, decoded.notes)


def _whole_utf8(data: bytes) -> Decoded | None:
    """Decode UTF-8 without damage, that of programs which write surrogates and NUL in their own way included."""
    decoded = _strictly(data, "utf-8") or _strictly(joined_surrogates(data), "utf-8")
    return decoded and _noting_nul(decoded.text, [])


def _reads_better(data: bytes, codec: str, utf8: str) -> bool:
    declared = _strictly(data, codec)
    return declared is not None and text_bits(declared.text) < text_bits(utf8)


def _utf8(data: bytes, *, beyond_doubt: bool = False) -> Decoded | None:
    """Decode UTF-8, with damage or not; None if it is another encoding, or might be one and is to be beyond doubt."""
    if whole := _whole_utf8(data):
        return whole
    repaired = repair_utf8(data, beyond_doubt=beyond_doubt)
    if repaired is None:
        return None
    notes = [_lost(repaired.lost, "UTF-8")] if repaired.lost else []
    if repaired.lines:
        notes.append(f"{counted(repaired.lines, 'line')} not in UTF-8 like the rest, read as {repaired.name}")
    return _noting_nul(repaired.text, notes)


def _strictly(data: bytes, codec: str) -> Decoded | None:
    try:
        return Decoded(data.decode(codec))
    except UnicodeDecodeError:
        return None


def _in(data: bytes, codec: str) -> Decoded:
    """Decode in a given encoding; what is not in it becomes U+FFFD, and is said."""
    decoded = _strictly(data, codec)
    text = decoded.text if decoded else data.decode(codec, errors="replace")
    return _noting_nul(text, [] if decoded else [_lost(text.count("\ufffd"), NAMES.get(codec, codec.upper()))])


def _noting_nul(text: str, notes: list[str]) -> Decoded:
    if count := text.count("\0"):
        notes = [*notes, _left_out(count)]
    return Decoded(text.replace("\0", ""), notes=tuple(notes))


def _without_nul(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    if b"\0" not in data:
        return data, ()
    rest = narrowed(data)
    count = rest.count(0)
    return rest.replace(b"\0", b""), (_left_out(count),) if count else ()


def _is_signed(data: bytes) -> bool:
    return data.startswith(BINARY_SIGNATURES) or data[TAR_PLACE : TAR_PLACE + 5] == TAR_SIGNATURE


def _is_binary(data: bytes) -> bool:
    runs = sum(1 for _ in NUL_RUN.finditer(data))
    rest = data.replace(b"\0", b"").rstrip(b"\x1a")
    controls = 0 if ISO_2022.search(rest) else len(CONTROL.findall(rest))
    return controls > max(2, len(rest) // 50) or runs > max(3, len(data) // BYTES_FOR_A_NUL) or (runs > 0 and not rest)


def _lost(count: int, encoding: str) -> str:
    return f"{counted(count, 'byte')} damaged, not {encoding}: U+FFFD stands in their place"


def _left_out(count: int) -> str:
    return f"{counted(count, 'NUL character')} left out"
