"""Windows of texts as texts, for models that are given text and have a limit all the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.long_context import WindowStrategy
from qdrant_embed.models.prompts import TEXT, rendered
from qdrant_embed.tokenization.sequences import WindowedText, require_room
from qdrant_embed.tokens import TokenCounter
from qdrant_embed.types import CharSpan, IntArray, TokenSpan


@dataclass(frozen=True, slots=True)
class TextCut:
    """One text as the model will be given it.

    :param windows: Where it was cut, in tokens.
    :param texts: The text of each window.
    :param length: Tokens of the whole text.
    :param spans: Where each window stands in the text, in characters.
    """

    windows: Sequence[TokenSpan]
    texts: Sequence[str]
    length: int
    spans: Sequence[CharSpan]


def cut_counts(cuts: Sequence[WindowedText | TextCut]) -> dict[str, int]:
    """Return how many texts were cut off, and how many are read in several windows."""
    return {
        "truncated": sum(cut.length > cut.windows[-1][1] for cut in cuts),
        "windowed": sum(len(cut.windows) > 1 for cut in cuts),
    }


class TextWindows:
    """Cuts texts that are too long, between tokens, and puts the prompt before each piece.

    :param max_tokens: What the model can take, prompt and special tokens included.
    :param special_tokens: Tokens that are added to each text.
    """

    def __init__(self, counter: TokenCounter, max_tokens: int, special_tokens: int) -> None:
        self._counter = counter
        self._max_tokens = max_tokens
        self.special_tokens = special_tokens

    def room(self, prompt: str, most: int = 0) -> int:
        """Return how many tokens of a text fit beside a prompt and the special tokens.

        :param most: Tokens of a window, fewer than the model can take; 0 for those.
        :raises ConfigurationError: None do.
        """
        # One more, since the last word of the prompt and the first of the text may be cut otherwise together.
        prompted = sum(self._counter.count(part) + 1 for part in prompt.split(TEXT) if part)
        whole = self._whole(most)
        room = (whole - prompted) // max(1, prompt.count(TEXT))
        if room < 1:
            raise ConfigurationError(
                f"a prompt of {prompted} tokens leaves no room for text in the {whole} tokens that are read in one "
                "pass; shorten the prompt in its preset, or make windows larger."
            )
        return room

    def cut(self, texts: Sequence[str], prompt: str, strategy: WindowStrategy) -> list[TextCut]:
        """Return each text as the model will be given it.

        :raises TextTooLongError: The strategy is `error` and a text is too long.
        """
        room, whole, cuts = self.room(prompt, strategy.tokens), self._whole(strategy.tokens), []
        for text, length in zip(texts, self._counter.count_batch(texts), strict=True):
            # Where prompt and text meet, they may have fewer tokens than apart: counted only where it matters.
            added = 0 if length <= room else self._counter.count(rendered(prompt, text)) - length
            if length <= room or length + added <= whole:
                cuts.append(TextCut([(0, length)], [rendered(prompt, text)], length, [(0, len(text))]))
                continue
            require_room(length, room, strategy)
            windows, spans = self._windows(text, prompt, strategy, max(room, whole - added))
            pieces = [rendered(prompt, text[start:end]) for start, end in spans]
            cuts.append(TextCut(windows, pieces, length, spans))
        return cuts

    def _windows(
        self, text: str, prompt: str, strategy: WindowStrategy, room: int
    ) -> tuple[Sequence[TokenSpan], Sequence[CharSpan]]:
        """Cut between tokens; a piece may have more of them alone than it had inside the text, so look again."""
        offsets, whole, size = self._counter.offsets(text), self._whole(strategy.tokens), room
        while True:
            windows = strategy.windows(len(offsets), size)
            spans = [_characters(offsets, window) for window in windows]
            over = max(self._counter.count_batch([rendered(prompt, text[start:end]) for start, end in spans])) - whole
            if over <= 0 or size == 1:
                return windows, spans
            size = max(1, size - over)

    def _whole(self, most: int) -> int:
        return (most or self._max_tokens) - self.special_tokens


def _characters(offsets: IntArray, window: TokenSpan) -> CharSpan:
    start, end = window
    return int(offsets[start, 0]), int(offsets[end - 1, 1])
