"""What the blocks of a model are told of the texts that it is reading, and how it comes to be told."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Any

import torch

from qdrant_embed.long_context.extension_plan import ExtensionPlan
from qdrant_embed.long_context.positions import attention_scales, stretch_factors


@dataclass(frozen=True, slots=True)
class Reading:
    """A batch of n texts on its way through a model.

    :param mask: 1 for tokens, 0 for padding (n, tokens).
    :param lengths: Tokens of each text (n,).
    :param long: Whether a text is longer than the trained window (n,).
    :param scale: What the queries of each text are multiplied by (n,); None for nothing.
    :param places: Where the tokens of long texts stand, for rotary positions (n, tokens).
    :param shares: How far each token is on its way from its row of the table to the next one (n, tokens).
    """

    mask: torch.Tensor
    lengths: torch.Tensor
    long: torch.Tensor
    scale: torch.Tensor | None = None
    places: torch.Tensor | None = None
    shares: torch.Tensor | None = None


FUSED = ("sdpa", "qdrant_embed")
"""What transformers calls attention that takes a mask of any shape."""
READING: ContextVar[Reading | None] = ContextVar("reading", default=None)
"""Set while an extended model runs, and in its thread only: other models never see it."""


class Positions(torch.nn.Module):
    """Where the tokens of a batch stand; a module, so that its tables go with the model to its device."""

    masks_keys = False
    """Whether all that a token must not see is padding, so that one mask of keys is enough for a text."""

    def read(self, mask: torch.Tensor) -> tuple[Reading, torch.Tensor | None]:
        """Return what the blocks are to know, and position ids (n, tokens), None for the model's own."""
        raise NotImplementedError

    def changes(self, lengths: torch.Tensor) -> bool:
        """Tell whether any text of these lengths is read in another way than by the model as it was."""
        raise NotImplementedError


class StretchedPositions(Positions):
    """Where tokens stand in texts that go past the window that a method stretches."""

    factors: torch.Tensor
    scales: torch.Tensor

    def __init__(self, extension_plan: ExtensionPlan) -> None:
        super().__init__()
        self._method, self._scaled = extension_plan.extension.method, extension_plan.extension.scaled
        self._tokens, self._trained = extension_plan.extension.tokens, extension_plan.trained
        factors = stretch_factors(self._tokens, self._trained)
        self.register_buffer("factors", torch.from_numpy(factors), persistent=False)
        scales = attention_scales(self._tokens, self._trained)
        self.register_buffer("scales", torch.from_numpy(scales), persistent=False)

    def changes(self, lengths: torch.Tensor) -> bool:
        """Tell whether any text of these lengths is longer than that window."""
        return bool((lengths > self._trained).any())


def counted(mask: torch.Tensor) -> torch.Tensor:
    """Return each token's place in its text, padding on the left not counted (n, tokens)."""
    return (mask.cumsum(1) - 1).clamp(min=0)


def read_by(model: Any, positions: Positions) -> None:
    """Let a transformer ask `positions` where tokens stand, whenever it runs.

    The model gets a class of its own, below its old one, so that nothing another model shares is touched, and copies of
    it (one for each GPU) work alone. A batch in which nothing changes goes by the old `forward`, untouched.
    """
    kind: Any = type(model)

    class Extended(kind):  # type: ignore[misc]
        # sentence-transformers calls `forward` itself, past all hooks, and reads its signature.
        @wraps(kind.forward)
        def forward(
            self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None, *args: Any, **kwargs: Any
        ) -> Any:
            mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
            return _read(self, kind.forward, (input_ids, mask, *args), kwargs)

    Extended.__name__, Extended.__qualname__, Extended.__module__ = kind.__name__, kind.__qualname__, kind.__module__
    model.__class__ = Extended
    model.extended_positions = positions.to(model.device)


def _read(model: Any, forward: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    positions, mask = model.extended_positions, args[1].long()
    if not recorded() and not positions.changes(mask.sum(1)):
        return forward(model, *args, **kwargs)
    reading, rows = positions.read(mask)
    if rows is not None:
        kwargs = {**kwargs, "position_ids": rows}
    long = recorded() or bool(reading.long.any())
    if long and positions.masks_keys and model.config._attn_implementation in FUSED:
        # The model itself would make of it one of all pairs (n, 1, tokens, tokens), which costs more than the scores.
        args = (args[0], mask.bool()[:, None, None, :], *args[2:])
    token = READING.set(reading)
    try:
        return forward(model, *args, **kwargs)
    finally:
        READING.reset(token)


def recorded() -> bool:
    """Tell whether a graph is being made of the model: it has to hold both ways, for texts of all lengths."""
    tracing: Any = torch.jit
    return bool(tracing.is_tracing() or torch.compiler.is_exporting() or torch.compiler.is_compiling())
