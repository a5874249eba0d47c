"""What an application that has set OpenTelemetry up gets to know, and what one that has not pays."""

import json

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import StoreError
from qdrant_embed.telemetry import configure, recording
from tests.support import forks

SECRET = "The harbor master keeps the spare key under the third stone."


class Recorded:
    """What was recorded so far."""

    def __init__(self):
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meters = MeterProvider([self.reader])

    def spans(self, name):
        return [span for span in self.exporter.get_finished_spans() if span.name == name]

    def points(self):
        data = self.reader.get_metrics_data()
        found = data.resource_metrics[0].scope_metrics[0].metrics if data else ()
        return {metric.name: list(metric.data.data_points) for metric in found}

    def everything(self):
        return "".join(span.to_json() for span in self.exporter.get_finished_spans()) + str(self.points())


@pytest.fixture
def recorded():
    """Record all, through providers of the test's own."""
    found = Recorded()
    configure(tracer_provider=found.tracers, meter_provider=found.meters)
    yield found
    configure()
    found.tracers.shutdown()
    found.meters.shutdown()


@pytest.fixture
def harbor():
    """Return a collection in memory."""
    with Collection.open("harbor", at=":memory:", recipe=Recipe(model="hashing")) as collection:
        collection.ingest([Document(text=SECRET, source="keys.md")], progress=None)
        yield collection


def test_a_search_is_a_retrieval_with_its_embeddings_and_engine_calls(recorded, harbor):
    recorded.exporter.clear()
    harbor.search("where is the spare key", k=3)
    (search,) = recorded.spans("retrieval")
    assert search.kind is SpanKind.INTERNAL
    assert dict(search.attributes) == {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.data_source.id": "harbor",
        "gen_ai.request.model": "hashing",
        "gen_ai.retrieval.top_k": 3,
        "qdrant_embed.search.mode": "hybrid",
        "qdrant_embed.search.queries": 1,
        "qdrant_embed.search.hits": 1,
    }
    (read,) = recorded.spans("embeddings hashing")
    assert (read.kind, read.parent.span_id) == (SpanKind.CLIENT, search.context.span_id)
    told = dict(read.attributes)
    assert (told["gen_ai.operation.name"], told["gen_ai.provider.name"]) == ("embeddings", "qdrant_embed")
    assert told["gen_ai.embeddings.dimension.count"] == harbor.embedder.dim
    assert told["gen_ai.usage.input_tokens"] > 0
    asked = recorded.spans("query_batch_points harbor")
    assert asked and all(span.parent.span_id == search.context.span_id for span in asked)
    assert dict(asked[0].attributes).items() >= {
        "db.system.name": "qdrant", "db.operation.name": "query_batch_points", "db.collection.name": "harbor",
    }.items()  # fmt: skip


def test_durations_and_tokens_are_measured(recorded, harbor):
    harbor.search(["the key", "the stone"])
    points = recorded.points()
    assert set(points) == {
        "gen_ai.client.embeddings.duration", "gen_ai.client.embeddings.operation.input_tokens",
        "gen_ai.retrieval.duration", "db.client.operation.duration", "qdrant_embed.ingest.duration",
    }  # fmt: skip
    (search,) = points["gen_ai.retrieval.duration"]
    assert (search.count, search.attributes["gen_ai.operation.name"]) == (1, "retrieval")
    assert search.explicit_bounds[:2] == (0.01, 0.02)


def test_no_text_is_recorded_unless_that_is_wanted(recorded, harbor, monkeypatch):
    harbor.search("where is the spare key")
    assert not any(text in recorded.everything() for text in ("spare", "stone", "keys.md"))
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    (hit,) = harbor.search("where is the spare key")
    told = recorded.spans("retrieval")[-1].attributes
    assert told["gen_ai.retrieval.query.text"] == "where is the spare key"
    assert json.loads(told["gen_ai.retrieval.documents"]) == [{"id": hit.id, "score": hit.score}]
    assert "stone" not in recorded.everything()


def test_an_error_is_told_by_its_class(recorded, harbor, monkeypatch):
    def fail(*_, **__):
        raise StoreError(SECRET)

    monkeypatch.setattr(type(harbor.engine), "query_batch_points", fail)
    with pytest.raises(StoreError):
        harbor.search("the key")
    for name in ("retrieval", "query_batch_points harbor"):
        span = recorded.spans(name)[-1]
        assert (span.status.status_code, span.attributes["error.type"]) == (StatusCode.ERROR, "StoreError")
    assert "stone" not in recorded.everything()
    assert recorded.points()["gen_ai.retrieval.duration"][0].attributes["error.type"] == "StoreError"


def test_an_ingest_counts_and_holds_what_its_threads_do(recorded, harbor, tmp_path):
    recorded.exporter.clear()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "page.md").write_text(f"Page {name} of the harbor's book.")
    (report,) = [harbor.ingest(tmp_path / "one", progress=None)]
    (whole,) = recorded.spans("ingest harbor")
    assert whole.attributes["qdrant_embed.ingest.embedded"] == report.embedded == 1
    assert whole.attributes["qdrant_embed.ingest.failed"] == 0
    (read,) = recorded.spans("embeddings hashing")
    (written,) = recorded.spans("upsert harbor")
    assert read.parent.span_id == written.parent.span_id == whole.context.span_id
    assert len(list(harbor.ingest_each([tmp_path / "one", tmp_path / "two"], progress=None))) == 2
    assert len(recorded.spans("ingest harbor")) == 3


def test_other_ways_to_search_are_retrievals_too(recorded, harbor):
    (hit,) = harbor.search("the key")
    harbor.similar(hit)
    harbor.search_vector(harbor.embedder.embed_queries(["the key"])[0])
    assert [span.attributes["qdrant_embed.search.mode"] for span in recorded.spans("retrieval")] == [
        "hybrid", "similar", "vector",
    ]  # fmt: skip


def test_a_call_of_a_server_says_which_and_how_many_requests(recorded):
    with recording.engine_call("notes", "query_batch_points", "https://db.example:8443/prefix", batch=3):
        pass
    (span,) = recorded.spans("query_batch_points notes")
    assert dict(span.attributes) == {
        "db.system.name": "qdrant", "db.operation.name": "query_batch_points", "db.collection.name": "notes",
        "server.address": "db.example", "server.port": 8443, "db.operation.batch.size": 3,
    }  # fmt: skip
    (point,) = recorded.points()["db.client.operation.duration"]
    assert "db.operation.batch.size" not in point.attributes


def test_global_providers_are_found_and_nothing_is_imported_without_them():
    code = """
import sys
from qdrant_embed import Collection, Document, Recipe
docs = Collection.open("notes", at=":memory:", recipe=Recipe(model="hashing"))
docs.ingest([Document(text="Keys.", source="a")], progress=None)
assert docs.search("keys")
assert not [name for name in sys.modules if name.startswith("opentelemetry")]
from opentelemetry import metrics, trace  # imported, and nothing set
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from qdrant_embed.telemetry.otel_providers import meter, tracer
docs.search("keys")
assert tracer() is None and meter() is None
exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
docs.search("keys")
print([span.name for span in exporter.get_finished_spans()][-1])
"""
    done = forks.run("-c", code)
    assert (done.stdout, done.stderr, done.returncode) == ("retrieval\n", "", 0)
