"""The settings that can be tried on a collection: dimensions × stored format × code × rotation × oversampling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from qdrant_embed.compression import Compression, VectorCodec
from qdrant_embed.compression.spec import BINARY_CODES
from qdrant_embed.compression.transitions import require_kept
from qdrant_embed.errors import ConfigurationError, UnsupportedByEngineError
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.quantization import require_engine, require_enough_dimensions

OVERSAMPLING = (1.0, 2.0, 4.0, 8.0, 16.0)
STORED = ("float32", "float16", "turbo16", "turbo8", "uint8")
UNDER_CODES = ("float16", "turbo8", "uint8")
CODES = ("int8", "binary", "binary1.5", "binary2", "turbo1", "turbo1.5", "turbo2", "turbo4")
PRODUCT = "pq16"
QUERY_BITS = (4, 8)
ROTATIONS = ("rotate", "center+rotate", "center+itq")
SIGNS = ("", "center", "rotate", "center+rotate", "center+itq", "median", "center+itq+median")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """What can be tried on a collection, which is what it can be changed to: it holds some numbers and no others.

    :param engine: What holds the collection, and has to have what it is changed to.
    :param held: The collection's compression.
    :param model: The model's name, for errors.
    :param full: Dimensions that the model gives.
    :param dim: Dimensions of the vectors that the collection holds.
    :param trained: Smaller numbers of dimensions that the model was trained to be cut to.
    :param compare_by: The model's distance.
    """

    engine: Engine
    held: Compression
    model: str
    full: int
    dim: int
    trained: Sequence[int]
    compare_by: str

    @property
    def base(self) -> Compression:
        """The numbers that the collection holds, searched as they are."""
        if self.held.full:
            return Compression(datatype=self.held.whole)
        return replace(self.held.points, code="")

    def formats(self) -> list[Compression]:
        """Return the collection as it is, and each stored format without a code."""
        return list(dict.fromkeys([self.held, *self._each({"datatype": stored} for stored in STORED)]))

    def codes(self) -> list[Compression]:
        """Return each code over the numbers as they are stored now, with queries as the engine treats them."""
        return self._each({"code": code} for code in CODES)

    def products(self) -> list[Compression]:
        """Return product codes, plain and rotated for them; training one takes as long as ten other settings."""
        return self._each({"code": PRODUCT, **changes} for changes in ({}, {"center": False, "rotation": "opq"}))

    @property
    def product_bytes(self) -> float:
        """Bytes of a product code."""
        return 4 * self.dim / int(PRODUCT[2:])

    def signs(self) -> list[Compression]:
        """Return sign codes that are kept alone."""
        return self._each({"datatype": "bits", **_turned(text)} for text in SIGNS)

    def with_whole_vectors(self, signs: Compression) -> list[Compression]:
        """Return sign codes with whole vectors beside them, as float16, which rescores as well as float32."""
        whole = {"full": True, "kept": "float16"}
        return self._each({**_parts(signs), **whole, "rescore": factor} for factor in OVERSAMPLING)

    def asked(self, code: Compression) -> list[Compression]:
        """Return a code with queries that keep more bits."""
        if code.code not in BINARY_CODES:
            return []
        return self._each({**_parts(code), "query_bits": bits} for bits in QUERY_BITS)

    def rotated(self, code: Compression) -> list[Compression]:
        """Return a code of rotated vectors; TurboQuant rotates them itself, and one rotation is enough."""
        if code.rotation or code.code.startswith("turbo"):
            return []
        return self._each({**_parts(code), **_turned(text)} for text in ROTATIONS)

    def stored_under(self, code: Compression) -> list[Compression]:
        """Return a code with its vectors stored in other formats."""
        others = self._each({**_parts(code), "datatype": stored} for stored in UNDER_CODES)
        return [setting for setting in others if setting != code]

    def cuts(self) -> list[int]:
        """Return the smaller numbers of dimensions that the model was trained for, most first."""
        return sorted((dim for dim in self.trained if dim < self.dim), reverse=True)

    def cut(self, dim: int, codes: Sequence[Compression]) -> list[Compression]:
        """Return fewer dimensions, by themselves, with codes, and beside the whole vectors, which rescore.

        Nothing is stored as float32: what float16 loses is nothing beside what is cut.
        """
        fewer = {"dim": dim, "forced": False}
        alone = [{**_parts(one), **fewer, "datatype": _halved(one.datatype)} for one in (self.base, *codes)]
        whole = [{**one, "datatype": "float16", "full": True, "rescore": f} for one in alone for f in OVERSAMPLING]
        return self._each(iter([*alone, *whole]))

    def require(self, setting: Compression) -> None:
        """Refuse what the collection could not be changed to, before anything is measured.

        :raises UnsupportedByEngineError: Its engine has no such codes, or no such stored format.
        :raises ConfigurationError: It needs numbers that were not kept, a cut that the model was not trained for and
            that nobody asked for, or more dimensions than there are.
        """
        require_engine(self.engine, setting)
        if setting.points != self.held.points:
            require_kept(self.held, setting)
        cut = setting.dim_of(self.model, self.full, self.trained)
        require_enough_dimensions(min(cut, self.dim), setting)
        VectorCodec(compression=setting, dim=self.full if setting.full else cut, distance=self.compare_by)

    def _each(self, changed: Iterator[dict[str, Any]]) -> list[Compression]:
        return [setting for changes in changed for setting in self._made(changes)]

    def _made(self, changes: dict[str, Any]) -> Iterator[Compression]:
        """Yield the collection's numbers with some parts of their compression exchanged, if that can be had."""
        # Whole numbers of one sign have no codes of signs; such a collection's are made of turbo8 instead.
        formats = (self.base.datatype, "turbo8") if "code" in changes else (self.base.datatype,)
        for stored in formats:
            try:
                setting = replace(self.base, **{"datatype": stored, **changes})
                self.require(setting)
            except (ConfigurationError, UnsupportedByEngineError):
                continue
            yield setting
            return


def oversampled(setting: Compression) -> Iterator[Compression]:
    """Yield a setting with every amount of rescoring that makes sense; one that names an amount is left as it is."""
    yield setting
    if setting.code and setting.rescore is None:
        yield from (replace(setting, rescore=factor) for factor in OVERSAMPLING)


def build_key(setting: Compression) -> Compression:
    """Return what settings share that differ in rescoring only, and so need to be built but once."""
    return replace(setting, rescore=1.0 if setting.full else None, rounds=False)


def _halved(datatype: str) -> str:
    return "float16" if datatype == "float32" else datatype


def _parts(setting: Compression) -> dict[str, Any]:
    """Return everything but how much is rescored, which is found anew."""
    names = ("datatype", "center", "rotation", "median", "code", "query_bits")
    return {name: getattr(setting, name) for name in names}


def _turned(text: str) -> dict[str, Any]:
    """Return what a text says about centering, rotation and medians."""
    parts = text.split("+")
    rotation = next((part for part in parts if part in ("rotate", "itq")), "")
    return {"center": "center" in parts, "rotation": rotation, "median": "median" in parts}
