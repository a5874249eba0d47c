"""The one way from bytes to text, for every format."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.charset.codepages import MULTI_BYTE, NAMES, codec_of
from qdrant_embed.reading.charset.detection import detect, text_bits
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
ISO_2022_CODECS = ("iso2022_jp_ext", "iso2022_jp_2", "iso2022_jp_2004")
HZ_TEXT = re.compile(rb"~\{(?:[\x21-\x29\x30-\x57][\x21-\x7e])+~\}")
WIDE = ("utf-16", "utf-32")
SEVEN_BIT = frozenset({*ISO_2022_CODECS, "iso2022_kr", "iso2022_jp", "iso2022_jp_1", "iso2022_jp_3", "hz", "utf-7"})

_assumed: ContextVar[str] = ContextVar("assumed_encoding", default="")


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
def assumed_encoding(name: str) -> Iterator[None]:
    """Read what is not UTF-8, and says nothing of its encoding, in this one instead of a guess; empty for none."""
    token = _assumed.set(codec_of(name) if name else "")
    try:
        yield
    finally:
        _assumed.reset(token)


def looks_binary(sample: bytes) -> bool:
    """Tell whether the first bytes of a file are those of no text in any common encoding."""
    if any(sample.startswith(mark) for mark, _ in BYTE_ORDER_MARKS):
        return False
    if sample.startswith(BINARY_SIGNATURES) or sample[TAR_PLACE:].startswith(TAR_SIGNATURE):
        return True
    return not wide_encoding(sample) and _is_binary(narrowed(sample))


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
    assumed, named = _assumed.get(), codec_of(declared)
    wide = wide_encoding(data)
    said = next((name for name in (named, assumed) if name.startswith(WIDE)), "")
    if wide or (said and (b"\0" in data or _strictly(data, "utf-8") is None)):
        return _in(data, wide or said)
    named = "" if named.startswith(WIDE) else named
    if looks_binary(data):
        raise ReadError("binary data under the name of a text file")
    data, notes = _without_nul(joined_surrogates(data))
    decoded = _seven_bit(data, named or assumed) if data.isascii() else _eight_bit(data, named, assumed)
    return Decoded(decoded.text, decoded.guessed_encoding, notes + decoded.notes)


def _marked(data: bytes, encoding: str) -> Decoded:
    if encoding.startswith("utf-16"):
        return _in(widened(data, encoding), encoding)
    if encoding == "utf-8":
        data, notes = _without_nul(joined_surrogates(data))
        decoded = _utf8(data) or _in(data, encoding)
        return Decoded(decoded.text, decoded.guessed_encoding, notes + decoded.notes)
    return _in(data, encoding)


def _seven_bit(data: bytes, named: str) -> Decoded:
    """Decode ASCII, or one of the encodings that write all their characters in its bytes."""
    if named in SEVEN_BIT and not named.startswith("iso2022"):
        return _in(data, named)
    if KOREAN in data:
        return _in(data, "iso2022_kr")
    if ISO_2022.search(data):
        return next(filter(None, (_strictly(data, codec) for codec in ISO_2022_CODECS)), _in(data, "iso2022_jp_ext"))
    if HZ_TEXT.search(data) and (decoded := _strictly(data, "hz")):
        return Decoded(decoded.text, guessed_encoding="HZ")
    return Decoded(data.decode("ascii"))


def _eight_bit(data: bytes, named: str, assumed: str) -> Decoded:
    whole = _strictly(data, "utf-8")
    if whole and not (named in MULTI_BYTE and _reads_better(data, named, whole.text)):
        return whole
    if named in ("", "utf-8") and (assumed in ("", "utf-8") or whole) and (decoded := _utf8(data)):
        return decoded
    named = "" if named == "utf-8" else named
    if assumed and not named:
        return _in(data, assumed)
    guess = detect(data, named)
    if guess is None:
        raise ReadError("the text is in an unknown encoding; save the file as UTF-8, or name its encoding: --encoding")
    decoded = _in(data, guess.page.codec)
    return Decoded(decoded.text, "" if guess.page.codec == named else guess.page.name, decoded.notes)


def _reads_better(data: bytes, codec: str, utf8: str) -> bool:
    declared = _strictly(data, codec)
    return declared is not None and text_bits(declared.text) < text_bits(utf8)


def _utf8(data: bytes) -> Decoded | None:
    if whole := _strictly(data, "utf-8"):
        return whole
    repaired = repair_utf8(data)
    if repaired is None:
        return None
    notes = [_lost(repaired.lost, "UTF-8")] if repaired.lost else []
    if repaired.lines:
        notes.append(f"{_count(repaired.lines, 'line')} not in UTF-8 like the rest, read as {repaired.name}")
    return Decoded(repaired.text, notes=tuple(notes))


def _strictly(data: bytes, codec: str) -> Decoded | None:
    try:
        return Decoded(data.decode(codec))
    except UnicodeDecodeError:
        return None


def _in(data: bytes, codec: str) -> Decoded:
    """Decode in a given encoding; what is not in it becomes U+FFFD, and is said."""
    decoded = _strictly(data, codec)
    text = decoded.text if decoded else data.decode(codec, errors="replace")
    notes = [] if decoded else [_lost(text.count("\ufffd"), NAMES.get(codec, codec.upper()))]
    if "\0" in text:
        notes.append(_left_out(text.count("\0")))
    return Decoded(text.replace("\0", ""), notes=tuple(notes))


def _without_nul(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    if b"\0" not in data:
        return data, ()
    rest = narrowed(data)
    count = rest.count(0)
    return rest.replace(b"\0", b""), (_left_out(count),) if count else ()


def _is_binary(data: bytes) -> bool:
    runs = sum(1 for _ in NUL_RUN.finditer(data))
    rest = data.replace(b"\0", b"").rstrip(b"\x1a")
    controls = 0 if ISO_2022.search(rest) else len(CONTROL.findall(rest))
    return controls > max(2, len(rest) // 50) or runs > max(3, len(data) // BYTES_FOR_A_NUL) or (runs > 0 and not rest)


def _lost(count: int, encoding: str) -> str:
    return f"{_count(count, 'byte')} damaged, not {encoding}: U+FFFD stands in their place"


def _left_out(count: int) -> str:
    return f"{_count(count, 'NUL character')} left out"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
