"""Why a passage was found: what each list gave to its score, the words that it shares, its nearest sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from qdrant_embed.display import one_line, printable
from qdrant_embed.types import CharSpan, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class ListShare:
    """What one list gave to a passage.

    :param name: `dense`, `bm25`, `sparse` or `multivector`.
    :param rank: Place there, from 1; None where the passage is not among its hits.
    :param score: Score there: a cosine, a BM25 score …; None likewise.
    :param standing: By how many standard deviations it stands above the mean of the list's scores.
    :param weight: Weight of the list for this question, 0 to 1.
    :param share: Its part of the passage's score; those of all lists sum to it.
    """

    name: str
    rank: int | None
    score: float | None
    standing: float
    weight: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedTerm:
    """A word of the question that the passage holds.

    :param word: As the question has it.
    :param idf: Its inverse document frequency in the collection; None where that was not asked for.
    :param spans: Where it stands, in characters of the document; empty if in the context alone (headings, columns).
    """

    word: str
    idf: float | None
    spans: tuple[CharSpan, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a passage was found.

    :param score: What the lists made of it; `Hit.score`, unless a reranker came after them.
    :param lists: What each list gave to it.
    :param terms: The words that it shares with the question.
    :param sentence: The sentence nearest to the question; empty without vectors.
    :param sentence_span: Where it stands, in characters of the document.
    :param sentence_score: How near that is, as the model compares.
    :param confidence: See `Hits.confidence`.
    :param coverage: Share of the idf mass of the question's words that one passage of the collection holds at most.
    :param holders: Passages that hold so much, 100 at the most.
    :param dense_weight: What the gate gave to the dense list; the words have the rest.
    :param feedback: How far the question's vector was moved toward the first passage, 0 for not at all.
    :param reranked: Rank and score before rerankers, and the score that the last of them gave; None without any.
    """

    score: float
    lists: tuple[ListShare, ...]
    terms: tuple[MatchedTerm, ...] = ()
    sentence: str = ""
    sentence_span: CharSpan | None = None
    sentence_score: float | None = None
    confidence: float | None = None
    coverage: float | None = None
    holders: int | None = None
    dense_weight: float | None = None
    feedback: float = 0.0
    reranked: tuple[int, float, float] | None = None

    def as_dict(self) -> dict[str, Json]:
        """Return the explanation as JSON-ready values."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [self._by_list()]
        if self.dense_weight is not None and self.coverage is not None:
            moved = f"; question moved by {self.feedback:.2f} toward the first passage" if self.feedback else ""
            lines.append(
                f"weights: vectors {self.dense_weight:.2f}, words {1 - self.dense_weight:.2f} (the most that a passage "
                f"holds of the question's words: {self.coverage:.0%}, {self.holders} such){moved}"
            )
        if self.terms:
            told = (f"{term.word} {_often(term.spans)}{_idf(term.idf)}" for term in self.terms)
            lines.append(f"words: {printable(', '.join(told))}")
        if self.sentence_score is not None:
            lines.append(f"nearest sentence ({self.sentence_score:.3f}): {one_line(self.sentence)}")
        if self.reranked is not None:
            rank, before, after = self.reranked
            lines.append(f"reranked: was {rank}. with {before:.3f}, now {after:.3f}")
        return "\n".join(lines)

    def _by_list(self) -> str:
        told = (
            f"{part.share:.3f} {part.name} (not in its list)"
            if part.rank is None
            else f"{part.share:.3f} {part.name} (rank {part.rank}, score {part.score:.3f})"
            for part in self.lists
        )
        return f"{self.score:.3f} = {' + '.join(told)}"


def _idf(idf: float | None) -> str:
    return "" if idf is None else f" (idf {idf:.2f})"


def _often(spans: Sequence[CharSpan]) -> str:
    return f"×{len(spans)}" if spans else "in its context"
