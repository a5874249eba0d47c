"""Learned codes: a linear layer and rounding, trained on a collection's own vectors, and on its words where given.

The Real-Binary head of Grzegorczyk and Kurdziel (2017, section 3): a real vector is kept, and a short code
projected from it shortlists what the real vector then ranks. Rounding has no gradient, so training passes it by
(straight through, Krizhevsky and Hinton 2011): the forward pass sees bits, the backward pass their smooth sigmoid.

Only documents are rounded. A query keeps its numbers: a second linear layer says what each bit counts for it, since a
query is not stored and rounding it would throw away for nothing what tells the nearest codes apart.

A collection's own vectors are few beside what will be asked: a code that has seen each of them a hundred times ranks
them by heart, and new queries worse. So every batch is moved at random first (training with noise, Bishop 1995); how
the model itself scores what was moved is known exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np

from qdrant_embed.compression.rotations import itq
from qdrant_embed.compression.transform import Transform
from qdrant_embed.errors import ConfigurationError, require_type
from qdrant_embed.native import prepare_torch
from qdrant_embed.training.word_decoder import WordDecoder
from qdrant_embed.types import FloatArray

if TYPE_CHECKING:
    import torch

LEAST_BITS, MOST_BITS = 8, 4096
STEPS = 2400
"""Batches of a training: minutes for tens of thousands of vectors."""
SAMPLE = 8192
"""Vectors that ITQ and scales are found from."""
FEW = 6000
"""So many vectors are moved up to as far as they vary; more of them less, as neighbors say then what noise would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTraining:
    """How a code is trained.

    :param bits: Length of the code. The last byte is filled up, so that whole bytes waste nothing.
    :param steps: Batches, of `queries` vectors that are asked with and `documents` that are found.
    :param temperature: The lower, the more the nearest neighbors count, and the less all others.
    :param words: Weight of predicting the words of a text from its code (the paper's decoder), where texts are given.
    """

    bits: int = 64
    seed: int = 0
    steps: int = STEPS
    queries: int = 512
    documents: int = 8192
    rate: float = 0.06
    temperature: float = 0.02
    words: float = 0.2
    progress: Callable[[int, float], None] | None = None

    def __post_init__(self) -> None:
        for name in ("bits", "steps"):
            require_type(name, getattr(self, name), Integral, "a whole number")
        if self.steps < 1:
            raise ConfigurationError(f"steps={self.steps} makes no training; give 1 or more.")
        if not LEAST_BITS <= self.bits <= MOST_BITS:
            raise ConfigurationError(f"a code has {LEAST_BITS} to {MOST_BITS} bits; {self.bits} given.")


def train_code(
    vectors: FloatArray,
    training: CodeTraining,
    *,
    distance: str = "cosine",
    word_counts: Sequence[dict[int, int]] | None = None,
) -> Transform:
    """Train a code on vectors (n, dim) and return it as a transform of `bits` directions, thresholds and query weights.

    What is asked of a code: for vectors taken as queries, the scores of the codes of others shall rank these as the
    model's own scores do (listwise distillation, Cao et al. 2007, section 4, of the student that only sees bits). It
    begins at the rotation of principal directions that ITQ finds. The same seed gives the same code.

    :param distance: How the model compares: `cosine`, `dot` or `euclid`.
    :param word_counts: For each vector, the numbers of its text's words, with how often each occurs.
    :raises ConfigurationError: There are fewer vectors than a batch could be drawn from, or they are all the same.
    """
    if len(vectors) < 2 * training.bits:
        raise ConfigurationError(
            f"{len(vectors)} vectors are too few to train {training.bits} bits; {2 * training.bits} or more are needed."
        )
    if not np.isfinite(vectors).all() or not np.ptp(vectors, axis=0).any():
        raise ConfigurationError(
            "a code cannot be trained on vectors that are all the same, or not finite; give those of different texts."
        )
    prepare_torch("training codes")
    vectors, scale = _at_unit_scale(vectors, distance)
    batches = _Batches(vectors, training, unit=distance == "cosine")
    mean, start = _start(vectors, training)
    head = _Head(vectors, mean, start)
    decoder = WordDecoder(word_counts, training.bits, training.seed, batches.generator) if word_counts else None
    optimizer = head.optimizer(training.rate, decoder.parameters if decoder else [])
    rates = [group["lr"] for group in optimizer.param_groups]
    for step in range(training.steps):
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * (1 - step / training.steps)
        queries, documents, drawn = batches.draw()
        codes = head.codes(documents)
        real = _scores(queries, documents, distance)
        loss = _ranking_loss(real, head.weights(queries) @ codes.T, training.temperature)
        if decoder is not None:
            loss = loss + training.words * decoder.loss(codes, drawn)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if training.progress is not None:
            training.progress(step + 1, float(loss.detach()))
    return head.transform(scale, sample=len(vectors))


class _Batches:
    """Draws vectors to ask with and others to find, and moves both.

    :param vectors: (n, dim).
    :param unit: Whether vectors have unit length, as those that a model compares by cosine.
    """

    def __init__(self, vectors: FloatArray, training: CodeTraining, *, unit: bool) -> None:
        import torch

        self.generator = torch.Generator().manual_seed(training.seed)
        self._data = torch.from_numpy(vectors)
        self._spread = min(1.0, FEW / len(vectors)) ** 0.5 * self._data.std(dim=0)
        self._unit = unit
        self._asked = min(training.queries, len(vectors) // 4)
        self._size = min(self._asked + training.documents, len(vectors))
        # Drawing normal numbers for each step would take longer than learning from it: they are drawn once, and every
        # step begins somewhere else among them.
        self._noise = torch.randn(2 * self._size * vectors.shape[1], generator=self.generator)

    def draw(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return queries (asked, dim), documents (n, dim), and which vectors (n,) the documents were."""
        import torch

        # Queries and documents are different vectors: one that finds itself says nothing about neighbors.
        drawn = torch.randperm(len(self._data), generator=self.generator)[: self._size]
        moved = self._moved(self._data[drawn])
        return moved[: self._asked], moved[self._asked :], drawn[self._asked :]

    def _moved(self, vectors: torch.Tensor) -> torch.Tensor:
        import torch
        from torch.nn import functional

        begin = int(torch.randint(self._noise.numel() - vectors.numel() + 1, (1,), generator=self.generator))
        noise = self._noise[begin : begin + vectors.numel()].view_as(vectors)
        far = torch.rand((len(vectors), 1), generator=self.generator)
        moved = vectors + far * self._spread * noise
        return functional.normalize(moved) if self._unit else moved


class _Head:
    """The linear layer that documents are rounded by, and the one that weighs bits for queries.

    :param vectors: (n, dim).
    :param mean: (dim,) theirs.
    :param start: (bits, dim) directions to begin with.
    """

    def __init__(self, vectors: FloatArray, mean: FloatArray, start: FloatArray) -> None:
        import torch

        sample = vectors[:SAMPLE] - mean
        products = (sample[: SAMPLE // 8] @ start.T) @ np.sign(sample @ start.T).T
        # The scale at which scores come nearest to cosines: temperatures then mean the same for both.
        scale = float((products * (sample[: SAMPLE // 8] @ sample.T)).sum() / (products**2).sum())
        self._mean = torch.from_numpy(mean)
        self._matrix = torch.from_numpy(start).requires_grad_()
        self._bias = torch.zeros(len(start), requires_grad=True)
        self._query = (torch.from_numpy(start) * scale).requires_grad_()
        self._scale = scale

    def optimizer(self, rate: float, others: Sequence[torch.Tensor]) -> torch.optim.Optimizer:
        """Return what trains both layers, each at steps of its own size, and others."""
        import torch

        size = float(self._matrix.detach().std())
        groups = [
            {"params": [self._matrix, self._bias], "lr": rate * size},
            {"params": [self._query], "lr": rate * size * self._scale},
        ]
        return torch.optim.Adam([*groups, *([{"params": list(others), "lr": rate}] if others else [])])

    def codes(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return codes of -1 and +1 (n, bits)."""
        return rounded((vectors - self._mean) @ self._matrix.T + self._bias)

    def weights(self, queries: torch.Tensor) -> torch.Tensor:
        """Return what each bit counts for queries (n, bits)."""
        return (queries - self._mean) @ self._query.T

    def transform(self, scale: np.float32, *, sample: int) -> Transform:
        """Return what was learned from `sample` vectors, for such as are `scale` times as long as those."""
        mean = self._mean.numpy()
        matrix, bias, query = (part.detach().numpy().copy() for part in (self._matrix, self._bias, self._query))
        return Transform(
            dim=len(mean),
            mean=mean * scale,
            matrix=np.asarray(matrix / scale, np.float32),
            thresholds=-bias,
            # Scores of vectors so long are as many times larger as the square of that.
            query_matrix=np.asarray(query * scale, np.float32),
            sample=sample,
        )


def rounded(activations: torch.Tensor) -> torch.Tensor:
    """Return codes of -1 and +1, with the gradient of the hyperbolic tangent (a sigmoid, centered)."""
    import torch

    smooth = torch.tanh(activations)
    hard = torch.where(activations > 0, 1.0, -1.0)
    return smooth + (hard - smooth).detach()


def _at_unit_scale(vectors: FloatArray, distance: str) -> tuple[FloatArray, np.float32]:
    """Return the vectors, so scaled that a temperature means what it does for unit vectors, and their scale.

    Scores grow with the square of lengths: those of long vectors would leave each query a single neighbor.
    """
    if distance == "cosine":
        return vectors, np.float32(1)
    measured = vectors - vectors.mean(axis=0) if distance == "euclid" else vectors
    scale = np.sqrt(np.square(measured, dtype=np.float64).sum(axis=1).mean()).astype(np.float32)
    return (vectors / scale, scale) if scale else (vectors, np.float32(1))


def _scores(queries: torch.Tensor, documents: torch.Tensor, distance: str) -> torch.Tensor:
    """Return the model's own scores (queries, n), each query's up to a constant, which no ranking sees."""
    products = queries @ documents.T
    # -|q - d|² / 2 is the product less half the square of d's length, and q's, which is the same for every d.
    return products - documents.square().sum(dim=1) / 2 if distance == "euclid" else products


def _start(vectors: FloatArray, training: CodeTraining) -> tuple[FloatArray, FloatArray]:
    """Return the mean, and (bits, dim) directions: principal ones turned by ITQ, drawn ones beyond those."""
    mean = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    centered = (vectors - mean).astype(np.float64)
    _, directions = np.linalg.eigh(centered.T @ centered)
    principal = directions[:, ::-1][:, : min(training.bits, vectors.shape[1])].T.astype(np.float32)
    sample = (vectors[:SAMPLE] - mean) @ principal.T
    turned = itq(np.asarray(sample, np.float32), training.seed, iterations=20) @ principal
    spare = training.bits - len(turned)
    drawn = np.random.default_rng(training.seed).standard_normal((spare, vectors.shape[1])) / vectors.shape[1] ** 0.5
    start = np.concatenate([turned, drawn]).astype(np.float32)
    # Activations of about one: where the smooth sigmoid still has a slope.
    return mean, np.asarray(start / np.std((vectors[:SAMPLE] - mean) @ start.T), np.float32)


def _ranking_loss(real: torch.Tensor, coded: torch.Tensor, temperature: float) -> torch.Tensor:
    """Return how far the codes' distribution over documents is from that of the real scores, both (queries, n)."""
    from torch.nn import functional

    return functional.kl_div(
        functional.log_softmax(coded / temperature, dim=1),
        functional.log_softmax(real / temperature, dim=1),
        log_target=True,
        reduction="batchmean",
    )
