"""A collection that learns from its own vectors learns from the first ones, before any is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from qdrant_embed.ingest.blocks import Block, ReadyPiece
from qdrant_embed.store.coding import Coding

FIT_VECTORS = 8192
"""Vectors waited for; a covariance of 384 dimensions is settled long before. Bounds what is held back in memory."""


def coded(coding: Coding, blocks: Iterable[Block]) -> Iterator[Block]:
    """Yield the blocks with every vector as the store will have it."""
    stream = iter(blocks)
    if not coding.ready():
        # A rotation that is only drawn has nothing to wait for.
        held, vectors = _first(stream, FIT_VECTORS if coding.compression.fitted else 1)
        if vectors:
            coding.fit(np.concatenate(vectors))
        for block in held:
            yield _coded(coding, block)
    for block in stream:
        yield _coded(coding, block)


def _first(stream: Iterator[Block], wanted: int) -> tuple[list[Block], list[np.ndarray]]:
    held: list[Block] = []
    vectors: list[np.ndarray] = []
    for block in stream:
        held.append(block)
        fresh = [ready.vector for ready in block.pieces if ready.vector is not None and not ready.coded]
        vectors += [np.atleast_2d(vector) for vector in fresh]
        if sum(map(len, vectors)) >= wanted:
            break
    return held, vectors


def _coded(coding: Coding, block: Block) -> Block:
    """Code the block's fresh vectors; those that came from the store are as they shall be."""
    fresh = [place for place, ready in enumerate(block.pieces) if ready.vector is not None and not ready.coded]
    if coding.compression.plain or not fresh:
        return block
    pieces: list[ReadyPiece] = list(block.pieces)
    made = coding.stored_each([np.asarray(pieces[place].vector, np.float32) for place in fresh])
    for place, vector in zip(fresh, made, strict=True):
        pieces[place] = replace(pieces[place], vector=vector, coded=True)
    return replace(block, pieces=pieces)
