"""Texts into token sequences that a model can take, and sequences into batches without wasted padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qdrant_embed.errors import ConfigurationError, TextTooLongError
from qdrant_embed.long_context import WindowStrategy
from qdrant_embed.models.files.input_length import pads_left
from qdrant_embed.models.files.json_files import read_json
from qdrant_embed.models.prompts import TEXT, rendered
from qdrant_embed.tokenization.batch import TokenBatch, TokenIds
from qdrant_embed.tokenization.document_tokens import DocumentTokens, frame
from qdrant_embed.tokenization.prompt_boundary import prompt_boundary
from qdrant_embed.tokens import HuggingFaceTokens, encodable
from qdrant_embed.types import CharSpan, TokenSpan, digest

if TYPE_CHECKING:
    from tokenizers import Encoding


@dataclass(frozen=True)
class TokenSequence:
    """What the model reads in one row of a batch, prompt and special tokens included.

    :param text: Which tokens are the text's (those of its last copy), where only those are pooled.
    """

    ids: TokenIds
    text: slice | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def key(self) -> bytes:
        """A hash of what the model reads."""
        return digest(np.asarray(self.ids, np.int64).tobytes() + (f"{self.text}" if self.text else "").encode())


@dataclass(frozen=True, slots=True)
class WindowedText:
    """One text as the model will read it.

    :param windows: Where it was cut, in tokens of the text alone.
    :param length: Tokens of the text alone, those that were cut off included.
    """

    windows: Sequence[TokenSpan]
    sequences: Sequence[TokenSequence]
    length: int


class TokenSequencer:
    """Adds prompt and special tokens, and cuts texts that are too long into windows.

    :param folder: Where `tokenizer_config.json` and `config.json` are.
    :param max_tokens: What the model can take, prompt and special tokens included.
    :param padding: Side on which short texts are padded; empty for what the tokenizer's files say. Left where that
        changes no vector only, see `positions.pads_left`.
    :param text_only: Whether only the tokens of the text are to be pooled.
    :param skips_first: Whether all tokens but the first are.
    :param pad_id: What padding is filled with, and an empty text read as; None for what the files say.

    Prompts stand before a text, or around it where they hold `{text}` (once or several times).
    """

    def __init__(
        self,
        tokens: HuggingFaceTokens,
        folder: Path,
        max_tokens: int,
        *,
        padding: str = "",
        text_only: bool = False,
        skips_first: bool = False,
        pad_id: int | None = None,
    ) -> None:
        self.token_counter = tokens
        self._tokenizer = tokens.tokenizer
        self._max_tokens = max_tokens
        self._boundary_after = cache(partial(prompt_boundary, self._tokenizer))
        probe = self._tokenizer.encode("a", add_special_tokens=True)
        inner = len(self._tokenizer.encode("a", add_special_tokens=False))
        lead = probe.special_tokens_mask.index(0) if 0 in probe.special_tokens_mask else 0
        self._prefix, self._suffix = probe.ids[:lead], probe.ids[lead + inner :]
        config = read_json(folder / "tokenizer_config.json")
        self.pad_left = pads_left(folder, padding)
        self.text_only, self.skips_first = text_only, skips_first
        self.pad_id = self._pad_id(folder, config.get("pad_token")) if pad_id is None else pad_id

    def _pad_id(self, folder: Path, pad_token: Any) -> int:
        text = pad_token.get("content") if isinstance(pad_token, dict) else pad_token
        known = self._tokenizer.token_to_id(text) if text else None
        stated = read_json(folder / "config.json").get("pad_token_id")
        return int(known if known is not None else stated if stated is not None else 0)

    def room(self, prompt: str, most: int = 0) -> int:
        """Return how many tokens of a text fit beside a prompt and the special tokens.

        :param most: Tokens of a window, fewer than the model can take; 0 for those.
        :raises ConfigurationError: None do.
        """
        around, copies = sum(map(len, self._parts(prompt))), prompt.count(TEXT) or 1
        return self._room_beside(around, copies, most)

    def framed(self, text: str, prompt: str) -> DocumentTokens:
        """Return a text of any length as tokens, with what stands around each window of it; see `frame`."""
        return frame(self._tokenizer, text, prompt).within(self._prefix, self._suffix)

    def room_around(self, framed: DocumentTokens, most: int = 0) -> int:
        """As `room`, for a framed text with all that stands around it."""
        special = len(self._prefix) + len(self._suffix)
        return self._room_beside(len(framed.head) + len(framed.tail) - special, most=most)

    def spans(self, text: str, prompt: str, windows: Sequence[TokenSpan]) -> list[CharSpan]:
        """Return the characters of each window that `cut` made of a text that is too long."""
        alone = TEXT in prompt or self.text_only
        offsets = self.token_counter.offsets(text) if alone else self.framed(text, prompt).offsets
        return [(int(offsets[start, 0]), int(offsets[end - 1, 1])) for start, end in windows]

    def around(self, ids: TokenIds, prompt: str) -> TokenSequence:
        """Return the token ids of a text with a prompt before (not around) it, and special tokens around both."""
        return TokenSequence([*self._prefix, *self._parts(prompt)[0], *ids, *self._suffix])

    def _parts(self, prompt: str) -> list[TokenIds]:
        """Return the tokens of what stands before, between and after the copies of the text."""
        parts = prompt.split(TEXT) if TEXT in prompt else [prompt, ""]
        return [self._tokenizer.encode(part, add_special_tokens=False).ids if part else [] for part in parts]

    def _room_beside(self, prompted: int, copies: int = 1, most: int = 0) -> int:
        """As `room`, beside a prompt of so many tokens that holds the text so many times."""
        room = ((most or self._max_tokens) - len(self._prefix) - len(self._suffix) - prompted) // copies
        if room < 1:
            raise ConfigurationError(
                f"a prompt of {prompted} tokens leaves no room for text in the {most or self._max_tokens} tokens that "
                "are read in one pass; shorten the prompt in its preset, or make windows larger."
            )
        return room

    def cut(self, texts: Sequence[str], prompt: str, strategy: WindowStrategy) -> list[WindowedText]:
        """Return each text as the model will read it.

        :raises TextTooLongError: The strategy is `error` and a text is too long.
        """
        if TEXT in prompt or self.text_only:
            template = prompt if TEXT in prompt else prompt + TEXT
            return self._cut_templates(list(map(encodable, texts)), template, strategy)
        if prompt:
            return self._cut_prompted(texts, prompt, strategy)
        return [self._cut(ids, 0, strategy) for ids in self.token_counter.ids_batch(texts)]

    def _cut_prompted(self, texts: Sequence[str], prompt: str, strategy: WindowStrategy) -> list[WindowedText]:
        """As `cut`, with a prompt before the text: together, as in training, or apart where that gives the same."""
        boundary = self._boundary_after(prompt)
        alone = [text for text in texts if boundary is not None and boundary.fits(text)]
        known = dict(zip(alone, self.token_counter.ids_batch(alone), strict=True))
        others = [encodable(prompt + text) for text in texts if text not in known]
        encodings = iter(self._tokenizer.encode_batch(others, add_special_tokens=False))
        cuts = []
        for text in texts:
            if boundary is not None and text in known:
                cuts.append(self._cut(*boundary.join(known[text]), strategy))
            else:
                encoding = next(encodings)
                cuts.append(self._cut(encoding.ids, _prompt_tokens(encoding, len(prompt)), strategy))
        return cuts

    def _cut(self, ids: TokenIds, prompted: int, strategy: WindowStrategy) -> WindowedText:
        room, length = self._room_beside(prompted, most=strategy.tokens), len(ids) - prompted
        require_room(length, room, strategy)
        windows = strategy.windows(length, room)
        head = [*self._prefix, *ids[:prompted]]
        read = ([*head, *ids[prompted + start : prompted + end], *self._suffix] for start, end in windows)
        return WindowedText(windows, [TokenSequence(row or [self.pad_id]) for row in read], length)

    def _cut_templates(self, texts: Sequence[str], template: str, strategy: WindowStrategy) -> list[WindowedText]:
        """As `cut`, with what stands around the text. One that fits is tokenized whole, as in training."""
        whole = self._tokenizer.encode_batch([rendered(template, text) for text in texts], add_special_tokens=False)
        room = (strategy.tokens or self._max_tokens) - len(self._prefix) - len(self._suffix)
        after = len(template) - template.rindex(TEXT) - len(TEXT)
        cuts = []
        for text, encoding in zip(texts, whole, strict=True):
            if len(encoding.ids) > room:
                cuts.append(self._cut_long(text, template, strategy))
                continue
            end = len(rendered(template, text)) - after
            first, last = _tokens_between(encoding, end - len(text), end)
            ids = [*self._prefix, *encoding.ids, *self._suffix] or [self.pad_id]
            shift = len(self._prefix)
            sequence = TokenSequence(ids, slice(shift + first, shift + last))
            cuts.append(WindowedText([(0, last - first)], [sequence], last - first))
        return cuts

    def _cut_long(self, text: str, template: str, strategy: WindowStrategy) -> WindowedText:
        """Put each window of a text where the template wants the text."""
        parts = self._parts(template)
        ids = self._tokenizer.encode(text, add_special_tokens=False).ids
        room = self._room_beside(sum(map(len, parts)), len(parts) - 1, strategy.tokens)
        require_room(len(ids), room, strategy)
        windows = strategy.windows(len(ids), room)
        sequences = []
        for start, end in windows:
            copies = [token for part in parts[:-1] for token in (*part, *ids[start:end])]
            place = slice(len(self._prefix) + len(copies) - (end - start), len(self._prefix) + len(copies))
            sequences.append(TokenSequence([*self._prefix, *copies, *parts[-1], *self._suffix], place))
        return WindowedText(windows, sequences, len(ids))

    def batch(self, sequences: Sequence[TokenSequence], prompt: str = "", multiple: int = 1) -> TokenBatch:
        """Pad sequences to the length of the longest, rounded up to a multiple where the model can take as much."""
        longest = max(map(len, sequences))
        longest = max(longest, min(-(-longest // multiple) * multiple, self._max_tokens))
        ids = np.full((len(sequences), longest), self.pad_id, np.int64)
        mask = np.zeros_like(ids)
        pooled = np.zeros_like(ids) if self.text_only or self.skips_first else None
        for row, sequence in enumerate(sequences):
            first = longest - len(sequence) if self.pad_left else 0
            place = slice(first, first + len(sequence))
            ids[row, place] = sequence.ids
            mask[row, place] = 1
            if pooled is not None:
                text = slice(1, len(sequence)) if self.skips_first else sequence.text or slice(0, 0)
                # A text without tokens has none to pool: all stand in for them.
                pooled[row, first + text.start : first + text.stop] = 1
                pooled[row] = pooled[row] if pooled[row].any() else mask[row]
        prompted = len(self._parts(prompt)[0]) + len(self._prefix) if prompt else 0
        return TokenBatch(ids, mask, prompted, pooled)


def require_room(length: int, room: int, strategy: WindowStrategy) -> None:
    """Refuse a text that is cut under the strategy `error`.

    :raises TextTooLongError: It is longer than the room there is for it, in tokens.
    """
    if length > room and strategy.name == "error":
        raise TextTooLongError(
            f"a text has {length} tokens, the model takes {room} beside prompt and special tokens. Make chunks "
            "smaller, or choose the window strategy 'pcw' or 'truncate'."
        )


def _tokens_between(encoding: Encoding, start: int, end: int) -> TokenSpan:
    """Return the tokens [first, last) that have characters of [start, end)."""
    inside = [place for place, (left, right) in enumerate(encoding.offsets) if right > start and left < end]
    return (inside[0], inside[-1] + 1) if inside else (0, 0)


def _prompt_tokens(encoding: Encoding, prompt_characters: int) -> int:
    """Return how many leading tokens end inside the prompt; one that reaches into the text belongs to the text."""
    behind = (place for place, (_, end) in enumerate(encoding.offsets) if end > prompt_characters)
    return next(behind, len(encoding))
