"""Learned tables of absolute positions: which rows the tokens of a text get."""

from __future__ import annotations

from typing import Any

import torch

from qdrant_embed.errors import ModelError
from qdrant_embed.long_context.extension_plan import ExtensionPlan
from qdrant_embed.long_context.patches.attention import scale_queries
from qdrant_embed.long_context.patches.forward_context import (
    READING,
    Positions,
    Reading,
    StretchedPositions,
    counted,
    read_by,
)
from qdrant_embed.long_context.patches.mpnet_attention import attend_in_blocks
from qdrant_embed.long_context.positions import attention_scales, grouped, interpolated, recurrent

_TABLE = "position_embeddings"


def extend_absolute(model: Any, extension_plan: ExtensionPlan) -> None:
    """Make a transformer of `transformers` with learned positions read up to the target, in place.

    Rows are found inside the graph, text by text, from the mask: converted models do it too, and a short text keeps its
    rows whatever stands beside it. The table itself stays as it is, so any target costs the same memory.

    :raises ModelError: The model has no such table, or a shorter one.
    """
    table, parent = position_table(model)
    first = first_row(table)
    if len(table.weight) - first < extension_plan.trained:
        raise ModelError(
            f"{extension_plan.trained} positions are to be stretched, and the table has {len(table.weight) - first}."
        )
    if extension_plan.extension.method == "pi":
        setattr(parent, _TABLE, _BetweenRows(table, first + extension_plan.trained - 1))
    _attend_far(model, scaled=extension_plan.extension.scaled)
    read_by(model, _Rows(extension_plan, first))


def read_tuned(model: Any, factor: int, scale_from: int) -> None:
    """Read a table of positions that was made longer and trained as LongEmbed does (arXiv 2404.12096, section 3.2).

    It goes by each text's own length, so that no text depends on those beside it.

    :param factor: What positions of texts that fit the old window are multiplied by. Where the table was interpolated
        its old rows stand at the multiples of how many times it grew, and new ones between; 1 for other tables.
    :param scale_from: The old window; attention over longer texts is sharpened, since no text of training was longer.
        Theirs is for all models, also for the one that was trained (`src/model_utils.py` and
        `scripts/run_long_embed.sh` of dwzhu-pku/LongEmbed). 0 to leave it as it is.
    """
    table, _ = position_table(model)
    _attend_far(model, scaled=scale_from > 0)
    read_by(model, _Tuned(table, factor, scale_from))


def _attend_far(model: Any, *, scaled: bool) -> None:
    if scaled:
        scale_queries(model)
    if model.config.model_type == "mpnet":
        attend_in_blocks(model)


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
    """Return the row at which positions begin: in the RoBERTa family, behind that of padding."""
    return 0 if table.padding_idx is None else table.padding_idx + 1


class _Rows(StretchedPositions):
    masks_keys = True

    def __init__(self, extension_plan: ExtensionPlan, first: int) -> None:
        super().__init__(extension_plan)
        self._first = first

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


class _Tuned(Positions):
    masks_keys = True
    scales: torch.Tensor

    def __init__(self, table: torch.nn.Embedding, factor: int, scale_from: int) -> None:
        super().__init__()
        self._first, self._last = first_row(table), len(table.weight) - 1
        self._tokens = len(table.weight) - self._first
        self._factor, self._scale_from = factor, scale_from
        # By the table, whatever part of it a preset lets texts have: its rows stand where training put them.
        self._old = self._tokens // factor if factor > 1 else scale_from
        scales = attention_scales(self._tokens, scale_from or self._tokens)
        self.register_buffer("scales", torch.from_numpy(scales), persistent=False)

    def changes(self, lengths: torch.Tensor) -> bool:
        spread = self._factor > 1 and bool((lengths <= self._old).any())
        return spread or (self._scale_from > 0 and bool((lengths > self._scale_from).any()))

    def read(self, mask: torch.Tensor) -> tuple[Reading, torch.Tensor]:
        lengths = mask.sum(1)
        factors = torch.where(lengths <= self._old, self._factor, 1).unsqueeze(1)
        rows = (self._first + counted(mask) * factors).clamp(max=self._last)
        scale = self.scales[lengths.clamp(max=self._tokens)] if self._scale_from else None
        return Reading(mask, lengths, lengths > self._old, scale), rows


class _BetweenRows(torch.nn.Module):
    """A table that gives the linear mix of two neighboring rows, the second at most the row `last`."""

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
