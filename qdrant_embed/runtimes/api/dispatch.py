"""Many texts to vectors in the same order: several requests at once, too large ones halved, failures named."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from qdrant_embed.concurrency import in_threads
from qdrant_embed.errors import ApiError, ModelError, TextTooLongError
from qdrant_embed.runtimes.api.batches import Kept, batches
from qdrant_embed.runtimes.api.errors import RejectedError, RequestError, TooLargeError
from qdrant_embed.runtimes.api.keys import shown
from qdrant_embed.runtimes.api.rate_limit import Stopped
from qdrant_embed.runtimes.api.retry import Caller
from qdrant_embed.runtimes.api.settings import ApiSettings
from qdrant_embed.tokenization.batch import TextBatch
from qdrant_embed.types import FloatArray

PROBES = 16
"""Enough to find one text that a server refuses in a batch of 256; if it refuses all, no more requests are spent."""
_REASONS_SHOWN = 3
_PLACES_SHOWN = 10


@dataclass(slots=True)
class RequestJob:
    """One call of `Sender.send`, and how far it has come.

    :param done: Which texts have their vector (n,).
    :param faults: Place → why it has none; places without either were never sent.
    :param probes: Halves that may still be asked for to find the texts which a refusal is about.
    """

    texts: Sequence[str]
    counts: Sequence[int]
    kind: str
    vectors: FloatArray
    done: NDArray[np.bool_]
    faults: dict[int, RequestError] = field(default_factory=dict)
    probes: int = PROBES
    stop: threading.Event = field(default_factory=threading.Event)

    def may_halve(self, places: Sequence[int], fault: RequestError) -> bool:
        """Tell whether halves of a request may work, or show which texts are at fault."""
        if len(places) == 1 or not isinstance(fault, TooLargeError | RejectedError):
            return False
        if isinstance(fault, RejectedError):
            self.probes -= 2
        return self.probes >= 0

    def fail(self, places: Sequence[int], fault: RequestError) -> None:
        """Note why texts have no vector, and end the call if the others would meet the same."""
        self.faults.update(dict.fromkeys(places, fault))
        if not isinstance(fault, TooLargeError | RejectedError):
            self.stop.set()


class Sender:
    """Sends the texts of a call. For several threads."""

    def __init__(self, settings: ApiSettings) -> None:
        self._settings = settings
        self._caller = Caller(settings)
        self._kept = Kept()
        self._most_texts = settings.batch_texts

    def close(self) -> None:
        """Close the sockets."""
        self._caller.close()

    def send(self, texts: Sequence[str], counts: Sequence[int], *, kind: str, dim: int) -> FloatArray:
        """Return the vectors (n, dim), float32, row by row those of the texts.

        Blank texts are not sent, since most servers refuse them; their vectors are zero.

        :param counts: Tokens of each text.
        :raises TextTooLongError: The server takes some texts not even alone; the message says which.
        :raises ApiError: Some texts have no vector; `places` says which.
        :raises ConfigurationError: The key is not set.
        """
        job = RequestJob(texts, counts, kind, np.zeros((len(texts), dim), np.float32), np.zeros(len(texts), np.bool_))
        for place, text in enumerate(texts):
            kept = self._kept.take(kind, text, dim)
            if kept is not None:
                job.vectors[place] = kept
            job.done[place] = kept is not None or not text.strip()
        self._run(job)
        if not job.done.all():
            for place in map(int, np.flatnonzero(job.done)):
                if texts[place].strip():
                    self._kept.put(kind, texts[place], job.vectors[place])
            raise self._error(job)
        return job.vectors

    def _run(self, job: RequestJob) -> None:
        settings = self._settings
        todo = [int(place) for place in np.flatnonzero(~job.done)]
        most = min(settings.batch_tokens, settings.tokens_per_window or settings.batch_tokens)
        parts = list(batches(todo, job.counts, texts=self._most_texts, tokens=most))
        if len(parts) <= 1 or settings.concurrency == 1:
            for part in parts:
                self._fill(job, part)
            return

        def fill(part: list[int]) -> None:
            try:
                self._fill(job, part)
            except BaseException:
                job.stop.set()
                raise

        try:
            in_threads(fill, parts, settings.concurrency, "embedding-api")
        except BaseException:
            job.stop.set()  # Ctrl-C, which no request has seen
            raise

    def _fill(self, job: RequestJob, places: list[int]) -> bool:
        """Ask for the vectors of some texts, in halves if the server finds them too many; tell whether all came."""
        if job.stop.is_set():
            return False
        if len(places) <= self._most_texts:
            try:
                batch = TextBatch(tuple(job.texts[place] for place in places), job.kind, job.vectors.shape[1])
                tokens = sum(job.counts[place] for place in places)
                job.vectors[places] = self._caller.ask(batch, tokens, job.stop)
            except Stopped:
                return False
            except RequestError as fault:
                if not job.may_halve(places, fault):
                    job.fail(places, fault)
                    return False
            else:
                job.done[places] = True
                return True
        middle = len(places) // 2
        both = [self._fill(job, places[:middle]), self._fill(job, places[middle:])]
        if all(both):
            # It was the number and no single text: other batches need not be refused first.
            self._most_texts = min(self._most_texts, len(places) - middle)
        return all(both)

    def _error(self, job: RequestJob) -> ModelError:
        missing = tuple(int(place) for place in np.flatnonzero(~job.done))
        reasons = list(dict.fromkeys(map(str, job.faults.values())))
        more = f"; and {len(reasons) - _REASONS_SHOWN} more" if len(reasons) > _REASONS_SHOWN else ""
        named = ", ".join(map(str, missing[:_PLACES_SHOWN])) + (", …" if len(missing) > _PLACES_SHOWN else "")
        message = (
            f"{self._settings.model!r} at {shown(self._settings.address)}: {len(missing)} of {len(job.texts)} texts "
            f"have no vector (counted from 0: {named}): {'; '.join(reasons[:_REASONS_SHOWN])}{more}."
        )
        if all(isinstance(job.faults.get(place), TooLargeError) for place in missing):
            return TextTooLongError(
                f"{message} The server takes them not even alone: lower max_tokens in a preset of your own, or name "
                "the model's tokenizer in it."
            )
        return ApiError(message, places=missing)
