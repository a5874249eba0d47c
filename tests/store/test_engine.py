"""Every engine passes the conformance suite, and all give the same answers."""

import threading

import pytest
from qdrant_client import models

from qdrant_embed.testing.conformance.engine_cases import NAME, filters, load, queries
from qdrant_embed.testing.conformance.engines import CHECKS, assert_same_answers, check_engine


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_conformance(engine, check):
    check(engine)


def test_the_embedded_engine_answers_like_qdrant_client(folder_engine, memory_engine):
    assert_same_answers(folder_engine, memory_engine)


@pytest.mark.parametrize("server_version", ["1.18.3", "1.19.0"])
def test_the_embedded_engine_answers_like_a_server(folder_engine, server_engine):
    assert_same_answers(folder_engine, server_engine)


def test_the_suite_asks_questions_that_have_answers(folder_engine):
    load(folder_engine)
    total = folder_engine.count(NAME).count
    for name, condition in filters().items():
        found = folder_engine.count(NAME, condition).count
        assert 0 < found < total or (name, found) == ("has vector", total), f"{name} finds {found} of {total}"
    for name, asked in queries().items():
        assert folder_engine.query_points(NAME, **asked).points, name


def test_the_suite_notices_a_wrong_engine(folder_engine, memory_engine):
    class Forgetful:
        def __getattr__(self, name):
            return getattr(folder_engine, name)

        def upsert(self, collection_name, points, *, wait=True):
            return folder_engine.upsert(collection_name, points[1:], wait=wait)

    with pytest.raises(AssertionError):
        check_engine(Forgetful())
    with pytest.raises(AssertionError, match="filter 'bool': 19 points against 20"):
        assert_same_answers(Forgetful(), memory_engine)


def test_threads_may_share_an_engine(engine):
    engine.create_collection(NAME, {"v": models.VectorParams(size=2, distance=models.Distance.DOT)})
    failures = []

    def work(thread):
        try:
            for step in range(20):
                first = thread * 1000 + step * 10
                engine.upsert(NAME, [models.PointStruct(id=first + i, vector={"v": [1.0, i]}) for i in range(10)])
                assert engine.query_points(NAME, [1.0, 1.0], using="v").points
                engine.scroll(NAME, limit=5)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert engine.count(NAME).count == 4 * 200
