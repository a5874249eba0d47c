"""One operation while it goes on: a span around it, and its duration afterwards."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Self

from qdrant_embed.telemetry.instruments import histogram
from qdrant_embed.telemetry.otel_providers import tracer, wants_content

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

Value = str | int | float
ERROR_TYPE = "error.type"


class Unrecorded:
    """An operation that nobody wants to know of."""

    content = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        pass

    def note(self, attributes: Mapping[str, Value], measured: Mapping[str, int] | None = None) -> None:
        """Note nothing."""


UNRECORDED = Unrecorded()
_nothing: ContextVar[bool] = ContextVar("qdrant_embed_nothing_recorded", default=False)


def inside_unrecorded() -> bool:
    """Tell whether what goes on now is part of something that nobody wants to know of."""
    return _nothing.get()


class WhollyUnrecorded(Unrecorded):
    """As `Unrecorded`, for all that happens inside: asking for each part whether it is wanted takes microseconds."""

    def __enter__(self) -> Self:
        self._token = _nothing.set(True)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        _nothing.reset(self._token)


class RecordedOperation(Unrecorded):
    """An operation that is recorded; what happens inside it, in its threads too, is part of it.

    Of an error its class is kept: its message may quote documents.

    :param name: Name of the span.
    :param attributes: What is known before it begins, for sampling.
    :param measured: Names of the attributes that its metrics have, too.
    :param seconds: Name of the metric of its duration.
    :param client: Whether something else is called: a model, an engine.
    """

    def __init__(
        self, name: str, attributes: Mapping[str, Value], measured: tuple[str, ...], seconds: str, *, client: bool
    ) -> None:
        self._name, self._attributes, self._seconds, self._client = name, attributes, seconds, client
        self._measured = {key: attributes[key] for key in measured if key in attributes}
        self._tokens: dict[str, int] = {}
        self._span: Span | None = None
        self._attached: Token[Context] | None = None

    @property
    def content(self) -> bool:  # type: ignore[override]
        """Whether what was asked may be noted."""
        return self._span is not None and self._span.is_recording() and wants_content()

    def __enter__(self) -> Self:
        making = tracer()
        if making is not None:
            from opentelemetry import context, trace

            kind = trace.SpanKind.CLIENT if self._client else trace.SpanKind.INTERNAL
            self._span = making.start_span(self._name, kind=kind, attributes=dict(self._attributes))
            self._attached = context.attach(trace.set_span_in_context(self._span))
        self._began = time.perf_counter()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        took = time.perf_counter() - self._began
        if kind is not None:
            self._measured[ERROR_TYPE] = kind.__name__
        for name, value in ({} if kind is not None else self._tokens).items():
            if (counted := histogram(name)) is not None:
                counted.record(value, self._measured)
        if (seconds := histogram(self._seconds)) is not None:
            seconds.record(took, self._measured)
        if self._span is not None and self._attached is not None:
            self._end(self._span, self._attached, kind)

    def note(self, attributes: Mapping[str, Value], measured: Mapping[str, int] | None = None) -> None:
        """Note what came out.

        :param measured: Metric → what to record in it.
        """
        if self._span is not None:
            self._span.set_attributes(dict(attributes))
        self._tokens.update(measured or {})

    def _end(self, span: Span, attached: Token[Context], kind: type[BaseException] | None) -> None:
        from opentelemetry import context, trace

        context.detach(attached)
        if kind is not None:
            span.set_attribute(ERROR_TYPE, kind.__name__)
            span.set_status(trace.StatusCode.ERROR)
        span.end()
