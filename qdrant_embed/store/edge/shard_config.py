"""What a shard is, of what the catalog says of it: `qdrant_client.models.CreateCollection` as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import qdrant_edge as edge

from qdrant_embed.store.edge.lacking_features import unsupported

HNSW_DEFAULTS = {"m": 16, "ef_construct": 100, "full_scan_threshold": 10_000}
"""The server's own; Qdrant Edge wants them spelled out."""
NO_FLUSHING = ("flush_interval_sec", "memmap_threshold", "max_optimization_threads")

_ENUMERATIONS: Mapping[str, Any] = {
    "distance": edge.Distance,
    "datatype": edge.VectorStorageDatatype,
    "memory": edge.Memory,
    "comparator": edge.MultiVectorComparator,
    "type": edge.ScalarType,
    "compression": edge.CompressionRatio,
    "encoding": edge.BinaryQuantizationEncoding,
    "query_encoding": edge.BinaryQuantizationQueryEncoding,
    "bits": edge.TurboQuantBitSize,
    "modifier": edge.Modifier,
}
_CODES: Mapping[str, Callable[..., Any]] = {
    "scalar": edge.ScalarQuantizationConfig,
    "product": edge.ProductQuantizationConfig,
    "binary": edge.BinaryQuantizationConfig,
    "turbo": edge.TurboQuantQuantizationConfig,
}


def edge_config(stored: Mapping[str, Any]) -> edge.EdgeConfig:
    """Return the configuration of a shard.

    :raises UnsupportedByEngineError: It names no vectors, or something that Qdrant Edge lacks.
    :raises TypeError: It has another form; `KeyError` and `ValueError` likewise.
    """
    config = _mapping(stored)
    dense, sparse = vectors_in(config), _mapping(config.pop("sparse_vectors", None))
    config.pop("vectors", None)
    if not (dense or sparse):
        raise unsupported("collections whose points have no vectors")
    given: dict[str, Any] = {
        "vectors": {name: _made(edge.EdgeVectorParams, params) for name, params in dense.items()},
        "sparse_vectors": {name: _sparse(params) for name, params in sparse.items()},
    }
    if optimizers := _mapping(config.pop("optimizers_config", None)):
        given["optimizers"] = _optimizers(optimizers)
    for name in ("hnsw_config", "quantization_config"):
        if (section := config.pop(name, None)) is not None:
            given[name] = _value(name, section)
    if config:
        raise ValueError(f"unknown settings: {', '.join(config)}")
    return edge.EdgeConfig(**given)


def vectors_in(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of dense vectors by name; a single one is the unnamed vector, whose name is empty."""
    given = _mapping(stored.get("vectors"))
    return {"": given} if isinstance(given.get("size"), int) else given


def edge_member(target: Any, value: str, called: str) -> Any:
    """Return the member of an enumeration of Qdrant Edge that has a name, however it is written.

    :raises UnsupportedByEngineError: There is none.
    """
    plain = str(value).replace("_", "").lower()
    for name in dir(target):
        if name.replace("_", "").lower() == plain:
            return getattr(target, name)
    raise unsupported(f"{called} {value!r}")


def _mapping(given: Any) -> dict[str, Any]:
    """Return what is set in a part of the JSON."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(f"expected an object, not {given!r:.80}")
    return {name: value for name, value in given.items() if value is not None}


def _made(target: Callable[..., Any], stored: Any) -> Any:
    given = {name: _value(name, value) for name, value in _mapping(stored).items()}
    try:
        return target(**given)
    except TypeError as error:
        if "unexpected keyword" not in str(error):
            raise
        raise unsupported(f"{target.__name__} with these settings ({error})") from None


def _value(name: str, value: Any) -> Any:
    if name in _ENUMERATIONS:
        return edge_member(_ENUMERATIONS[name], value, name)
    if name == "hnsw_config":
        return _made(edge.HnswIndexConfig, {**HNSW_DEFAULTS, **_mapping(value)})
    if name == "multivector_config":
        return _made(edge.MultiVectorConfig, value)
    if name == "quantization_config":
        ((code, settings),) = _mapping(value).items()
        return _made(_CODES[code], settings)
    return value


def _sparse(stored: Any) -> edge.EdgeSparseVectorParams:
    params = _mapping(stored)
    modifier = params.pop("modifier", "none")
    given = {**_mapping(params.pop("index", None)), **params}
    made: edge.EdgeSparseVectorParams = _made(
        edge.EdgeSparseVectorParams, given if modifier == "none" else {**given, "modifier": modifier}
    )
    return made


def _optimizers(stored: Mapping[str, Any]) -> edge.EdgeOptimizersConfig:
    for name in NO_FLUSHING:
        if name in stored:
            raise unsupported(f"optimizer setting {name!r}")
    made: edge.EdgeOptimizersConfig = _made(edge.EdgeOptimizersConfig, stored)
    return made
