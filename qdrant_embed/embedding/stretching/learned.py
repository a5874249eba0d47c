"""Learned tables of absolute positions: which rows the tokens of a text get."""

from __future__ import annotations

from typing import Any

import torch

from qdrant_embed.embedding.stretch import Stretch
from qdrant_embed.embedding.stretching.attention import scale_queries
from qdrant_embed.embedding.stretching.biases import attend_in_blocks
from qdrant_embed.embedding.stretching.reading import READING, Positions, Reading, counted, read_by
from qdrant_embed.errors import ModelError
from qdrant_embed.windowing.positions import attention_scales, grouped, interpolated, recurrent, stretch_factors

_TABLE = "position_embeddings"


def stretch_learned(model: Any, stretch: Stretch) -> None:
    """Make a transformer of `transformers` with learned positions read up to the target, in place.

    Rows are found inside the graph, text by text, from the mask: converted models do it too, and a short text keeps its
    rows whatever stands beside it. The table itself stays as it is, so any target costs the same memory.

    :raises ModelError: The model has no such table, or a shorter one.
    """
    table, parent = position_table(model)
    first = first_row(table)
    if len(table.weight) - first < stretch.trained:
        raise ModelError(
            f"{stretch.trained} positions are to be stretched, and the table has {len(table.weight) - first}."
        )
    if stretch.extension.method == "pi":
        setattr(parent, _TABLE, _BetweenRows(table, first + stretch.trained - 1))
    if stretch.extension.scaled:
        scale_queries(model)
    if model.config.model_type == "mpnet":
        attend_in_blocks(model)
    read_by(model, _Rows(stretch, first))


def spread_short_texts(model: Any, factor: int, limit: int) -> None:
    """Multiply the positions of texts of up to `limit` tokens, so that they stand where training saw such texts.

    A model whose table of positions was stretched keeps its old rows at the multiples of `factor`; in between, the new
    ones are (LongEmbed, arXiv 2404.12096, section 3.2). It goes by each text's own length, so that no text depends on
    those beside it.
    """
    table, _ = position_table(model)
    read_by(model, _Spread(first_row(table), factor, limit, len(table.weight) - 1))


def position_table(model: Any) -> tuple[Any, Any]:
    """Return the table of positions and the module that holds it.

    :raises ModelError: There is none.
    """
    for module in model.modules():
        table = getattr(module, _TABLE, None)
        if isinstance(table, torch.nn.Embedding):
            return table, module
    raise ModelError(f"the positions of a {model.config.model_type!r} model were not found.")


def first_row(table: torch.nn.Embedding) -> int:
    """Return the row at which positions begin: those of RoBERTa and its kin do behind that of padding."""
    return 0 if table.padding_idx is None else table.padding_idx + 1


class _Rows(Positions):
    masks_keys = True
    factors: torch.Tensor
    scales: torch.Tensor

    def __init__(self, stretch: Stretch, first: int) -> None:
        super().__init__()
        self._method, self._scaled = stretch.extension.method, stretch.extension.scaled
        self._tokens, self._trained, self._first = stretch.extension.tokens, stretch.trained, first
        factors = stretch_factors(self._tokens, self._trained)
        self.register_buffer("factors", torch.from_numpy(factors), persistent=False)
        scales = attention_scales(self._tokens, self._trained)
        self.register_buffer("scales", torch.from_numpy(scales), persistent=False)

    def changes(self, lengths: torch.Tensor) -> bool:
        return bool((lengths > self._trained).any())

    def read(self, mask: torch.Tensor) -> tuple[Reading, torch.Tensor]:
        places, lengths = counted(mask), mask.sum(1)
        known = lengths.clamp(max=self._tokens)
        factors = self.factors[known].unsqueeze(1)
        shares = None
        if self._method == "pi":
            rows, shares = interpolated(places, factors)
        else:
            rows = recurrent(places, self._trained) if self._method == "rp" else grouped(places, factors)
        scale = self.scales[known] if self._scaled else None
        return Reading(mask, lengths, lengths > self._trained, scale, shares=shares), self._first + rows


class _Spread(Positions):
    def __init__(self, first: int, factor: int, limit: int, last: int) -> None:
        super().__init__()
        self._first, self._factor, self._limit, self._last = first, factor, limit, last

    def changes(self, lengths: torch.Tensor) -> bool:
        return bool((lengths <= self._limit).any())

    def read(self, mask: torch.Tensor) -> tuple[Reading, torch.Tensor]:
        lengths = mask.sum(1)
        factors = torch.where(lengths <= self._limit, self._factor, 1).unsqueeze(1)
        rows = (self._first + counted(mask) * factors).clamp(max=self._last)
        return Reading(mask, lengths, lengths > self._limit), rows


class _BetweenRows(torch.nn.Module):
    """A table that gives the linear mix of two neighbouring rows, the second at most the row `last`."""

    def __init__(self, rows: torch.nn.Embedding, last: int) -> None:
        super().__init__()
        self.rows = rows
        self._last = last

    def forward(self, position_ids: torch.Tensor) -> torch.Tensor:
        lower: torch.Tensor = self.rows(position_ids)
        reading = READING.get()
        if reading is None or reading.shares is None:
            return lower
        share = reading.shares.unsqueeze(-1).to(lower.dtype)
        upper: torch.Tensor = self.rows((position_ids + 1).clamp(max=self._last))
        return (1 - share) * lower + share * upper
