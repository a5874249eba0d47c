"""A compression in the engine's own words: vectors, quantization, search parameters. The only file that knows both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

from qdrant_embed.compression import Compression
from qdrant_embed.compression.spec import BINARY_CODES, PRODUCT_CODES, TURBO_CODES
from qdrant_embed.errors import ConfigurationError, UnsupportedByEngineError
from qdrant_embed.servers.features import Feature
from qdrant_embed.store.methods.ranking_request import CodeUse

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed.store.engine import Engine
    from qdrant_embed.store.methods.client_methods import Quantization

FEWEST_BINARY_DIMENSIONS = 64
"""Below this, a code of one bit a dimension has so few values that most vectors share theirs with others."""
INDEXING_THRESHOLD_KB = 100
"""Codes are built when a segment is indexed; a collection that asked for codes gets them before it is large."""
INT8_QUANTILE = 0.99
SERVER_BYTES = 30 * 1024 * 1024
"""What an attachment may take in a request: a server takes 32 MiB by default, other metadata included."""

_STORED: Mapping[str, Feature] = {"turbo8": "stored turbo8", "turbo16": "stored turbo16"}
_OTHER_FORMATS = {"turbo8": ("uint8", "float16"), "turbo16": ("float16",)}
_OTHER_CODES = {
    "turbo1": ("binary",), "turbo1.5": ("binary1.5",), "turbo2": ("binary2",), "turbo4": ("int8",), "turbo8": ("int8",),
}  # fmt: skip
"""What takes as many bytes, or the next number of them, and is older."""
_ENCODINGS = {"binary": "one_bit", "binary1.5": "one_and_half_bits", "binary2": "two_bits"}
_QUERY_ENCODINGS = {1: "binary", 4: "scalar4bits", 8: "scalar8bits"}


def vector_params(size: int, distance: str, compression: Compression) -> models.VectorParams:
    """Return how compressed vectors are stored and searched.

    Codes are held in memory, and what they were made from on disk; sign codes get no graph, since the engine has no
    Hamming distance to build one with.

    :raises ConfigurationError: The code does not fit the number of dimensions.
    """
    from qdrant_client import models

    require_enough_dimensions(size, compression)
    bits = compression.datatype == "bits"
    return models.VectorParams(
        size=size,
        distance=models.Distance(distance.capitalize()),
        datatype=models.Datatype("uint8" if bits else compression.datatype),
        hnsw_config=models.HnswConfigDiff(m=0) if bits else None,
        quantization_config=quantization(compression),
        on_disk=True if compression.code else None,
    )


def rescoring_params(size: int, distance: str, compression: Compression) -> models.VectorParams:
    """Return how the whole vectors are stored that rescore what the compressed ones found: on disk, without a graph."""
    from qdrant_client import models

    return models.VectorParams(
        size=size,
        distance=models.Distance(distance.capitalize()),
        datatype=models.Datatype(compression.whole),
        hnsw_config=models.HnswConfigDiff(m=0),
        on_disk=True,
    )


def quantization(compression: Compression) -> Quantization | None:
    """Return the codes that are searched; None if vectors are searched as they are stored."""
    from qdrant_client import models

    code = compression.code
    if code == "int8":
        scalar = models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=INT8_QUANTILE, always_ram=True)
        return models.ScalarQuantization(scalar=scalar)
    if code in PRODUCT_CODES:
        ratio = models.CompressionRatio(f"x{code[2:]}")
        return models.ProductQuantization(product=models.ProductQuantizationConfig(compression=ratio, always_ram=True))
    if code in BINARY_CODES:
        given: dict[str, Any] = {"always_ram": True}
        # A server that is older than the finer encodings still takes the plain one.
        if code != "binary":
            given["encoding"] = models.BinaryQuantizationEncoding(_ENCODINGS[code])
        if compression.query_bits is not None:
            encoding = _QUERY_ENCODINGS[compression.query_bits]
            given["query_encoding"] = models.BinaryQuantizationQueryEncoding(encoding)
        return models.BinaryQuantization(binary=models.BinaryQuantizationConfig(**given))
    if code in TURBO_CODES:
        bits = models.TurboQuantBitSize(f"bits{code[5:].replace('.', '_')}")
        return models.TurboQuantization(turbo=models.TurboQuantQuantizationConfig(bits=bits, always_ram=True))
    return None


def optimizers(compression: Compression) -> models.OptimizersConfigDiff | None:
    """Return when indexes, and codes with them, are built; None for the engine's own rule."""
    from qdrant_client import models

    return models.OptimizersConfigDiff(indexing_threshold=INDEXING_THRESHOLD_KB) if compression.code else None


def code_use(compression: Compression, hnsw_ef: int) -> CodeUse:
    """Return how a query is answered: by code or not, how many candidates are rescored."""
    if not compression.code:
        return CodeUse(hnsw_ef, ignored=True)
    rescored = compression.rescore is not None and not compression.full
    return CodeUse(hnsw_ef, rescored=rescored, oversampling=compression.rescore if rescored else None)


def require_enough_dimensions(size: int, compression: Compression) -> None:
    """Refuse codes that cannot work on so few dimensions.

    :raises ConfigurationError: Too few, or a product code whose parts do not divide them.
    """
    code = compression.code
    if code in BINARY_CODES and size < FEWEST_BINARY_DIMENSIONS:
        raise ConfigurationError(
            f"{code!r} on {size} dimensions tells too few vectors apart; it needs {FEWEST_BINARY_DIMENSIONS} or more. "
            "Keep more dimensions, or search by 'int8'."
        )
    if code in PRODUCT_CODES:
        part = int(code[2:]) // 4
        if size < 2 * part or size % part:
            raise ConfigurationError(
                f"{code!r} puts {part} dimensions into a byte, and {size} dimensions are not two or more whole such "
                "parts. Keep another number of dimensions, or choose a product code that divides it."
            )


def require_engine(engine: Engine, compression: Compression) -> None:
    """Refuse what an engine would not understand, or silently ignore.

    :raises UnsupportedByEngineError: It has no such codes, or no such stored format.
    """
    why = _lacking(engine, compression)
    if why:
        near = next((other for other in _nearest(compression) if not _lacking(engine, other)), None)
        take = f" The nearest that can be had here is {str(near)!r}." if near else ""
        raise UnsupportedByEngineError(
            f"compression {str(compression)!r} is not to be had here: {why}.{take} Or use a folder "
            "(at='./qdrant_data') or another server."
        )


def _lacking(engine: Engine, compression: Compression) -> str:
    """Say what of a compression an engine does not have; empty if it has all."""
    needed = [_STORED[compression.datatype]] if compression.datatype in _STORED else []
    if compression.code:
        eight, turbo = compression.code == "turbo8", compression.code in TURBO_CODES
        needed.append("turboquant of 8 bits" if eight else "turboquant" if turbo else "codes")
    return next(filter(None, map(engine.lacks, needed)), "")


def _nearest(compression: Compression) -> Iterator[Compression]:
    """Yield compressions that need less of an engine, what is most like the given one first."""
    codes = (compression.code, *_OTHER_CODES.get(compression.code, ()), "")
    # Under codes, what rescores them should tell more apart than they do.
    stored = _OTHER_FORMATS.get(compression.datatype, ())[-1 if compression.code else 0 :]
    for code, datatype in product(codes, (compression.datatype, *stored)):
        changes: dict[str, Any] = {"datatype": datatype, "code": code}
        if code not in BINARY_CODES:
            changes["query_bits"] = None
        if not (code or compression.full):
            changes["rescore"] = None
        with suppress(ConfigurationError):
            yield replace(compression, **changes)


def require_room(engine: Engine, compression: Compression, dim: int) -> None:
    """Refuse a compression that learns more than a server can keep, before anything is made by it.

    :param dim: Dimensions that are compressed.
    :raises ConfigurationError: Its matrix would not fit into a request.
    """
    rows = 2 * compression.learned if compression.learned else dim if compression.rotation else 0
    needed = 4 * -(-4 * rows * dim // 3)
    if engine.shared and needed > SERVER_BYTES:
        most = int((SERVER_BYTES * 3 / 16) ** 0.5) // 64 * 64
        raise ConfigurationError(
            f"compression {str(compression)!r} keeps a matrix of {rows} x {dim} numbers with the collection: "
            f"{needed / 2**20:.0f} MB in one request, and a server takes 32. Keep fewer dimensions (rotations of up to "
            f"'{most}d' fit), use no rotation, or a folder: at='./qdrant_data'."
        )
