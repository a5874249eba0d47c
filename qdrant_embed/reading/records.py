"""JSON and JSON lines as text: indented `field: value` lines, so that a chunk has the names of the values in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from json import JSONDecodeError

from qdrant_embed.reading.growth import joined
from qdrant_embed.reading.parsed import Parsed, clean
from qdrant_embed.reading.text_encoding import Decoded, decode

DEEPEST_INDENT = 8
"""Levels that are shown by indentation; what is deeper stands as far to the right, so that text grows with the file."""
NAMED_LINES = 5
"""Lines that could not be read and are named; the others are counted."""


class Fields(tuple[tuple[str, object], ...]):
    """A JSON object as pairs: it may have several fields of one name."""

    __slots__ = ()


class Number(str):
    """A number as it is written: none is too large, and none is rounded."""

    __slots__ = ()


DECODER = json.JSONDecoder(
    object_pairs_hook=Fields, parse_float=Number, parse_int=Number, parse_constant=Number, strict=False
)


def read_json(data: bytes, name: str) -> Parsed:
    """Read one JSON value, or several one after the other; what does not parse is kept as it stands, and said."""
    decoded = decode(data)
    text = clean(decoded.text).removeprefix("\ufeff")
    if not text.strip():
        return decoded.parsed("")
    try:
        values = _values(text)
    except JSONDecodeError as error:
        if _begins_with_a_line(text):
            return _lines_of_records(decoded, text)
        why = f"no valid JSON (line {error.lineno:,}: {error.msg}); its text is kept as it stands"
        return decoded.parsed(text, text_type="application/json", notes=(why,))
    except RecursionError:
        why = "nested too deeply to be read as fields and values; its text is kept as it stands"
        return decoded.parsed(text, text_type="application/json", notes=(why,))
    return decoded.parsed(joined(map(record_text, values), "\n\n"), title=_title(values[0]))


def read_json_lines(data: bytes, name: str) -> Parsed:
    """Read one record per line, or records one after the other; a line that does not parse is kept, and said."""
    decoded = decode(data)
    return _lines_of_records(decoded, clean(decoded.text).removeprefix("\ufeff"))


def _lines_of_records(decoded: Decoded, text: str) -> Parsed:
    lines = text.split("\n")
    records = [_line_text(line) for line in lines]
    broken = [number for number, record in enumerate(records, 1) if record is None]
    if broken:
        try:
            return decoded.parsed(joined(map(record_text, _values(text)), "\n\n"))
        except (JSONDecodeError, RecursionError):
            pass  # the lines that do parse are records all the same
    texts = [line if record is None else record for line, record in zip(lines, records, strict=True)]
    return decoded.parsed(joined(filter(str.strip, texts), "\n\n"), notes=_unread(broken))


def record_text(value: object) -> str:
    """Return a JSON value as indented lines, records of a list being set apart by blank lines."""
    return joined(_lines(value), "\n").strip("\n")


def _values(text: str) -> list[object]:
    """Parse all values of a text.

    :raises JSONDecodeError: Something in it is none.
    """
    values = []
    place = len(text) - len(text.lstrip())
    while place < len(text):
        value, place = DECODER.raw_decode(text, place)
        values.append(value)
        while place < len(text) and text[place] in " \t\n\x1e":
            place += 1
    return values


def _begins_with_a_line(text: str) -> bool:
    """Tell whether the first line is a record of its own, and others follow."""
    line, _, rest = text.lstrip().partition("\n")
    return line.startswith(("{", "[")) and bool(rest.strip()) and _line_text(line) is not None


def _line_text(line: str) -> str | None:
    """Return the text of a line's record, empty for a blank line, None for one that does not parse."""
    if not line.strip():
        return ""
    try:
        return record_text(DECODER.decode(line)) or line
    except (JSONDecodeError, RecursionError):
        return None


def _unread(broken: list[int]) -> tuple[str, ...]:
    if not broken:
        return ()
    named = ", ".join(f"{number:,}" for number in broken[:NAMED_LINES])
    more = f" and {len(broken) - NAMED_LINES:,} more" if len(broken) > NAMED_LINES else ""
    return (f"no valid JSON in line {named}{more}; kept as it stands",)


def _title(value: object) -> str:
    titles = [inner for key, inner in value if key == "title"] if isinstance(value, Fields) else []
    return next((title for title in titles if isinstance(title, str) and not isinstance(title, Number)), "")


def _lines(value: object) -> Iterator[str]:
    """Yield the lines of a value; what waits is held in a list, since values may be nested deeper than calls may."""
    waiting: list[tuple[str | None, object, int]] = [(None, value, 0)]
    while waiting:
        key, inner, depth = waiting.pop()
        pad = "  " * min(depth, DEEPEST_INDENT)
        if _is_flat(inner):
            yield (pad + _flat(inner) if key is None else f"{pad}{key}: {_flat(inner)}").rstrip()
            continue
        if key is not None:
            yield f"{pad}{key}:"
            depth += 1
        if isinstance(inner, Fields | dict):
            fields = inner.items() if isinstance(inner, dict) else inner
            waiting += [(name, field, depth) for name, field in reversed(fields)]
        elif isinstance(inner, list):
            for item in reversed(inner):
                waiting += [_BLANK, (None, item, depth)]


_BLANK = (None, "", 0)


def _is_flat(value: object) -> bool:
    if isinstance(value, list):
        return not any(isinstance(item, list | dict | Fields) for item in value)
    return not isinstance(value, dict | Fields) or not value


def _flat(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_flat(item) for item in value)
    if isinstance(value, dict | Fields):
        return ""
    return value if isinstance(value, str) else json.dumps(value)
