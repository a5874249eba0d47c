"""Binary paragraph vectors: codes of texts learned from the texts alone (Grzegorczyk and Kurdziel 2017, section 2).

Binary PV-DBOW: each document has a real vector, a sigmoid layer rounded to bits stands between it and the words, and
the words of the document are predicted from the bits. A new text gets a vector of its own, all else being frozen.

The folder that `save` writes is a model: `Recipe(model=FOLDER)` and `load_embedder(FOLDER)` take it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qdrant_embed.compression.codes import ByteArray, pack_signs
from qdrant_embed.compression.learned import rounded
from qdrant_embed.embedding.static_files import PARAGRAPHS
from qdrant_embed.embedding.word_tables import UNKNOWN, word_tokenizer
from qdrant_embed.errors import ConfigurationError, ModelError
from qdrant_embed.native import prepare_torch
from qdrant_embed.types import FloatArray, IntArray

if TYPE_CHECKING:
    import torch

NEGATIVES = 8
DRAWN = 8
CONTRASTED = 512
"""Words, drawn once by frequency, that every new text is told apart from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParagraphTraining:
    """How binary paragraph vectors are trained.

    :param bits: Length of a code.
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
        if self.bits < 8:
            raise ConfigurationError(f"a code has 8 bits or more; {self.bits} given.")


class BinaryParagraphVectors:
    """An embedder of its own: texts to codes, without any other model.

    :param words: The vocabulary; a word's place is its token id.
    :param output: (words, bits) weights from bits to words, and `bias` (words,).
    :param noise: (words,) frequencies to draw wrong words by.
    """

    def __init__(
        self, words: Sequence[str], output: FloatArray, bias: FloatArray, noise: FloatArray, training: ParagraphTraining
    ) -> None:
        self.words = tuple(words)
        self.output, self.bias, self.noise = output, bias, noise
        self.training = training

    @classmethod
    def train(cls, texts: Sequence[str], training: ParagraphTraining | None = None) -> BinaryParagraphVectors:
        """Train on texts; the same texts and seed give the same model.

        :raises ConfigurationError: No word stands in enough texts.
        """
        chosen = training or ParagraphTraining()
        split = split_words(texts)
        words, frequencies = vocabulary(split, chosen)
        numbers = {word: number for number, word in enumerate(words)}
        documents = [np.array([numbers[word] for word in text if word in numbers], np.int64) for text in split]
        noise = np.asarray(frequencies**0.75, np.float32)
        output, bias = _train(documents, noise, chosen)
        return cls(words, output, bias, noise, chosen)

    # New texts

    def codes(self, texts: Sequence[str]) -> ByteArray:
        """Return packed codes (n, ceil(bits / 8)), most significant bit first."""
        numbers = {word: number for number, word in enumerate(self.words)}
        split = [np.array([numbers[word] for word in text if word in numbers], np.int64) for text in split_words(texts)]
        inferred = np.zeros((len(split), self.training.bits), np.float32)
        for row, ids in enumerate(split):
            inferred[row] = self.infer(ids)
        return pack_signs(inferred)

    def infer(self, ids: IntArray) -> FloatArray:
        """Return a text's code, +1 and -1 (bits,), given its words; zeros if it has none.

        Every text starts from the same vector and is told apart from the same words, by whole gradients: the code
        depends on the text alone, not on those beside it. Adam (Kingma and Ba 2015), as in training.
        """
        vector, wrong = self._start
        if not len(ids):
            return np.zeros_like(vector)
        present, counts = np.unique(ids, return_counts=True)
        words = np.concatenate([present, wrong])
        weights, bias = self.output[words], self.bias[words]
        labels = np.repeat(np.array([1, 0], np.float32), [len(present), len(wrong)])
        shares = np.concatenate(
            [DRAWN * counts / counts.sum(), np.full(len(wrong), DRAWN * NEGATIVES / len(wrong))]
        ).astype(np.float32)
        first, second = np.zeros_like(vector), np.zeros_like(vector)
        for step in range(1, self.training.epochs + 1):
            scores = weights @ np.where(vector > 0, np.float32(1), np.float32(-1)) + bias
            errors = shares * (1 / (1 + np.exp(-scores)) - labels)
            slope = (errors @ weights) * (1 - np.tanh(vector) ** 2)
            first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
            vector = vector - self.training.rate * (first / (1 - 0.9**step)) / (
                np.sqrt(second / (1 - 0.999**step)) + 1e-8
            )
        return np.where(vector > 0, np.float32(1), np.float32(-1))

    @cached_property
    def _start(self) -> tuple[FloatArray, IntArray]:
        random = np.random.default_rng(self.training.seed)
        vector = 0.1 * random.standard_normal(self.training.bits)
        wrong = random.choice(len(self.words), CONTRASTED, p=_shares(self.noise))
        return vector.astype(np.float32), wrong

    # Files

    def save(self, folder: str | Path) -> Path:
        """Write the model's folder: weights (safetensors), tokenizer and configuration.

        :raises ConfigurationError: The place is a file.
        """
        from safetensors.numpy import save_file

        require_model_folder(folder)
        place = Path(folder).expanduser()
        place.mkdir(parents=True, exist_ok=True)
        tensors = {"embeddings": self.output, "bias": self.bias, "noise": self.noise}
        save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, place / "model.safetensors")
        numbers = {word: number for number, word in enumerate((*self.words, UNKNOWN))}
        word_tokenizer(numbers).save(str(place / "tokenizer.json"))
        stated = {key: getattr(self.training, key) for key in ("seed", "epochs", "rate")}
        config = {"model_type": PARAGRAPHS, "normalize": True, **stated}
        (place / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        return place

    @classmethod
    def load(cls, folder: str | Path) -> BinaryParagraphVectors:
        """Read `save` back.

        :raises ModelError: It is no such folder.
        """
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        place = Path(folder).expanduser()
        try:
            config: dict[str, Any] = json.loads((place / "config.json").read_text(encoding="utf-8"))
            if config["model_type"] != PARAGRAPHS:
                raise ValueError(f"model_type is {config['model_type']!r}")
            tensors = load_file(place / "model.safetensors")
            numbers = Tokenizer.from_file(str(place / "tokenizer.json")).get_vocab()
            output, bias, noise = (tensors[name] for name in ("embeddings", "bias", "noise"))
            training = ParagraphTraining(
                bits=output.shape[1], seed=config["seed"], epochs=config["epochs"], rate=config["rate"]
            )
        except Exception as error:
            raise ModelError(f"{str(folder)!r} holds no binary paragraph vectors: {error}.") from error
        words = sorted((word for word in numbers if word != UNKNOWN), key=numbers.__getitem__)
        return cls(words, output, bias, noise, training)


def require_model_folder(folder: str | Path) -> None:
    """Refuse a place that a model could not be written to, before it is trained.

    :raises ConfigurationError: The place is a file.
    """
    if Path(folder).expanduser().is_file():
        raise ConfigurationError(f"{str(folder)!r} is a file; binary paragraph vectors are written as a folder.")


def split_words(texts: Sequence[str]) -> list[list[str]]:
    """Return each text's words as the model's tokenizer will see them, punctuation left out."""
    tokenizer = word_tokenizer({UNKNOWN: 0})
    normalizer, splitter = tokenizer.normalizer, tokenizer.pre_tokenizer
    found = (splitter.pre_tokenize_str(normalizer.normalize_str(text)) for text in texts)
    return [[word for word, _ in words if any(map(str.isalnum, word))] for words in found]


def vocabulary(texts: Sequence[Sequence[str]], training: ParagraphTraining) -> tuple[list[str], FloatArray]:
    """Return the words that are learned, most frequent first, and how often each occurs.

    :raises ConfigurationError: There is none.
    """
    total: Counter[str] = Counter()
    standing: Counter[str] = Counter()
    for words in texts:
        total.update(words)
        standing.update(set(words))
    ordered = sorted(total, key=lambda word: (-total[word], word))
    kept = [word for word in ordered if standing[word] >= training.least][: training.most_words]
    if not kept:
        raise ConfigurationError(f"no word stands in {training.least} texts; there is nothing to learn from.")
    return kept, np.array([total[word] for word in kept], np.float32)


def _train(
    documents: Sequence[IntArray], noise: FloatArray, training: ParagraphTraining
) -> tuple[FloatArray, FloatArray]:
    """Fit a vector to each document's words, and the words' weights (words, bits) and biases (words,) with them."""
    prepare_torch()
    import torch

    start = torch.Generator().manual_seed(training.seed)
    output = torch.zeros((len(noise), training.bits), requires_grad=True)
    vectors = (0.1 * torch.randn((len(documents), training.bits), generator=start)).requires_grad_()
    bias = torch.zeros(len(noise), requires_grad=True)
    optimiser = torch.optim.Adam([vectors, output, bias], lr=training.rate)
    random = np.random.default_rng(training.seed)
    shares = _shares(noise)
    filled = np.array([row for row, words in enumerate(documents) if len(words)], np.int64)
    for _ in range(training.epochs):
        order = random.permutation(filled)
        for at in range(0, len(order), training.batch):
            rows = order[at : at + training.batch]
            right = np.stack([random.choice(documents[row], DRAWN) for row in rows])
            wrong = random.choice(len(noise), (len(rows), DRAWN * NEGATIVES), p=shares)
            loss = _loss(rounded(vectors[torch.from_numpy(rows)]), right, wrong, output, bias)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return output.detach().numpy(), bias.detach().numpy()


def _shares(noise: FloatArray) -> FloatArray:
    return np.asarray(noise.astype(np.float64) / noise.sum(dtype=np.float64))


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
