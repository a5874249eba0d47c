"""The runtimes of converted models: vectors or token states out of a graph, a batch for each core at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from qdrant_embed.models.resolve import ResolvedModel
from qdrant_embed.runtimes import Runtime, TokenRuntime
from qdrant_embed.runtimes.batching import BatchLimits
from qdrant_embed.runtimes.conversion.convert import Converted, ModelConverter, converted
from qdrant_embed.tokenization.batch import TokenBatch
from qdrant_embed.types import FloatArray


def load_converted(
    resolved: ResolvedModel, converter: ModelConverter, batch_limits: BatchLimits, precision: str = ""
) -> Runtime | TokenRuntime:
    """Convert a model, or take up what was converted before, and return what runs it.

    :param precision: What it computes in, where there is a choice.
    :raises ModelError: The model cannot be converted, or its vectors are too far from torch's.
    """
    made = converted(resolved, converter)
    if not made.pooled:
        return ConvertedTokenRuntime(made, batch_limits, precision)
    return ConvertedRuntime(made, partial(converted, resolved, converter, pooled=False), batch_limits, precision)


class ConvertedRuntime(Runtime):
    """For models that pool inside their graph: only sentence vectors leave it.

    :param unpooled: Returns the same model with its token states.
    """

    takes_threads = True

    def __init__(
        self, made: Converted, unpooled: Callable[[], Converted], batch_limits: BatchLimits, precision: str
    ) -> None:
        self._made, self._unpooled = made, unpooled
        self.batch_limits, self.precision = batch_limits, precision

    def sentence(self, batch: TokenBatch) -> FloatArray:
        """Return sentence vectors (n, dim)."""
        return self._made.run(batch)

    def tokenwise(self) -> ConvertedTokenRuntime:
        """Return the same model with its token states, converted now if it was not before.

        :raises ModelError: The model's own modules pool, so there are no states to give.
        """
        return ConvertedTokenRuntime(self._unpooled(), self.batch_limits, self.precision)


class ConvertedTokenRuntime(TokenRuntime):
    """For models whose pooling is done above, and for whoever needs token states."""

    takes_threads = True

    def __init__(self, made: Converted, batch_limits: BatchLimits, precision: str) -> None:
        self._made, self.batch_limits, self.precision = made, batch_limits, precision

    def token_states(self, batch: TokenBatch) -> FloatArray:
        """Return the states that are pooled (n, tokens, dim)."""
        return self._made.run(batch)
