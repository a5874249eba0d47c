"""How selective the words of a question are: their idf, and how much of it one text holds.

An engine with a text index is asked, in the request of the lists. One without looks at every text for every question;
there all texts are looked at once, for all words of all questions, which in memory takes less than asking for two.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qdrant_embed.retrieval.query_plan import DEPTH, QueryPlan
from qdrant_embed.retrieval.term_query import TermQuery
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.methods.ranking_request import FoundPoint, RankingRequest
from qdrant_embed.store.own_points import whole
from qdrant_embed.store.scroll import PAGE, pages
from qdrant_embed.types import TERMS

if TYPE_CHECKING:
    from qdrant_client import models

EQUAL = 1e-4
"""Part of the largest coverage by which another one may be smaller and is the same: engines sum in any order."""


@dataclass(frozen=True, slots=True)
class WordSignals:
    """What the words of a question say.

    :param coverage: Share of the question's idf mass that the text with most of it holds; 0 without words.
    :param holders: Texts that hold so much, `DEPTH` at the most.
    :param idf: Of each term of the query; None for one that no text holds.
    """

    coverage: float = 0.0
    holders: int = 0
    idf: tuple[float | None, ...] = ()

    @classmethod
    def of(cls, covered: Sequence[float], idf: tuple[float | None, ...]) -> WordSignals:
        """Return the signals of a question.

        :param covered: The idf mass that texts hold, most first.
        """
        total = idf_mass(idf)
        if not covered or not total:
            return cls(idf=idf)
        # Engines sum in any order: the last digits of a float32 are chance.
        coverage = min(1.0, round(covered[0] / total, 6))
        return cls(coverage, sum(mass >= covered[0] * (1.0 - EQUAL) for mass in covered[:DEPTH]), idf)

    @property
    def mass(self) -> float:
        """The question's idf mass."""
        return idf_mass(self.idf)


def idf_mass(idf: Sequence[float | None]) -> float:
    """Return the sum of the terms' idf; a term that no text holds is at least as rare as the rarest that one does."""
    known = [value for value in idf if value is not None]
    return sum(known) + (len(idf) - len(known)) * max(known, default=0.0)


def word_requests(terms: TermQuery, condition: models.Filter | None) -> list[RankingRequest]:
    """Return what an engine is asked about the words of a question."""
    asked = [(terms.covered(), DEPTH), *((single, 1) for single in terms.singles())]
    return [
        RankingRequest(query=query, using=terms.using, where=condition if limit > 1 else None, limit=limit)
        for query, limit in asked
    ]


def read_words(terms: TermQuery, answers: Iterator[list[FoundPoint]]) -> WordSignals:
    """Take the answers to these requests from those of all."""
    covered = [point.score for point in next(answers)]
    singles = [next(answers) for _ in terms.singles()]
    return WordSignals.of(covered, tuple(points[0].score if points else None for points in singles))


def is_counted(engine: Engine, plan: QueryPlan) -> bool:
    """Tell whether the words of a question are counted here instead of asked for."""
    return plan.fused and plan.terms is not None and bool(plan.terms.terms and engine.lacks("indexes"))


def counted_words(engine: Engine, name: str, plans: Sequence[QueryPlan]) -> list[WordSignals]:
    """Return the signals of several questions of one search, by one look at every text.

    :param plans: With terms for a text index, all with the same condition.
    """
    if not plans:
        return []
    asked = [plan.terms.terms if plan.terms is not None else () for plan in plans]
    wanted = frozenset(term for terms in asked for term in terms)
    # As in a text index, a term is as rare as it is among all points that have terms.
    held = _held(whole(engine), name, None, wanted)
    among = held if plans[0].condition is None else _held(engine, name, plans[0].condition, wanted)
    holders = Counter(term for terms in held for term in terms)
    texts = len(held)
    idf = {term: math.log((texts - count + 0.5) / (count + 0.5) + 1.0) for term, count in holders.items()}
    found = []
    for terms in asked:
        masses = (math.fsum(idf[term] for term in terms if term in there) for there in among)
        covered = sorted((mass for mass in masses if mass), reverse=True)
        found.append(WordSignals.of(covered, tuple(idf.get(term) for term in terms)))
    return found


def _held(engine: Engine, name: str, where: models.Filter | None, wanted: frozenset[str]) -> list[frozenset[str]]:
    """Return which of the wanted terms each text has that has any terms at all."""
    fields = (
        record.payload or {} for page in pages(engine, name, PAGE, where=where, fields=[TERMS]) for record in page
    )
    texts = (str(held[TERMS]).split() for held in fields if held.get(TERMS))
    return [wanted.intersection(terms) for terms in texts]
