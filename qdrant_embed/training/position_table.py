"""New rows of a table of positions, trained with everything else frozen (LongEmbed, arXiv 2404.12096, appendix B).

A long text is simulated: a passage that fits the old window stands at an offset u, drawn from 0 to L_t - n, in the
longer table. LongEmbed trains on labeled pairs. Here there are none: each passage at its offset has to be told from
the other passages of its batch by the vectors that the *old* model gives them, and to come near to its own. That is
enough, since all that new positions have to learn is to stand in for old ones; it needs no second model, for old rows
are part of the new table; and it keeps vectors comparable with those of questions, which are short and go on reading
old rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from qdrant_embed.long_context.patches.absolute_positions import first_row, position_table
from qdrant_embed.long_context.patches.forward_context import counted
from qdrant_embed.long_context.positions import extended_table
from qdrant_embed.pooling.torch_pooling import POOLS

Step = Callable[[int, float], None]
"""Called after each step with its number, from 1, and its loss."""
_TEMPERATURE = 0.05
_WARM = 0.1


@dataclass(frozen=True, slots=True)
class PassageBatch:
    """Passages as the model reads them: ids and mask, both (n, tokens), padded on the right."""

    ids: torch.Tensor
    mask: torch.Tensor


class LongTable:
    """A transformer whose table of positions was made longer, and the training of its new rows.

    :param model: A `SentenceTransformer` with learned positions; changed in place.
    :param method: `pi`: old rows stand at multiples of s, and new ones between; `rp`: old ones first, then copies.
    :param trained: Old positions, L_o.
    :param tokens: New positions, L_t, a multiple of L_o.
    :param pooling: How states become one vector, as in a preset.
    """

    def __init__(self, model: Any, method: str, *, trained: int, tokens: int, pooling: str) -> None:
        self._model = model[0].model
        old, parent = position_table(self._model)
        self._first, self._pool = first_row(old), POOLS[pooling]
        self._tokens, self._factor = tokens, tokens // trained if method == "pi" else 1
        before, rows = old.weight.detach()[: self._first], old.weight.detach()[self._first :][:trained]
        table = torch.from_numpy(extended_table(rows.cpu().numpy(), method, tokens)).to(rows.device)
        self._frozen = torch.arange(trained, device=rows.device) * self._factor + self._first
        # The mix of two rows with shares 1 and 0 may differ from the first in its last bit.
        table[self._frozen - self._first] = rows
        self.table = torch.nn.Embedding(self._first + tokens, rows.shape[1], padding_idx=old.padding_idx)
        self.table.weight.data = torch.cat([before, table])
        self.table.to(rows.device)
        parent.position_embeddings = self.table
        for name in ("position_ids", "token_type_ids"):
            buffer = getattr(parent, name, None)
            if buffer is not None:
                longer = torch.arange(self._first + tokens, device=rows.device).expand(1, -1)
                setattr(parent, name, longer if name == "position_ids" else torch.zeros_like(longer))
        self._model.config.max_position_embeddings = self._first + tokens

    def train(self, prepared: Iterable[PassageBatch], steps: int, *, rate: float, seed: int, step: Step | None) -> None:
        """Train for as many steps as there are batches.

        :param steps: Their number, for the rate to rise over the first tenth and fall to nothing at the end.
        """
        random = np.random.default_rng(seed)
        self._model.requires_grad_(False)  # noqa: FBT003 - torch's own
        weight = self.table.weight.requires_grad_(True)  # noqa: FBT003
        optimizer = torch.optim.Adam([weight], lr=rate)
        warm = max(1, int(_WARM * steps))
        for number, batch in enumerate(prepared, 1):
            share = min(number / warm, (steps - number + 1) / max(1, steps - warm))
            optimizer.param_groups[0]["lr"] = rate * min(1.0, share)
            loss = self._loss(batch, self._offsets(batch, random))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            if weight.grad is not None:
                weight.grad[self._frozen] = 0
                weight.grad[: self._first] = 0
            optimizer.step()
            if step:
                step(number, float(loss.detach()))
        weight.requires_grad_(False)  # noqa: FBT003

    def agreement(self, batches: Sequence[PassageBatch], *, seed: int) -> float:
        """Return the mean cosine of vectors at random offsets to those that the old model gives."""
        random = np.random.default_rng(seed)
        with torch.inference_mode():
            cosines = [
                (self._vectors(batch, self._offsets(batch, random)) * self._taught(batch)).sum(1) for batch in batches
            ]
        return float(torch.cat(cosines).mean())

    def _loss(self, batch: PassageBatch, offsets: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            taught = self._taught(batch)
        vectors = self._vectors(batch, offsets)
        cosines = vectors @ taught.T
        own = torch.arange(len(vectors), device=vectors.device)
        told_apart = torch.nn.functional.cross_entropy(cosines / _TEMPERATURE, own)
        return told_apart + (1 - cosines.diagonal()).mean()

    def _offsets(self, batch: PassageBatch, random: np.random.Generator) -> torch.Tensor:
        lengths = batch.mask.sum(1).cpu().numpy()
        drawn = random.integers(0, self._tokens - lengths + 1)
        return torch.from_numpy(drawn).to(batch.ids.device).unsqueeze(1)

    def _taught(self, batch: PassageBatch) -> torch.Tensor:
        return self._run(batch, counted(batch.mask) * self._factor)

    def _vectors(self, batch: PassageBatch, offsets: torch.Tensor) -> torch.Tensor:
        return self._run(batch, (counted(batch.mask) + offsets).clamp(max=self._tokens - 1))

    def _run(self, batch: PassageBatch, places: torch.Tensor) -> torch.Tensor:
        found = self._model(input_ids=batch.ids, attention_mask=batch.mask, position_ids=places + self._first)
        return torch.nn.functional.normalize(self._pool(found.last_hidden_state, batch.mask), dim=1)
