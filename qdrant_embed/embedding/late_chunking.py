"""Late chunking: a document is read whole, and the states of each chunk's tokens are averaged afterwards.

(Günther et al. 2024, arXiv 2409.04701.) Which tokens are read together says `long_context.macro_windows`; here they
are read. The special tokens and the prompt at the beginning of a document are pooled with its first chunk and those at
its end with the last, so that a document of one chunk has exactly the vector it has without late chunking; those of the
windows in between are read and not pooled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from qdrant_embed.long_context import Part, TokenSpan, plan_macro_windows
from qdrant_embed.runtimes.batching import BatchLimits, run_in_batches
from qdrant_embed.tokenization.batch import Batch, TokenIds
from qdrant_embed.tokenization.document_tokens import DocumentTokens
from qdrant_embed.tokenization.sequences import TokenSequencer
from qdrant_embed.types import FloatArray, digest


@dataclass(frozen=True, slots=True)
class MacroWindow:
    """Tokens that are read together, prompt and special tokens included.

    :param key: A hash of them.
    """

    ids: TokenIds
    key: bytes


@dataclass(frozen=True, slots=True)
class LatePassage:
    """A chunk with the context that it is read in.

    :param parts: Macro windows, and the tokens `[start, end)` of each that belong to the chunk.
    """

    parts: tuple[tuple[MacroWindow, TokenSpan], ...]

    @property
    def key(self) -> bytes:
        """A hash of all that decides the vector besides the model: the windows read, and the tokens pooled."""
        return digest(b"".join(window.key + np.array(tokens, np.int64).tobytes() for window, tokens in self.parts))


class _Pooled(list[int]):
    """Token ids that know which spans of them are pooled."""

    def __init__(self, ids: TokenIds, spans: Sequence[TokenSpan]) -> None:
        super().__init__(ids)
        self.spans = spans


@dataclass(frozen=True, slots=True)
class LateChunking:
    """Plans and reads macro windows for one model.

    :param most: Tokens of a macro window, prompt and special tokens included; 0 for the model's length.
    """

    sequencer: TokenSequencer
    prompt: str
    most: int = 0

    def plan(self, text: str, spans: Sequence[TokenSpan]) -> list[LatePassage]:
        """Return the passage of every span of characters; spans are ordered by where they start and may overlap."""
        framed = self.sequencer.framed(text, self.prompt)
        chunks = framed.tokens_of(spans)
        room = self.sequencer.room_around(framed, self.most)
        windows: dict[TokenSpan, MacroWindow] = {}
        parts: list[list[tuple[MacroWindow, TokenSpan]]] = [[] for _ in spans]
        for part in plan_macro_windows(framed.ids, chunks, room):
            if part.window not in windows:
                windows[part.window] = self._window(framed, part.window)
            parts[part.chunk].append((windows[part.window], self._place(framed, part)))
        return [LatePassage(tuple(found)) for found in parts]

    def _window(self, framed: DocumentTokens, tokens: TokenSpan) -> MacroWindow:
        ids = [*framed.head, *framed.ids[slice(*tokens)], *framed.tail] or [self.sequencer.pad_id]
        return MacroWindow(ids, digest(np.asarray(ids, np.int64).tobytes()))

    def _place(self, framed: DocumentTokens, part: Part) -> TokenSpan:
        """Return which tokens of its window a part pools: those of the frame too at the ends of the document."""
        shift = len(framed.head) - part.window[0]
        length = len(framed.head) + part.window[1] - part.window[0] + len(framed.tail)
        first, last = part.start + shift, part.end + shift
        if not self.sequencer.text_only:
            first = int(self.sequencer.skips_first) if part.start == 0 else first
            last = length if part.end == len(framed.ids) else last
        # A text without tokens has none to pool: all stand in for them.
        return (first, last) if first < last else (0, max(1, length))

    def read(
        self, passages: Sequence[LatePassage], states: Callable[[Batch], FloatArray], lanes: BatchLimits
    ) -> list[FloatArray]:
        """Return the mean (dim,) of every passage's token states; a window that several share is read once.

        :param states: One batch → token states (n, tokens, dim).
        :param lanes: What the runtime works on at once.
        """
        wanted: dict[bytes, tuple[MacroWindow, dict[TokenSpan, None]]] = {}
        for window, tokens in (part for passage in passages for part in passage.parts):
            wanted.setdefault(window.key, (window, {}))[1][tokens] = None
        sequences = [_Pooled(window.ids, list(spans)) for window, spans in wanted.values()]

        def pooled(batch: Sequence[TokenIds]) -> Iterator[FloatArray]:
            found = states(self.sequencer.batch(batch, multiple=lanes.multiple))
            for row, sequence in zip(found, batch, strict=True):
                first = len(row) - len(sequence) if self.sequencer.pad_left else 0
                spans = sequence.spans if isinstance(sequence, _Pooled) else ()
                yield np.stack([row[first + start : first + end].sum(axis=0) for start, end in spans])

        sums: dict[tuple[bytes, TokenSpan], FloatArray] = {}
        for key, sequence, found in zip(wanted, sequences, run_in_batches(pooled, sequences, lanes), strict=True):
            sums |= {(key, tokens): row for tokens, row in zip(sequence.spans, found, strict=True)}
        return [_mean([(sums[window.key, tokens], tokens) for window, tokens in passage.parts]) for passage in passages]


def tokens_read(passages: Sequence[LatePassage]) -> int:
    """Return how many tokens go through the model for these passages."""
    return sum({window.key: len(window.ids) for passage in passages for window, _ in passage.parts}.values())


def windows_read(passages: Sequence[LatePassage]) -> int:
    """Return in how many macro windows these passages are read."""
    return len({window.key for passage in passages for window, _ in passage.parts})


def extended(passages: Sequence[LatePassage], beyond: int) -> int:
    """Return how many passages are read in windows of more than `beyond` tokens; none if that is 0."""
    return sum(bool(beyond) and any(len(window.ids) > beyond for window, _ in passage.parts) for passage in passages)


def _mean(parts: Sequence[tuple[FloatArray, TokenSpan]]) -> FloatArray:
    count = sum(end - start for _, (start, end) in parts)
    return np.asarray(sum(found for found, _ in parts) / np.float32(count), np.float32)
