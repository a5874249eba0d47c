"""Windows of texts as texts, for models that are given text and have a limit all the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qdrant_embed.embedding.choosing import TEXT, rendered
from qdrant_embed.errors import ConfigurationError, TextTooLongError
from qdrant_embed.tokens import TokenCounter
from qdrant_embed.types import IntArray
from qdrant_embed.windowing import Window, WindowStrategy


@dataclass(frozen=True, slots=True)
class TextCut:
    """One text as the model will be given it.

    :param windows: Where it was cut, in tokens.
    :param texts: The text of each window.
    :param length: Tokens of the whole text.
    """

    windows: Sequence[Window]
    texts: Sequence[str]
    length: int

    @property
    def truncated(self) -> bool:
        """Whether the end of the text is in no window."""
        return self.length > self.windows[-1][1]


class TextWindows:
    """Cuts texts that are too long, between tokens, and puts the prompt before each piece.

    :param max_tokens: What the model can take, prompt and special tokens included.
    :param special_tokens: Tokens that are added to each text.
    """

    def __init__(self, counter: TokenCounter, max_tokens: int, special_tokens: int) -> None:
        self._counter = counter
        self._room = max_tokens - special_tokens
        self.special_tokens = special_tokens

    def room(self, prompt: str) -> int:
        """Return how many tokens of a text fit beside a prompt and the special tokens.

        :raises ConfigurationError: None do.
        """
        # One more, since the last word of the prompt and the first of the text may be cut otherwise together.
        prompted = sum(self._counter.count(part) + 1 for part in prompt.split(TEXT) if part)
        room = (self._room - prompted) // max(1, prompt.count(TEXT))
        if room < 1:
            raise ConfigurationError(
                f"a prompt of {prompted} tokens leaves no room for text in the {self._room} tokens that the model "
                "takes; shorten the prompt in its preset."
            )
        return room

    def cut(self, texts: Sequence[str], prompt: str, strategy: WindowStrategy) -> list[TextCut]:
        """Return each text as the model will be given it.

        :raises TextTooLongError: The strategy is `error` and a text is too long.
        """
        room, cuts = self.room(prompt), []
        for text, length in zip(texts, self._counter.count_batch(texts), strict=True):
            if length <= room or self._fits(length, prompt, text):
                cuts.append(TextCut([(0, length)], [rendered(prompt, text)], length))
                continue
            if strategy.name == "error":
                raise TextTooLongError(
                    f"a text has {length} tokens, the model takes {room} beside prompt and special tokens. Make chunks "
                    "smaller, or choose the window strategy 'pcw' or 'truncate'."
                )
            windows, pieces = _windows(text, self._counter, room, strategy)
            cuts.append(TextCut(windows, [rendered(prompt, piece) for piece in pieces], length))
        return cuts

    def _fits(self, length: int, prompt: str, text: str) -> bool:
        """Count a text with its prompt, where the allowance for the seam between them makes the difference."""
        return length <= self._room and self._counter.count(rendered(prompt, text)) <= self._room


def _windows(
    text: str, counter: TokenCounter, room: int, strategy: WindowStrategy
) -> tuple[Sequence[Window], Sequence[str]]:
    """Cut between tokens; a piece counted alone may have more of them than it had inside the text, so look again."""
    offsets = counter.offsets(text)
    size = room
    while True:
        windows = strategy.windows(len(offsets), size)
        pieces = [_between(text, offsets, window) for window in windows]
        over = max(counter.count_batch(pieces)) - room
        if over <= 0 or size == 1:
            return windows, pieces
        size = max(1, size - over)


def _between(text: str, offsets: IntArray, window: Window) -> str:
    start, end = window
    return text[offsets[start, 0] : offsets[end - 1, 1]]
