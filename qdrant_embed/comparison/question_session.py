"""Questions that are embedded once and asked of every setting."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from qdrant_embed.calibration.collection_sample import CollectionSample
from qdrant_embed.calibration.trial_runner import Transforms, TrialRunner
from qdrant_embed.collection_parts import CollectionParts
from qdrant_embed.comparison.search_setting import SearchSetting
from qdrant_embed.comparison.setting_scores import Ranked, SettingScores
from qdrant_embed.compression import Compression
from qdrant_embed.evaluation.drawn_questions import StoredText
from qdrant_embed.evaluation.exact_search import exact_search
from qdrant_embed.evaluation.questions import Question

DEPTH = 100
"""Chunks that are looked at to find the first k documents."""
BATCH = 64
"""Questions that are asked together."""


class EmbeddedOnce:
    """A model that embeds all questions when it is first asked for some of them."""

    def __init__(self, model: Any, questions: Sequence[str]) -> None:
        self._model, self._questions = model, list(dict.fromkeys(questions))
        self._rows: dict[str, Any] = {}

    def embed_queries(self, texts: Sequence[str]) -> Any:
        """Return what the model makes of questions."""
        if not self._rows:
            self._rows = dict(zip(self._questions, self._model.embed_queries(self._questions), strict=True))
        rows = [self._rows[text] for text in texts]
        return np.stack(rows) if getattr(rows[0], "ndim", 0) == 1 else rows

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


class QuestionSession:
    """All questions, and the settings that answer them.

    :param texts: Every chunk of the collection.
    :param k: Chunks or documents of a ranking that count.
    """

    def __init__(
        self, parts: CollectionParts, questions: Sequence[Question], texts: Sequence[StoredText], k: int
    ) -> None:
        self._parts, self._questions, self._k = parts, questions, k
        self._asked = [question.text for question in questions]
        self._judged = [question.relevant or {} for question in questions]
        ids = {text.id for text in texts}
        self._by_chunk = [not ids.isdisjoint(judged) for judged in self._judged]
        self._depths = [k if by_chunk else max(k, DEPTH) for by_chunk in self._by_chunk]
        self._embedder = EmbeddedOnce(parts.embedder, self._asked)
        once = {name: cast("Any", EmbeddedOnce(model, self._asked)) for name, model in parts.auxiliary.items()}
        self._searcher = replace(parts.searcher, embedder=cast("Any", self._embedder), auxiliary=once)

    def search(self, setting: SearchSetting) -> SettingScores:
        """Return how a way to search answers."""
        setting.search(self._searcher, self._asked[:1], self._k)  # what is done once is not to be timed
        found: list[list[tuple[str, str]]] = [[] for _ in self._asked]
        began = time.perf_counter()
        for depth, places in self._batches():
            answers = setting.search(self._searcher, [self._asked[place] for place in places], depth)
            for place, hits in zip(places, answers, strict=True):
                found[place] = [(hit.id, hit.source) for hit in hits]
        ms = 1000 * (time.perf_counter() - began) / len(self._asked)
        return self._scores(setting.name, found, ms)

    def _batches(self) -> Iterator[tuple[int, list[int]]]:
        """Yield how many chunks to look at, and the places of questions that need so many."""
        for depth in sorted(set(self._depths)):
            places = [place for place, own in enumerate(self._depths) if own == depth]
            yield from ((depth, places[start : start + BATCH]) for start in range(0, len(places), BATCH))

    def compressed(
        self,
        settings: Sequence[Compression],
        sample: CollectionSample,
        transforms: Transforms,
        tell: Callable[[str], None],
    ) -> list[SettingScores]:
        """Return how a search by vectors answers where they are compressed; `tell` is called before each."""
        model = self._parts.embedder
        queries = self._embedder.embed_queries(self._asked)
        truth = exact_search(
            sample.vectors,
            queries,
            max(self._depths),
            model.distance,
            counts=sample.counts,
            normalize=model.preset.normalize,
        )
        runner = TrialRunner(truth, transforms, lambda setting, *_: tell(setting))
        scores = []
        for trial in map(runner.one, settings):
            found = [[(sample.texts[place].id, sample.texts[place].source) for place in row] for row in trial.found]
            scores.append(replace(self._scores(f"dense:{trial.setting}", found, None), ram=trial.ram))
        return scores

    def _scores(self, setting: str, found: Sequence[Sequence[tuple[str, str]]], ms: float | None) -> SettingScores:
        ranked = []
        for question, chunks, by_chunk in zip(self._questions, found, self._by_chunk, strict=True):
            others = [(key, source) for key, source in chunks if key != question.left_out]
            names = [key if by_chunk else source for key, source in others]
            ranked.append(Ranked(names, others[0][0] if others else ""))
        return SettingScores.of(setting, ranked, self._judged, self._k, ms)
