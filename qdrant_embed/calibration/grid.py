"""The settings that are tried: dimensions × stored format × code × rotation × oversampling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from qdrant_embed.compression import Compression
from qdrant_embed.compression.grammar import PRODUCT_CODES
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.store.compressed import require_enough_dimensions

OVERSAMPLING = (1.0, 2.0, 4.0, 8.0, 16.0)
STORED = ("float16", "uint8", "turbo8")
PLAIN_CODES = ("int8", "binary", "binary+query8", "binary2", "turbo1", "turbo1.5", "turbo2", "turbo4")
ROTATED_CODES = (
    "rotate+binary",
    "rotate+binary+query8",
    "centre+rotate+binary+query8",
    "centre+itq+binary+query8",
    "rotate+binary2",
)
SIGNS = ("bits", "bits+rotate", "bits+centre+rotate", "bits+centre+itq", "bits+itq+median")


def default_grid(dim: int, trained: Sequence[int], *, compare_by: str) -> list[Compression]:
    """Return what is tried where nothing is asked for, `float32` first.

    Product codes are left out: they take minutes to train and lose to the others; name them to have them tried.

    :param trained: Smaller numbers of dimensions that the model was trained to be cut to.
    :param compare_by: The model's distance; dot products cannot be kept by whole numbers.
    """
    texts = ["float32", *STORED, *PLAIN_CODES, *ROTATED_CODES, *SIGNS]
    cuts: list[str] = ["", *(f"{kept}d+" for kept in sorted(trained, reverse=True) if kept < dim)]
    found = [Compression.parse(cut + text) for cut in cuts for text in texts]
    return [
        setting
        for setting in found
        if _fits(setting, dim) and not (setting.datatype == "uint8" and compare_by == "dot")
    ]


def oversampled(setting: Compression) -> Iterator[Compression]:
    """Yield a setting with every amount of rescoring that makes sense; one that names an amount is left as it is."""
    yield setting
    if setting.code and setting.rescore is None:
        yield from (replace(setting, rescore=factor) for factor in OVERSAMPLING)


def _fits(setting: Compression, dim: int) -> bool:
    try:
        require_enough_dimensions(setting.dim or dim, setting)
    except ConfigurationError:
        return False
    return setting.code not in PRODUCT_CODES
