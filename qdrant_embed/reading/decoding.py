"""Bytes of unknown encoding to text."""

from __future__ import annotations

import codecs
import re

from qdrant_embed.errors import ReadError

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""UTF-32 stands before UTF-16, whose mark it begins with."""

DETECTED_BYTES = 2**18
"""More says nothing new about the encoding, and detection is slow."""

BINARY_SIGNATURES = (b"%PDF-", b"PK\x03\x04", b"\x1f\x8b", b"\x7fELF", b"\x89PNG", b"\xff\xd8\xff", b"\xd0\xcf\x11\xe0")
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
"""Control characters that texts do not have; ESC is left out since logs have it, and ISO 2022 encodings."""


def looks_binary(sample: bytes) -> bool:
    """Tell whether the first bytes of a file are those of no text in any common encoding."""
    if sample.startswith(BINARY_SIGNATURES):
        return True
    if any(sample.startswith(mark) for mark, _ in BYTE_ORDER_MARKS) or wide_encoding(sample) is not None:
        return False
    return len(CONTROL.findall(sample)) > len(sample) // 100 or b"\0" in sample


def wide_encoding(data: bytes) -> str | None:
    """Recognise UTF-16 without a mark: almost every character of most texts has one byte that is zero."""
    sample = data[:4096]
    sample = sample[: len(sample) // 2 * 2]
    even, odd = sample[0::2], sample[1::2]
    for high, low, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if high.count(0) > 0.4 * len(high) and len(CONTROL.findall(low)) < 0.02 * len(low):
            return encoding
    return None


def decode(data: bytes) -> str:
    """Decode bytes: by mark, as UTF-8, as UTF-16 without a mark, as UTF-8 with damage, and then by detection.

    :raises ReadError: The bytes are no text, or in no encoding that can be told.
    """
    for mark, encoding in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    wide = wide_encoding(data)
    if wide is not None:
        return data.decode(wide, errors="replace")
    if looks_binary(data[:DETECTED_BYTES]):
        raise ReadError("binary data under the name of a text file")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _damaged_utf8(data) or _detected(data)


def _damaged_utf8(data: bytes) -> str | None:
    """Return UTF-8 with a few broken bytes replaced: in other encodings, valid sequences are rare by chance."""
    text = data.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    whole = sum(1 for character in text if character > "\x7f") - broken
    return text if whole > 9 * broken else None


def _detected(data: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(data[:DETECTED_BYTES]).best()
    if best is None:
        raise ReadError("the text is in an unknown encoding; save the file as UTF-8")
    return data.decode(best.encoding, errors="replace")
