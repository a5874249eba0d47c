"""Values between processes: as JSON, with numbers and bytes beside it as they lie in memory.

What JSON has no form for is an object whose only key begins with `$`: an array, a list of numbers, bytes, a model of
`qdrant_client` by its name, an error by its name. Names are looked up among those models and errors and nowhere else,
so reading a frame runs nothing.
"""

from __future__ import annotations

import builtins
from array import array
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

import numpy as np
from pydantic import BaseModel
from qdrant_client import models
from qdrant_client.http import models as http_models

from qdrant_embed import errors
from qdrant_embed.errors import QdrantEmbedError, StoreError
from qdrant_embed.store.points import checked_payload

PROTOCOL = 1

_ALIGNED = 8
_FEW = 8
"""Lists of fewer numbers stand in the JSON."""
_CODES = {float: "d", int: "q"}
_PLAIN = (bool, int, float, str)
_ANSWERED = {"Record", "ScoredPoint"}


class BrokenFrameError(Exception):
    """The other end sent something else than a frame."""


class Packer:
    """Turns values into what JSON has a form for, and collects the bytes beside it."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self._size = 0

    def pack(self, value: Any) -> Any:
        """Return a value in its JSON form.

        :raises StoreError: It has none.
        """
        if value is None or type(value) in _PLAIN:
            return value
        for kind, form in _FORMS:
            if isinstance(value, kind):
                return form(self, value)
        raise StoreError(f"a {type(value).__name__} cannot be sent to the process that holds the folder.")

    def keep(self, data: Any) -> int:
        """Put bytes beside the JSON; return where they begin."""
        start, data = self._size, bytes(data)
        padding = -len(data) % _ALIGNED
        self.parts += [data, bytes(padding)] if padding else [data]
        self._size += len(data) + padding
        return start

    def _model(self, value: BaseModel) -> dict[str, Any]:
        name = next((kind.__name__ for kind in type(value).__mro__ if _model_of(kind.__name__) is kind), None)
        if name is None:
            raise StoreError(f"a {type(value).__name__} cannot be sent to the process that holds the folder.")
        given = {key: one for key, one in value.__dict__.items() if key in value.model_fields_set}
        raw = None
        if isinstance(value, models.PointStruct):
            raw = checked_payload(value)
        elif name in _ANSWERED:
            raw = given.get("payload")  # JSON already: it comes from the engine
        given.pop("payload", None) if raw is not None else None
        packed = {key: self.pack(one) for key, one in given.items()}
        return {"$model": [name, packed] if raw is None else [name, packed, raw]}

    def _array(self, value: np.ndarray[Any, Any]) -> Any:
        if value.dtype.kind not in "fiub":
            return self.pack(value.tolist())
        return {"$array": [value.dtype.str, list(value.shape), self.keep(np.ascontiguousarray(value).tobytes())]}

    def _mapping(self, value: Mapping[Any, Any]) -> dict[str, Any]:
        if all(type(key) is str and not key.startswith("$") for key in value):
            return {key: self.pack(one) for key, one in value.items()}
        return {"$dict": [[self.pack(key), self.pack(one)] for key, one in value.items()]}

    def _list(self, value: Iterable[Any]) -> Any:
        listed = list(value)
        kinds = set(map(type, listed)) if len(listed) >= _FEW else set()
        code = _CODES.get(kinds.pop()) if len(kinds) == 1 else None
        if code is not None:
            try:
                return {"$numbers": [code, len(listed), self.keep(array(code, listed).tobytes())]}
            except OverflowError:
                pass  # a whole number of more than 63 bits
        return [self.pack(one) for one in listed]

    def _error(self, value: BaseException) -> dict[str, Any]:
        name, text = type(value).__name__, str(value)
        if _error_of(name) is not type(value):
            name, text = "StoreError", f"the process that holds the folder failed: {name}: {text}"
        plain = {key: one for key, one in vars(value).items() if isinstance(one, (str, int, type(None)))}
        return {"$error": [name, text, plain]}


def _enumerated(packer: Packer, value: Enum) -> Any:
    known = _model_of(type(value).__name__) is type(value)
    return {"$enum": [type(value).__name__, value.value]} if known else packer.pack(value.value)


_FORMS: tuple[tuple[Any, Callable[[Packer, Any], Any]], ...] = (
    (BaseModel, Packer._model),
    (np.ndarray, Packer._array),
    (Mapping, Packer._mapping),
    (Enum, _enumerated),
    (str, lambda _, value: str(value)),
    (tuple, lambda packer, value: {"$tuple": [packer.pack(one) for one in value]}),
    (np.generic, lambda packer, value: packer.pack(value.item())),
    (UUID, lambda _, value: {"$uuid": str(value)}),
    (datetime, lambda _, value: {"$time": value.isoformat()}),
    (date, lambda _, value: {"$date": value.isoformat()}),
    ((bytes, bytearray, memoryview), lambda packer, value: {"$bytes": [len(value), packer.keep(value)]}),
    (BaseException, Packer._error),
    (int, lambda _, value: int(value)),
    (float, lambda _, value: float(value)),
    (Iterable, Packer._list),
)


class Unpacker:
    """Turns the JSON form of values back."""

    def __init__(self, rest: bytearray) -> None:
        self._rest = memoryview(rest)

    def unpack(self, value: Any) -> Any:
        """Return the value that has this form.

        :raises BrokenFrameError: It is no such form; some raise `KeyError`, `TypeError` or `ValueError`.
        """
        if isinstance(value, list):
            return [self.unpack(one) for one in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((mark, held),) = value.items()
            if mark.startswith("$"):
                return _READ[mark](self, held)
        return {key: self.unpack(one) for key, one in value.items()}

    def _model(self, held: list[Any]) -> Any:
        name, fields, *raw = held
        kind = _model_of(name)
        if kind is None or not issubclass(kind, BaseModel):
            raise BrokenFrameError(f"{name!r} is no model")
        given = {key: self.unpack(one) for key, one in fields.items()}
        return kind.model_construct(**given, payload=raw[0]) if raw else kind.model_construct(**given)

    def _array(self, held: list[Any]) -> Any:
        kind, shape, start = held
        dtype = np.dtype(kind)
        count = int(np.prod(shape, dtype=np.int64))
        return np.frombuffer(self._cut(start, count * dtype.itemsize), dtype).reshape(shape)

    def _numbers(self, held: list[Any]) -> list[Any]:
        code, count, start = held
        found = array(code if code in _CODES.values() else "d")
        found.frombytes(self._cut(start, count * found.itemsize))
        return found.tolist()

    def _cut(self, start: int, size: int) -> memoryview:
        if start < 0 or size < 0 or start + size > len(self._rest):
            raise BrokenFrameError("bytes are missing")
        return self._rest[start : start + size]

    def _enum(self, held: list[Any]) -> Any:
        kind = _model_of(held[0])
        if kind is None or not issubclass(kind, Enum):
            raise BrokenFrameError(f"{held[0]!r} is no enumeration")
        return kind(held[1])


def _read_error(_: Unpacker, held: list[Any]) -> BaseException:
    name, text, plain = held
    kind = _error_of(name) or StoreError
    found = kind.__new__(kind)
    Exception.__init__(found, text)
    found.__dict__.update(plain)
    return found


_READ: dict[str, Callable[[Unpacker, Any], Any]] = {
    "$model": Unpacker._model,
    "$array": Unpacker._array,
    "$numbers": Unpacker._numbers,
    "$bytes": lambda reader, held: bytes(reader._cut(held[1], held[0])),
    "$dict": lambda reader, held: {reader.unpack(key): reader.unpack(one) for key, one in held},
    "$tuple": lambda reader, held: tuple(reader.unpack(one) for one in held),
    "$enum": Unpacker._enum,
    "$uuid": lambda _, held: UUID(held),
    "$time": lambda _, held: datetime.fromisoformat(held),
    "$date": lambda _, held: date.fromisoformat(held),
    "$error": _read_error,
}


def _model_of(name: str) -> type | None:
    found = getattr(http_models, name, None) or getattr(models, name, None)
    known = isinstance(found, type) and issubclass(found, (BaseModel, Enum)) and found not in (BaseModel, Enum)
    return found if known else None


def _error_of(name: str) -> type[Exception] | None:
    """Return the class of an error that may be raised on the other side: ours, and those of wrong arguments."""
    found = getattr(errors, name, None) or (getattr(builtins, name) if name in ("TypeError", "ValueError") else None)
    known = isinstance(found, type) and issubclass(found, (QdrantEmbedError, TypeError, ValueError))
    return found if known else None
