"""The decoder of learned codes: what a code says of the words of its text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch


class WordDecoder:
    """Predicts the words of a text from its code, against words drawn by their frequency.

    As paragraph vectors do (Le and Mikolov 2014), trained by negative sampling (Mikolov et al. 2013).

    :param word_counts: For each text, the numbers of its words, with how often each occurs.
    :param bits: Length of a code.
    """

    NEGATIVES = 8
    DRAWN = 4

    def __init__(self, word_counts: Sequence[dict[int, int]], bits: int, seed: int, generator: torch.Generator) -> None:
        import torch

        size = 1 + max((word for counts in word_counts for word in counts), default=0)
        frequencies = torch.zeros(size)
        for counts in word_counts:
            for word, count in counts.items():
                frequencies[word] += count
        self._noise = frequencies.clamp(min=1e-3) ** 0.75
        self._words = [np.fromiter(counts, np.int64, len(counts)) for counts in word_counts]
        self._random = np.random.default_rng(seed)
        self._generator = generator
        self._out = torch.zeros((size, bits), requires_grad=True)
        self._bias = torch.zeros(size, requires_grad=True)
        self.parameters: list[Any] = [self._out, self._bias]

    def loss(self, codes: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return the mean loss of telling each text's words from drawn ones."""
        import torch

        kept = [place for place, row in enumerate(rows.tolist()) if len(self._words[row])]
        if not kept:
            return torch.zeros(())
        drawn = [self._random.choice(self._words[int(rows[place])], self.DRAWN) for place in kept]
        positive = torch.from_numpy(np.stack(drawn))
        negative = torch.multinomial(
            self._noise, len(kept) * self.NEGATIVES, replacement=True, generator=self._generator
        )
        return words_loss(codes[kept], positive, negative.reshape(len(kept), -1), self._out, self._bias).mean()


def words_loss(
    codes: torch.Tensor, right: torch.Tensor, wrong: torch.Tensor, output: torch.Tensor, bias: torch.Tensor
) -> torch.Tensor:
    """Return the losses (n, words) of telling the words of texts from wrong ones.

    :param codes: (n, bits).
    :param right: Numbers of words (n, drawn); `wrong` likewise.
    :param output: Weights of all words (words, bits), and `bias` (words,).
    """
    import torch
    from torch.nn import functional

    words = torch.cat([right, wrong], dim=1)
    # `embedding` sums the gradients of a word in one order; plain indexing sums them as threads come.
    weights, biases = functional.embedding(words, output), functional.embedding(words, bias[:, None])
    scores = (weights @ codes[:, :, None] + biases)[:, :, 0]
    labels = torch.zeros_like(scores)
    labels[:, : right.shape[1]] = 1.0
    return functional.binary_cross_entropy_with_logits(scores, labels, reduction="none")
