"""Seven-bit Japanese (ISO-2022-JP), with the characters that Windows adds, and codes of the terminal within."""

from __future__ import annotations

import re

CODECS = ("iso2022_jp_ext", "iso2022_jp_2", "iso2022_jp_2004")
DESIGNATION = re.compile(rb"(\x1b\$[@B]|\x1b\([BIJ])")
PAIRS = re.compile(rb"[\x21-\x7e]{2}")
TERMINAL_CODE, HELD = b"\x1b[", "\0"


def decode_iso_2022(data: bytes) -> str | None:
    """Decode a text without NUL; None if some of it is in none of the forms known.

    Python's decoders take the rest of a line after a code of the terminal for ASCII, so these are held back.
    """
    held = data.replace(TERMINAL_CODE, HELD.encode())
    for codec in CODECS:
        try:
            return held.decode(codec).replace(HELD, TERMINAL_CODE.decode())
        except UnicodeDecodeError:
            continue
    return _as_windows_does(data)


def _as_windows_does(data: bytes) -> str | None:
    """Decode as code page 50221: double bytes by way of Shift JIS, in which Windows has ①, ㈱, 髙 and others."""
    first, *rest = DESIGNATION.split(data)
    pieces = [first]
    for designation, text in zip(rest[::2], rest[1::2], strict=True):
        if designation.startswith(b"\x1b$"):
            pieces.append(PAIRS.sub(lambda pair: _shifted(*pair[0]), text))
        else:
            pieces.append(bytes(byte | 0x80 for byte in text) if designation.endswith(b"I") else text)
    try:
        return b"".join(pieces).decode("cp932")
    except UnicodeDecodeError:
        return None


def _shifted(row: int, cell: int) -> bytes:
    lead = (row + 1) // 2 + (0x70 if row < 0x5F else 0xB0)
    trail = cell + (0x7E if row % 2 == 0 else 0x1F if cell < 0x60 else 0x20)
    return bytes((lead, trail))
