"""A server with limits answers as one without: what one request may not have is asked for in several."""

import pytest

from qdrant_embed.store.location import open_engine
from qdrant_embed.testing.conformance.engines import CHECKS, assert_same_answers
from tests.support.server_stand_in import StandIn

TIGHT = {
    "max_query_limit": 4,
    "search_allow_exact": False,
    "search_max_hnsw_ef": 4,
    "search_max_oversampling": 1.0,
    "search_max_batchsize": 2,
    "upsert_max_batchsize": 7,
    "condition_max_size": 2,
}


@pytest.fixture
def server():
    with StandIn("1.19.0") as server:
        yield server


def limit(server, **limits):
    """Let every collection that is made have limits."""

    def add(asked):
        if asked.method == "PUT" and asked.path.count("/") == 2:
            asked.body["strict_mode_config"] = {"enabled": True, **limits}

    server.before.append(add)


@pytest.mark.filterwarnings("ignore::qdrant_embed.errors.LimitWarning")
@pytest.mark.parametrize(
    "check",
    [check for check in CHECKS if "random" not in check.__name__],
    ids=lambda check: check.__name__.removeprefix("check_"),
)
def test_conformance_within_tight_limits(server, check):
    limit(server, **TIGHT)
    engine = open_engine(server.url)
    check(engine)
    engine.close()


@pytest.mark.filterwarnings("ignore::qdrant_embed.errors.LimitWarning")
def test_answers_are_those_of_a_folder(server, folder_engine):
    limit(server, **{**TIGHT, "max_query_limit": 20})
    engine = open_engine(server.url)
    assert_same_answers(folder_engine, engine)
    engine.close()
