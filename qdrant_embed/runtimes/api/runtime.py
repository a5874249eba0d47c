"""Models behind an API: text goes out, vectors come back, in order, every one."""

from __future__ import annotations

import weakref

from qdrant_embed.models.resolve import ResolvedModel
from qdrant_embed.runtimes import TextRuntime
from qdrant_embed.runtimes.api.dispatch import Sender
from qdrant_embed.runtimes.api.settings import settings_of
from qdrant_embed.tokenization.batch import TextBatch
from qdrant_embed.tokenization.model_counters import counter_of
from qdrant_embed.tokens import encodable
from qdrant_embed.types import FloatArray


class ApiRuntime(TextRuntime):
    """Vectors from a server: OpenAI and all that speak like it, Cohere, Voyage, Jina.

    Nothing is sent before the first text. For several threads; pickles without sockets and without the key, which is
    nowhere but in the environment.

    :raises ConfigurationError: The preset's `api` or `endpoint` makes no sense, or the key would go out unencrypted.
    """

    takes_threads = True
    """Calls need not wait for each other; the server is asked at most `concurrency` times at once by each."""

    def __init__(self, resolved: ResolvedModel) -> None:
        self._resolved = resolved
        self._settings = settings_of(resolved.preset)
        self._sender = Sender(self._settings)
        self._counter = counter_of(resolved.preset)
        # The sockets are closed with the runtime, also when nobody says so.
        self.close = weakref.finalize(self, self._sender.close)

    def __reduce__(self) -> tuple[object, ...]:
        return (ApiRuntime, (self._resolved,))

    def sentence(self, batch: TextBatch) -> FloatArray:
        """Return (n, dim) vectors, fewer dimensions where the batch wants fewer and the server can give them.

        :raises ApiError: Some texts have no vector; `places` says which.
        """
        texts = [encodable(text) for text in batch.texts]
        wanted = batch.dim if self._settings.asks_dim and batch.dim else self._settings.dim
        return self._sender.send(texts, self._counter.count_batch(texts), kind=batch.kind, dim=wanted)
