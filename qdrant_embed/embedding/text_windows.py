"""Windows of texts as texts, for models that are given text and have a limit all the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


def room_beside(counter: TokenCounter, prompt: str, max_tokens: int, special_tokens: int) -> int:
    """Return how many tokens of a text fit beside a prompt and the tokens that the server adds.

    :raises ConfigurationError: None do.
    """
    # One more, since the last word of the prompt and the first of the text may be cut otherwise together.
    prompted = counter.count(prompt) + 1 if prompt else 0
    room = max_tokens - special_tokens - prompted
    if room < 1:
        raise ConfigurationError(
            f"a prompt of {prompted} tokens leaves no room for text in the {max_tokens} tokens that the model takes; "
            "shorten the prompt in its preset."
        )
    return room


def cut_texts(texts: Sequence[str], counter: TokenCounter, room: int, strategy: WindowStrategy) -> list[TextCut]:
    """Return each text as the model will be given it.

    :param room: Tokens that a window may have.
    :raises TextTooLongError: The strategy is `error` and a text is too long.
    """
    cuts = []
    for text, length in zip(texts, counter.count_batch(texts), strict=True):
        if length <= room:
            cuts.append(TextCut([(0, length)], [text], length))
            continue
        if strategy.name == "error":
            raise TextTooLongError(
                f"a text has {length} tokens, the model takes {room} beside prompt and special tokens. Make chunks "
                "smaller, or choose the window strategy 'pcw' or 'truncate'."
            )
        cuts.append(_cut(text, counter, room, strategy))
    return cuts


def _cut(text: str, counter: TokenCounter, room: int, strategy: WindowStrategy) -> TextCut:
    """Cut between tokens; a piece counted alone may have more of them than it had inside the text, so look again."""
    offsets = counter.offsets(text)
    size = room
    while True:
        windows = strategy.windows(len(offsets), size)
        pieces = [_between(text, offsets, window) for window in windows]
        over = max(counter.count_batch(pieces)) - room
        if over <= 0 or size == 1:
            return TextCut(windows, pieces, len(offsets))
        size = max(1, size - over)


def _between(text: str, offsets: IntArray, window: Window) -> str:
    start, end = window
    return text[offsets[start, 0] : offsets[end - 1, 1]]
