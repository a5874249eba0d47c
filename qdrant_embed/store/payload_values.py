"""What may enter a payload: values that have a faithful form in JSON; the same for every engine.

Engines differ in what they take: one makes text of bytes and another one a list of numbers, one keeps NaN and another
one refuses it, and what lies too deep is acknowledged and cannot be read again. So values are given their JSON form, or
refused with the name of their field, before any engine sees them:

    numpy and torch numbers and arrays, Decimal, Fraction    numbers, lists of them
    NaN, pandas' NaT and NA                                   null: a value that is missing
    datetime, date, time, timedelta                           ISO 8601
    UUID, Path, bytes that are UTF-8                          text
    Enum, dataclass, pydantic model, Mapping, set, tuple      what they hold; sets in a fixed order
    keys: Enum, whole numbers, UUID, datetime, date           text

Refused are numbers that JSON or 64 bits cannot hold, texts that are not valid Unicode, keys of any other type or equal
to another key once both are texts, values that contain themselves, and anything else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence, Set, ValuesView
from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import PurePath
from typing import Any
from uuid import UUID

import numpy as np

from qdrant_embed.errors import StoreError
from qdrant_embed.types import Json

MOST_LEVELS = 123
"""Dicts and lists inside each other, the payload counted: what the embedded engine can read back from its log."""
MOST_VALUES = 1_000_000
"""In one payload; lists that share their parts can hold more values than the memory does."""
_STEPS_SHOWN = 8
_LEAST_INTEGER, _MOST_INTEGER = -(2**63), 2**64 - 1


class _RefusedError(Exception):
    """Carries the reason up to the payload, and collects the path to the value on the way."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path: list[str | int] = []


def json_payload(payload: Mapping[Any, Any] | None) -> dict[str, Json]:
    """Return a payload in its JSON form.

    :raises StoreError: A value has no faithful form; the message names its field, what came, and what to give instead.
    """
    if payload is not None and not isinstance(payload, Mapping):
        raise StoreError(f"a payload is a dict of fields, not a {type(payload).__name__}: {payload!r:.60}.")
    try:
        return _PayloadWalk().mapping(payload or {}, 1)
    except _RefusedError as refused:
        reason = "contains itself; break the circle" if _is_circular(payload) else refused.reason
        raise StoreError(f"the field {_told(refused.path)!r} cannot be stored: it {reason}.") from None


def _told(path: Sequence[str | int]) -> str:
    """Return the way to a value, given from its end: `metadata.authors[2]`; its beginning, where it is long."""
    steps = list(reversed(path))[:_STEPS_SHOWN]
    told = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")
    return told if len(path) == len(steps) else f"{told}…"


def _is_circular(payload: Any) -> bool:
    """Tell whether a dict or a list is part of itself."""
    above: set[int] = set()
    done: set[int] = set()
    waiting = [(payload, False)]
    while waiting:
        found, left = waiting.pop()
        if left:
            above.discard(id(found))
            done.add(id(found))
        elif id(found) in above:
            return True
        elif id(found) not in done and isinstance(found, (Mapping, list, tuple)):
            above.add(id(found))
            waiting.append((found, True))
            waiting += [(part, False) for part in (found.values() if isinstance(found, Mapping) else found)]
    return False


class _PayloadWalk:
    """One walk through a payload."""

    def __init__(self) -> None:
        self._left = MOST_VALUES

    def value(self, value: Any, level: int) -> Json:
        """Return the form of any value; `level` is the one that it would open if it were a container."""
        kind = type(value)
        if kind is str:
            return _text(value)
        if value is None or kind is bool:
            return value
        if kind is int:
            return _integer(value)
        if kind is float:
            return _number(value)
        if kind is list:
            return self.listed(value, level)
        return self.mapping(value, level) if isinstance(value, Mapping) else self._other(value, level)

    def mapping(self, given: Mapping[Any, Any], level: int) -> dict[str, Json]:
        self._enter(len(given), level)
        found: dict[str, Json] = {}
        for key, value in given.items():
            try:
                name = _text(key) if type(key) is str else _key(key)
                if name in found:
                    raise _RefusedError("is a key that stands there twice once all are texts")
                found[name] = self.value(value, level + 1)
            except _RefusedError as refused:
                refused.path.append(key if isinstance(key, str) else f"{key!r:.40}")
                raise
        return found

    def listed(self, given: Iterable[Any], level: int) -> list[Json]:
        values = given if isinstance(given, list) else list(given)
        self._enter(len(values), level)
        found = []
        for place, value in enumerate(values):
            try:
                found.append(self.value(value, level + 1))
            except _RefusedError as refused:
                refused.path.append(place)
                raise
        return found

    def _enter(self, size: int, level: int) -> None:
        if level > MOST_LEVELS:
            raise _RefusedError(f"is nested deeper than {MOST_LEVELS - 1} levels; flatten it, or store it as text")
        self._left -= size + 1
        if self._left < 0:
            raise _RefusedError(f"holds more than {MOST_VALUES:,} values; store it elsewhere, and its place here")

    def _other(self, value: Any, level: int) -> Json:
        if isinstance(value, Set):
            # Sets of texts come in another order in every process, and would look changed each time.
            ordered = self.listed(value, level)
            return sorted(ordered, key=lambda item: (type(item).__name__, repr(item)))
        if isinstance(value, Enum):
            return self.value(value.value, level)
        for kinds, form in _FORMS:
            if isinstance(value, kinds):
                return form(value)
        if isinstance(value, (Sequence, ValuesView)):
            return self.listed(value, level)
        inside = _inside(value)
        if inside is value:
            kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
            raise _RefusedError(
                f"is of type {kind}, which has no form in JSON; give a text, a number, a list or a dict"
            )
        return self.value(inside, level)


def _inside(value: Any) -> Any:
    """Return what a container of another library holds, in plainer values; the value itself where it is none."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if type(value).__name__ == "NAType":
        return None
    for method in ("tolist", "model_dump"):  # numpy, torch, pandas; pydantic
        plain = getattr(type(value), method, None)
        if plain is not None:
            with suppress(Exception):  # a sparse tensor has no list
                found = plain(value)
                # numpy gives a value back as it is where Python has no type for it.
                return value if type(found) is type(value) else found
    return value


def _text(value: str) -> str:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise _RefusedError(
                f"is a text with half a character ({value[error.start]!r} at {error.start}), which is not valid "
                "Unicode; decode it again with errors='replace'"
            ) from None
    # A subclass of str may draw itself otherwise.
    return value if type(value) is str else str.__str__(value)


def _key(key: Any) -> str:
    if isinstance(key, Enum):
        return _key(key.value)
    if isinstance(key, np.generic):
        return _key(key.item())
    if isinstance(key, str):
        return _text(key)
    if isinstance(key, (int, UUID)) and not isinstance(key, bool):
        return str(key)
    if isinstance(key, (datetime, date)):
        return key.isoformat()
    raise _RefusedError(f"is a key of type {type(key).__name__}; keys are texts")


def _integer(value: int) -> int:
    plain = int(value)
    if _LEAST_INTEGER <= plain <= _MOST_INTEGER:
        return plain
    raise _RefusedError("is a whole number that 64 bits cannot hold; store it as text")


def _number(value: Any) -> float | None:
    plain = float(value)
    if math.isfinite(plain):
        return plain
    if math.isnan(plain):
        return None
    raise _RefusedError(f"is {plain}, which JSON has no number for; give null, a text or a finite number")


def _exact(value: Any) -> Json:
    if isinstance(value, Decimal) and not value.is_finite():
        return None if value.is_nan() else _number(value)
    try:
        nearest = float(value)
    except OverflowError:
        nearest = math.inf
    # 1.10 is the number that is written 1.1, though no binary fraction is exactly that.
    if math.isfinite(nearest) and (Decimal(repr(nearest)) if isinstance(value, Decimal) else nearest) == value:
        return nearest
    if abs(value) <= _MOST_INTEGER and value == int(value):
        return _integer(int(value))
    raise _RefusedError("has more digits than a number keeps; give float(…) or str(…) of it")


def _moment(value: datetime | date | time) -> str | None:
    # pandas' NaT is a datetime, unlike itself.
    return value.isoformat().replace("+00:00", "Z") if value == value else None


def _duration(value: timedelta) -> str:
    from pydantic_core import to_jsonable_python

    return str(to_jsonable_python(timedelta(days=value.days, seconds=value.seconds, microseconds=value.microseconds)))


def _bytes(value: bytes | bytearray | memoryview) -> str:
    try:
        return bytes(value).decode()
    except UnicodeDecodeError:
        raise _RefusedError("is bytes that are no UTF-8 text; give base64.b64encode(…).decode()") from None


def _scalar(value: np.generic) -> Json:
    if isinstance(value, np.floating):
        return _number(value)
    if isinstance(value, (np.datetime64, np.timedelta64)):
        try:
            return _PayloadWalk().value(plain_time(value), 1)
        except OverflowError:
            raise _RefusedError("is a time that Python has no date for; store it as text") from None
    return _PayloadWalk().value(value.item(), 1)


def plain_time(value: np.datetime64 | np.timedelta64) -> datetime | timedelta | None:
    """Return numpy's time as Python's, cut to microseconds; None for NaT.

    :raises OverflowError: Python has no such time.
    """
    if np.isnat(value):
        return None
    micros = value.astype(f"{value.dtype.kind}8[us]")
    plain: datetime | timedelta | int = micros.item()
    # numpy wraps silently around what 64 bits cannot hold; finer units never exceed them.
    finer = np.datetime_data(value.dtype)[0] in ("ns", "ps", "fs", "as")
    if isinstance(plain, int) or not (finer or micros.astype(value.dtype) == value):
        raise OverflowError(str(value))
    return plain


_FORMS: Sequence[tuple[tuple[type, ...], Callable[[Any], Json]]] = (
    ((str,), _text),
    ((np.generic,), _scalar),
    ((bool,), bool),
    ((int,), _integer),
    ((float,), _number),
    ((datetime, date, time), _moment),
    ((timedelta,), _duration),
    ((Decimal, Fraction), _exact),
    ((UUID,), str),
    ((PurePath,), lambda path: _text(path.as_posix())),
    ((bytes, bytearray, memoryview), _bytes),
)
