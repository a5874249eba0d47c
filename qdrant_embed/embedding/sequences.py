"""Texts into token sequences that a model can take, and sequences into batches without wasted padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qdrant_embed.embedding.model_files import read_json
from qdrant_embed.embedding.runtimes import Batch
from qdrant_embed.errors import ConfigurationError, TextTooLongError
from qdrant_embed.tokens import HuggingFaceTokens
from qdrant_embed.windowing import Window, WindowStrategy

if TYPE_CHECKING:
    from tokenizers import Encoding

TOKENS_PER_BATCH = 4096
"""Padded tokens in one forward pass; measured on a CPU with 1024 to 16384, of which none was faster."""

_STRETCH = 1.1

TokenIds = Sequence[int]


@dataclass(frozen=True, slots=True)
class Cut:
    """One text as the model will read it.

    :param windows: Where it was cut, in tokens of the text alone.
    :param sequences: Token ids per window, prompt and special tokens included.
    :param length: Tokens of the text alone, those that were cut off included.
    """

    windows: Sequence[Window]
    sequences: Sequence[TokenIds]
    length: int

    @property
    def truncated(self) -> bool:
        """Whether the end of the text is in no window."""
        return self.length > self.windows[-1][1]


class Sequencer:
    """Adds prompt and special tokens, and cuts texts that are too long into windows.

    :param folder: Where `tokenizer_config.json` and `config.json` are.
    :param max_tokens: What the model can take, prompt and special tokens included.
    """

    def __init__(self, tokens: HuggingFaceTokens, folder: Path, max_tokens: int) -> None:
        self._tokenizer = tokens.tokenizer
        self._max_tokens = max_tokens
        probe = self._tokenizer.encode("a", add_special_tokens=True)
        inner = len(self._tokenizer.encode("a", add_special_tokens=False))
        lead = probe.special_tokens_mask.index(0) if 0 in probe.special_tokens_mask else 0
        self._prefix, self._suffix = probe.ids[:lead], probe.ids[lead + inner :]
        config = read_json(folder / "tokenizer_config.json")
        self.pad_left = config.get("padding_side") == "left"
        self.pad_id = self._pad_id(folder, config.get("pad_token"))

    def _pad_id(self, folder: Path, pad_token: Any) -> int:
        text = pad_token.get("content") if isinstance(pad_token, dict) else pad_token
        known = self._tokenizer.token_to_id(text) if text else None
        stated = read_json(folder / "config.json").get("pad_token_id")
        return int(known if known is not None else stated if stated is not None else 0)

    def room(self, prompt: str) -> int:
        """Return how many tokens of a text fit beside a prompt and the special tokens.

        :raises ConfigurationError: None do.
        """
        prompted = len(self._tokenizer.encode(prompt, add_special_tokens=False)) if prompt else 0
        return self._room_beside(prompted)

    def _room_beside(self, prompted: int) -> int:
        room = self._max_tokens - len(self._prefix) - len(self._suffix) - prompted
        if room < 1:
            raise ConfigurationError(
                f"a prompt of {prompted} tokens leaves no room for text in the {self._max_tokens} tokens that the "
                "model takes; shorten the prompt in its preset."
            )
        return room

    def cut(self, texts: Sequence[str], prompt: str, strategy: WindowStrategy) -> list[Cut]:
        """Return each text as the model will read it.

        :raises TextTooLongError: The strategy is `error` and a text is too long.
        """
        if prompt:
            # Together, as in training: the last token of the prompt may depend on what follows it.
            encodings = self._tokenizer.encode_batch([prompt + text for text in texts], add_special_tokens=False)
            return [self._cut(encoding, _prompt_tokens(encoding, len(prompt)), strategy) for encoding in encodings]
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [self._cut(encoding, 0, strategy) for encoding in encodings]

    def _cut(self, encoding: Encoding, prompted: int, strategy: WindowStrategy) -> Cut:
        ids = encoding.ids
        room, length = self._room_beside(prompted), len(ids) - prompted
        if length > room and strategy.name == "error":
            raise TextTooLongError(
                f"a text has {length} tokens, the model takes {room} beside prompt and special tokens. Make chunks "
                "smaller, or choose the window strategy 'pcw' or 'truncate'."
            )
        windows = strategy.windows(length, room)
        head = [*self._prefix, *ids[:prompted]]
        sequences = [
            [*head, *ids[prompted + start : prompted + end], *self._suffix] or [self.pad_id] for start, end in windows
        ]
        return Cut(windows, sequences, length)

    def batch(self, sequences: Sequence[TokenIds], prompt: str = "") -> Batch:
        """Pad sequences to the length of the longest."""
        longest = max(map(len, sequences))
        ids = np.full((len(sequences), longest), self.pad_id, np.int64)
        mask = np.zeros((len(sequences), longest), np.int64)
        for row, sequence in enumerate(sequences):
            place = slice(longest - len(sequence), None) if self.pad_left else slice(None, len(sequence))
            ids[row, place] = sequence
            mask[row, place] = 1
        prompted = len(self._tokenizer.encode(prompt, add_special_tokens=False)) + len(self._prefix) if prompt else 0
        return Batch((), ids, mask, prompted)


def batches_by_length(lengths: Sequence[int], budget: int = TOKENS_PER_BATCH) -> Iterator[list[int]]:
    """Yield batches of places, longest sequences first, each of at most `budget` padded tokens (or one sequence).

    Many short texts fit one budget, and their lengths differ much; a batch that is worth its pass already ends early
    rather than pad a sequence to a length that is `_STRETCH` times its own.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
    batch: list[int] = []
    for place in order:
        if batch:
            longest = lengths[batch[0]]
            padded = longest * len(batch)
            stretched = longest > _STRETCH * lengths[place] and padded >= budget // 4
            if stretched or padded + longest > budget:
                yield batch
                batch = []
        batch.append(place)
    if batch:
        yield batch


def _prompt_tokens(encoding: Encoding, prompt_characters: int) -> int:
    """Return how many leading tokens end inside the prompt; one that reaches into the text belongs to the text."""
    for place, (_, end) in enumerate(encoding.offsets):
        if end > prompt_characters:
            return place
    return len(encoding)
