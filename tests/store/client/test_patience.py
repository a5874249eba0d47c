"""A server that goes away is waited for as long as it was said, found soon after, and told of once."""

import logging
import threading

import httpx
import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ResponseHandlingException

from qdrant_embed import Collection, Document, IngestOptions, Recipe
from qdrant_embed.concurrency import Cancelled, Job, current_job
from qdrant_embed.errors import ConfigurationError, StoreError
from qdrant_embed.ingest.pipeline import Prefetcher
from qdrant_embed.servers.patience import SEARCH_SECONDS, patience_now, patient
from qdrant_embed.store.client import persistence as asking
from qdrant_embed.store.client.errors import TRANSIENT, FaultError, ServerFault
from qdrant_embed.store.client.persistence import LONGEST_PAUSE, Persistence, Retries
from qdrant_embed.store.client.server_engine import ServerEngine
from tests.support.server_stand_in import RefusedError, StandIn

GONE = ServerFault("unreachable", "no connection")


class Clock:
    """Time that goes on only where somebody sleeps; then `events` happen, at their times."""

    def __init__(self, **events):
        self.now, self.slept = 0.0, []
        self.events = {}

    def sleep(self, seconds):
        self.now += seconds
        self.slept.append(seconds)
        for due in [time for time in self.events if time <= self.now]:
            self.events.pop(due)()

    @property
    def retries(self):
        return Retries(clock=lambda: self.now, sleep=self.sleep)


@pytest.fixture
def clock():
    return Clock()


def failing(clock, fault, until=float("inf"), tried=None):
    """Return an action that fails until a time."""

    def act():
        if tried is not None:
            tried.append(clock.now)
        if clock.now < until:
            raise FaultError(fault)
        return "done"

    return act


@pytest.fixture
def persistence(clock, monkeypatch):
    """Return what asks, and takes a fault as it is raised."""
    monkeypatch.setattr(asking, "diagnose", lambda error, secret: error.fault)
    return Persistence("http://server", clock.retries, None)


@pytest.mark.parametrize("kind", ["unreachable", "cut", "timeout", "away"])
@pytest.mark.parametrize("seconds", [5.0, 300.0])
def test_a_server_that_is_away_is_waited_for_and_found_soon(persistence, clock, kind, seconds):
    back = 0.9 * seconds
    with patient(seconds):
        assert persistence.ask(failing(clock, ServerFault(kind, "no"), back), TRANSIENT) == "done"
    assert back <= clock.now <= back + LONGEST_PAUSE


@pytest.mark.parametrize("seconds", [0.0, 5.0, 300.0])
def test_the_last_try_is_made_when_the_time_is_over(persistence, clock, seconds):
    tried = []
    with patient(seconds), pytest.raises(FaultError):
        persistence.ask(failing(clock, GONE, tried=tried), TRANSIENT)
    assert tried[-1] == clock.now == pytest.approx(seconds)


def test_a_search_waits_for_seconds_where_nothing_else_was_said(persistence, clock):
    with pytest.raises(FaultError, match="waited 5 s"):
        persistence.ask(failing(clock, GONE), TRANSIENT)


@pytest.mark.parametrize("kind", ["broken", "foreign"])
def test_what_a_server_that_is_there_fails_at_is_soon_given_up(persistence, clock, kind):
    tried = []
    with patient(300.0), pytest.raises(FaultError):
        persistence.ask(failing(clock, ServerFault(kind, "no"), tried=tried), TRANSIENT)
    assert len(tried) == clock.retries.attempts


@pytest.mark.parametrize(("seconds", "tries"), [(5.0, 6), (300.0, 8), (1000.0, 23)])
def test_rates_are_waited_for_as_the_server_says_within_the_patience(persistence, clock, seconds, tries):
    tried = []
    with patient(seconds), pytest.raises(FaultError):
        persistence.ask(failing(clock, ServerFault("busy", "slowly", 45.0), tried=tried), TRANSIENT)
    assert tried == [45.0 * n for n in range(tries)][: len(tried)]
    assert len(tried) == max(6, int(seconds // 45.0) + 1)


def test_it_is_said_once_since_when_and_until_when_and_that_it_is_back(persistence, clock, caplog):
    caplog.set_level(logging.WARNING, "qdrant_embed.servers")
    with patient(300.0):
        persistence.ask(failing(clock, GONE, 20.0), TRANSIENT)
        persistence.ask(failing(clock, GONE, clock.now + 1.0), TRANSIENT)
    away, back = (record.getMessage() for record in caplog.records)
    assert away.startswith("http://server is away since ")
    assert " waiting until " in away
    assert away.endswith(": no connection")
    assert back in ("http://server is back after 20 s", "http://server is back after 21 s")


def test_a_search_says_nothing(persistence, clock, caplog):
    with pytest.raises(FaultError):
        persistence.ask(failing(clock, GONE), TRANSIENT)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_stage_that_waits_is_called_off_and_stands_not_still():
    job = Job()
    job.last = 0.0
    token = current_job.set(job)
    try:
        threading.Timer(0.3, job.cancelled.set).start()
        with patient(300.0), pytest.raises(Cancelled):
            Persistence("x", Retries(), None).ask(unreachable, TRANSIENT)
    finally:
        current_job.reset(token)
    assert job.last > 0.0


@pytest.mark.parametrize("ended", [KeyboardInterrupt, Cancelled])
def test_what_tidies_up_after_ctrl_c_does_not_wait(persistence, clock, ended):
    with patient(300.0), pytest.raises(ended):
        try:
            raise ended
        finally:
            persistence.ask(failing(clock, GONE), TRANSIENT)
    assert clock.slept == []


def unreachable():
    raise ResponseHandlingException(httpx.ConnectError("refused"))


@pytest.mark.parametrize("given", [-1, float("inf"), float("nan"), "5", True, None])
def test_what_is_no_time_to_wait_is_refused(given):
    with pytest.raises(ConfigurationError, match="patience="):
        IngestOptions(patience=given)


def test_the_threads_of_an_ingest_are_as_patient(clock):
    with patient(77.0), Prefetcher() as flow:
        assert list(flow.stage((patience_now() for _ in range(2)), 1, "read")) == [77.0, 77.0]
    assert patience_now() == SEARCH_SECONDS


def documents(count):
    return [Document(text=f"Page {number} of the harbour's book.", source=f"{number}") for number in range(count)]


@pytest.fixture
def server():
    with StandIn() as server:
        yield server


def open_at(server, clock):
    """Open a collection whose engine sleeps by a clock."""
    engine = ServerEngine(QdrantClient(server.url, check_compatibility=False), place=server.url, retries=clock.retries)
    return Collection.open("harbour", at=engine, recipe=Recipe(model="hashing")), engine


@pytest.mark.parametrize("at", ["before", "after"])
def test_an_ingest_and_a_change_of_compression_outlast_a_restart(server, clock, at, caplog):
    docs, engine = open_at(server, clock)
    stopped = []

    def stop(asked):
        if asked.method == "PUT" and asked.path.endswith("/points") and asked.path not in stopped:
            stopped.append(asked.path)
            clock.events[clock.now + 20.0] = server.start
            server.stop()

    getattr(server, at).append(stop)
    report = docs.ingest(documents(20), progress=None)
    assert (report.documents, report.failed, len(stopped)) == (20, (), 1)
    assert docs.recompress("float16").recipe.compression == "float16"
    assert len(stopped) == 2
    assert engine.count("harbour").count == 20
    assert sum("is away since" in record.getMessage() for record in caplog.records) == 2
    assert 40.0 <= clock.now <= 44.0
    engine.close()


def test_how_long_is_waited_is_a_setting(server, clock):
    docs, engine = open_at(server, clock)
    server.before.append(lambda asked: server.stop() if asked.path.endswith("/points") else None)
    with pytest.raises(StoreError, match=r"no connection.*waited 30 s"):
        docs.ingest(documents(2), progress=None, patience=30.0)
    assert clock.now == pytest.approx(30.0)
    engine.close()


def test_a_server_that_starts_is_waited_for(server, clock):
    docs, engine = open_at(server, clock)
    left = server.fail(*[RefusedError(503, "starting")] * 30, path="/")
    assert docs.ingest(documents(2), progress=None).documents == 2
    assert left == []
    engine.close()


def test_points_are_there_once_where_the_answer_was_lost(server, clock):
    docs, engine = open_at(server, clock)
    server.fail(path="/points")
    assert docs.ingest(documents(3), progress=None).documents == 3
    assert engine.count("harbour", models.Filter()).count == 3
    engine.close()
