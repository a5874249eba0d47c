"""Binary paragraph vectors: codes of texts learned from the texts alone (Grzegorczyk and Kurdziel 2017, section 2).

Binary PV-DBOW: each document has a real vector, a sigmoid layer rounded to bits stands between it and the words, and
the words of the document are predicted from the bits. A new text gets a vector of its own, all else being frozen.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from qdrant_embed.compression.codes import ByteArray, pack_signs
from qdrant_embed.compression.learned import rounded
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.types import FloatArray, IntArray

if TYPE_CHECKING:
    import torch

FORMAT = "qdrant_embed.paragraphs.1"
NEGATIVES = 8
DRAWN = 8
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParagraphTraining:
    """How binary paragraph vectors are trained.

    :param bits: Length of a code; whole bytes.
    :param most_words: Vocabulary, most frequent first.
    :param least: Documents that a word must stand in.
    """

    bits: int = 128
    seed: int = 0
    epochs: int = 40
    rate: float = 0.05
    batch: int = 256
    most_words: int = 50_000
    least: int = 2

    def __post_init__(self) -> None:
        if self.bits % 8 or self.bits < 8:
            raise ConfigurationError(f"a code has whole bytes, 8 bits or more; {self.bits} given.")


class BinaryParagraphVectors:
    """An embedder of its own: texts to codes, without any other model.

    :param words: The vocabulary.
    :param output: (words, bits) weights from bits to words, and `bias` (words,).
    :param noise: (words,) frequencies to draw wrong words by.
    """

    def __init__(
        self, words: Sequence[str], output: FloatArray, bias: FloatArray, noise: FloatArray, training: ParagraphTraining
    ) -> None:
        self.words = tuple(words)
        self.output, self.bias, self.noise = output, bias, noise
        self.training = training
        self._numbers = {word: number for number, word in enumerate(words)}

    @classmethod
    def train(cls, texts: Sequence[str], training: ParagraphTraining | None = None) -> BinaryParagraphVectors:
        """Train on texts; the same texts and seed give the same model.

        :raises ConfigurationError: No word stands in enough texts.
        """
        import torch

        chosen = training or ParagraphTraining()
        words, frequencies = vocabulary(texts, chosen)
        untrained = cls(
            words,
            np.zeros((len(words), chosen.bits), np.float32),
            np.zeros(len(words), np.float32),
            frequencies**0.75,
            chosen,
        )
        output = torch.from_numpy(untrained.output).requires_grad_()
        bias = torch.from_numpy(untrained.bias).requires_grad_()
        untrained._descend([untrained._known(text) for text in texts], output, bias, learn=True)
        return cls(words, output.detach().numpy(), bias.detach().numpy(), untrained.noise, chosen)

    def codes(self, texts: Sequence[str]) -> ByteArray:
        """Return packed codes (n, bits / 8), most significant bit first, found for each text with all else frozen."""
        import torch

        output, bias = torch.from_numpy(self.output), torch.from_numpy(self.bias)
        return pack_signs(self._descend([self._known(text) for text in texts], output, bias, learn=False))

    def save(self, path: str | Path) -> None:
        """Write the model as a safetensors file."""
        from safetensors.numpy import save_file

        about = {"format": FORMAT, "words": self.words, "bits": self.training.bits, "seed": self.training.seed,
                 "epochs": self.training.epochs}  # fmt: skip
        tensors = {"output": self.output, "bias": self.bias, "noise": self.noise}
        save_file(tensors, str(path), metadata={"about": json.dumps(about, ensure_ascii=False)})

    @classmethod
    def load(cls, path: str | Path) -> BinaryParagraphVectors:
        """Read `save` back.

        :raises ConfigurationError: It is no such file.
        """
        from safetensors import safe_open

        try:
            with safe_open(str(path), "numpy") as file:
                about = json.loads((file.metadata() or {})["about"])
                if about["format"] != FORMAT:
                    raise ValueError(about["format"])
                tensors = {name: file.get_tensor(name) for name in ("output", "bias", "noise")}
        except Exception as error:
            raise ConfigurationError(f"{str(path)!r} holds no binary paragraph vectors: {error}.") from error
        training = ParagraphTraining(bits=about["bits"], seed=about["seed"], epochs=about["epochs"])
        return cls(about["words"], tensors["output"], tensors["bias"], tensors["noise"], training)

    def _known(self, text: str) -> IntArray:
        numbers = [self._numbers[word] for word in _WORD.findall(text.lower()) if word in self._numbers]
        return np.array(numbers, np.int64)

    def _descend(
        self, documents: Sequence[IntArray], output: torch.Tensor, bias: torch.Tensor, *, learn: bool
    ) -> FloatArray:
        """Fit a vector (bits,) to each document's words, and the words' weights with them if they are to be learned."""
        import torch

        start = torch.Generator().manual_seed(self.training.seed)
        vectors = (0.1 * torch.randn((len(documents), self.training.bits), generator=start)).requires_grad_()
        if not documents:
            return np.zeros((0, self.training.bits), np.float32)
        optimiser = torch.optim.Adam([vectors, *([output, bias] if learn else [])], lr=self.training.rate)
        random = np.random.default_rng(self.training.seed)
        shares = self.noise / self.noise.sum()
        filled = np.array([row for row, words in enumerate(documents) if len(words)], np.int64)
        for _ in range(self.training.epochs):
            order = random.permutation(filled)
            for at in range(0, len(order), self.training.batch):
                rows = order[at : at + self.training.batch]
                right = np.stack([random.choice(documents[row], DRAWN) for row in rows])
                wrong = random.choice(len(self.words), (len(rows), DRAWN * NEGATIVES), p=shares)
                loss = _loss(rounded(vectors[torch.from_numpy(rows)]), right, wrong, output, bias)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
        return np.asarray(vectors.detach().numpy(), np.float32)


def vocabulary(texts: Sequence[str], training: ParagraphTraining) -> tuple[list[str], FloatArray]:
    """Return the words that are learned, most frequent first, and how often each occurs.

    :raises ConfigurationError: There is none.
    """
    total: Counter[str] = Counter()
    standing: Counter[str] = Counter()
    for text in texts:
        found = _WORD.findall(text.lower())
        total.update(found)
        standing.update(set(found))
    ordered = sorted(total, key=lambda word: (-total[word], word))
    words = [word for word in ordered if standing[word] >= training.least][: training.most_words]
    if not words:
        raise ConfigurationError(f"no word stands in {training.least} texts; there is nothing to learn from.")
    return words, np.array([total[word] for word in words], np.float32)


def _loss(
    codes: torch.Tensor, right: IntArray, wrong: IntArray, output: torch.Tensor, bias: torch.Tensor
) -> torch.Tensor:
    import torch
    from torch.nn import functional

    words = torch.from_numpy(np.concatenate([right, wrong], axis=1))
    # `embedding` sums the gradients of a word in one order; plain indexing sums them as threads come.
    weights, biases = functional.embedding(words, output), functional.embedding(words, bias[:, None])
    scores = (weights @ codes[:, :, None] + biases)[:, :, 0]
    labels = torch.zeros_like(scores)
    labels[:, : right.shape[1]] = 1.0
    return functional.binary_cross_entropy_with_logits(scores, labels, reduction="sum") / len(codes)
