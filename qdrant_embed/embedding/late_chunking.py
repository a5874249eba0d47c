"""Late chunking: a document is read whole, and the states of each chunk's tokens are averaged afterwards.

(Günther et al. 2024, arXiv 2409.04701.) Which tokens are read together says `long_context.macro_windows`; here they
are read. The special tokens and the prompt at the beginning of a document are pooled with its first chunk and those at
its end with the last, so that a document of one chunk has exactly the vector it has without late chunking; those of the
windows in between are read and not pooled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qdrant_embed.long_context import Part, plan_macro_windows
from qdrant_embed.runtimes.batching import BatchLimits, run_in_batches
from qdrant_embed.tokenization.batch import TokenBatch
from qdrant_embed.tokenization.document_tokens import DocumentTokens
from qdrant_embed.tokenization.sequences import TokenSequence, TokenSequencer
from qdrant_embed.types import CharSpan, FloatArray, TokenSpan, digest


@dataclass(frozen=True, slots=True)
class LatePassage:
    """A chunk with the context that it is read in.

    :param parts: Macro windows, prompt and special tokens included, and the tokens `[start, end)` of each that belong
        to the chunk.
    """

    parts: tuple[tuple[TokenSequence, TokenSpan], ...]

    @property
    def key(self) -> bytes:
        """A hash of all that decides the vector besides the model: the windows read, and the tokens pooled."""
        return digest(b"".join(window.key + np.array(tokens, np.int64).tobytes() for window, tokens in self.parts))


@dataclass(frozen=True, slots=True)
class LateChunking:
    """Plans and reads macro windows for one model.

    :param most: Tokens of a macro window, prompt and special tokens included; 0 for the model's length.
    """

    sequencer: TokenSequencer
    prompt: str
    most: int = 0

    def plan(self, text: str, spans: Sequence[CharSpan]) -> list[LatePassage]:
        """Return the passage of every span of characters; spans are ordered by where they start and may overlap."""
        framed = self.sequencer.framed(text, self.prompt)
        chunks = framed.tokens_of(spans)
        room = self.sequencer.room_around(framed, self.most)
        windows: dict[TokenSpan, TokenSequence] = {}
        parts: list[list[tuple[TokenSequence, TokenSpan]]] = [[] for _ in spans]
        for part in plan_macro_windows(framed.ids, chunks, room):
            if part.window not in windows:
                ids = [*framed.head, *framed.ids[slice(*part.window)], *framed.tail]
                windows[part.window] = TokenSequence(ids or [self.sequencer.pad_id])
            parts[part.chunk].append((windows[part.window], self._place(framed, part)))
        return [LatePassage(tuple(found)) for found in parts]

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
        self, passages: Sequence[LatePassage], states: Callable[[TokenBatch], FloatArray], batch_limits: BatchLimits
    ) -> list[FloatArray]:
        """Return the mean (dim,) of every passage's token states; a window that several share is read once.

        :param states: One batch → token states (n, tokens, dim).
        :param batch_limits: What the runtime works on at once.
        """
        windows = windows_read(passages)
        wanted: dict[bytes, dict[TokenSpan, None]] = {key: {} for key in windows}
        for window, tokens in (part for passage in passages for part in passage.parts):
            wanted[window.key][tokens] = None

        def pooled(batch: Sequence[TokenSequence]) -> Iterator[FloatArray]:
            found = states(self.sequencer.batch(batch, multiple=batch_limits.multiple))
            for row, window in zip(found, batch, strict=True):
                first = len(row) - len(window) if self.sequencer.pad_left else 0
                yield np.stack([row[first + start : first + end].sum(axis=0) for start, end in wanted[window.key]])

        sums: dict[tuple[bytes, TokenSpan], FloatArray] = {}
        for key, found in zip(windows, run_in_batches(pooled, list(windows.values()), batch_limits), strict=True):
            sums |= {(key, tokens): row for tokens, row in zip(wanted[key], found, strict=True)}
        return [_mean([(sums[window.key, tokens], tokens) for window, tokens in passage.parts]) for passage in passages]


def windows_read(passages: Sequence[LatePassage]) -> Mapping[bytes, TokenSequence]:
    """Return the macro windows in which these passages are read, by their keys."""
    return {window.key: window for passage in passages for window, _ in passage.parts}


def late_counts(passages: Sequence[LatePassage], native_tokens: int) -> dict[str, int]:
    """Return the counts of a report for passages that are read; none is ever truncated.

    :param native_tokens: Tokens beyond which a window counts as extended; 0 for never.
    """
    lengths = [[len(window) for window, _ in passage.parts] for passage in passages]
    return {
        "tokens": sum(len(window) for window in windows_read(passages).values()),
        "truncated": 0,
        "windowed": sum(len(windows) > 1 for windows in lengths),
        "extended": sum(max(windows) > native_tokens > 0 for windows in lengths),
    }


def _mean(parts: Sequence[tuple[FloatArray, TokenSpan]]) -> FloatArray:
    count = sum(end - start for _, (start, end) in parts)
    return np.asarray(sum(found for found, _ in parts) / np.float32(count), np.float32)
