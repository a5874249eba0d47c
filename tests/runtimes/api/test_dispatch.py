"""Whatever the server does, each text gets its own vector or is named as having none."""

import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qdrant_embed.errors import ApiError, TextTooLongError
from qdrant_embed.runtimes.api.connection import Connection
from qdrant_embed.runtimes.api.keys import Key
from tests.support.api_server import ApiServer, vector_of

DIM = 16
PASSING = ["", "429", "500", "503", "cut", "reordered", "slow", "json", "few", "many", "twice", "dims", "nan", "null"]


def expected(texts, kind="document", dim=DIM):
    return np.stack([vector_of(text, DIM, kind)[:dim] if text.strip() else np.zeros(dim) for text in texts])


class Faults:
    """Faults drawn from a seed, at most two running for the same first text, so that patience is enough."""

    def __init__(self, seed, names=PASSING):
        self.seed, self.names, self.tries, self.lock = seed, names, {}, threading.Lock()

    def __call__(self, number, texts):
        with self.lock:
            tries = self.tries[texts[0]] = self.tries.get(texts[0], -1) + 1
        draw = zlib.crc32(f"{self.seed} {texts[0]} {tries}".encode())
        return self.names[draw % len(self.names)] if tries % 3 < 2 else ""


texts_of_all_lengths = st.lists(
    st.one_of(st.text(max_size=30), st.integers(0, 2000).map(lambda size: f"w{size} " * (size // 3)), st.just(" ")),
    max_size=60,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=texts_of_all_lengths,
    seed=st.integers(0, 10**6),
    batch_texts=st.integers(1, 20),
    batch_tokens=st.integers(1, 400),
    most_texts=st.integers(1, 20),
    concurrency=st.integers(1, 4),
)
def test_nothing_is_lost_or_reordered(
    make_sender, send, texts, seed, batch_texts, batch_tokens, most_texts, concurrency
):
    # Each but the blank ones differs from the others: faults are counted by text.
    texts = [
        f"{text.encode('utf-8', 'replace').decode()}{place}" if text.strip() else text
        for place, text in enumerate(texts)
    ]
    with ApiServer(dim=DIM, fault=Faults(seed), most_texts=most_texts) as server:
        sender = make_sender(
            server.endpoint,
            batch_texts=batch_texts,
            batch_tokens=batch_tokens,
            concurrency=concurrency,
            first_wait=0.001,
        )
        np.testing.assert_array_equal(send(sender, texts), expected(texts) if texts else np.zeros((0, DIM)))
        sender.close()


@pytest.mark.parametrize("fault", [name for name in PASSING if name])
def test_a_fault_that_passes_costs_one_more_request_at_most(make_sender, send, fault):
    texts = [f"w{number}" for number in range(8)]
    with ApiServer(fault=lambda number, texts: fault if number == 0 else "") as server:
        np.testing.assert_array_equal(send(make_sender(server.endpoint), texts), expected(texts))
    assert len(server.seen) == (1 if fault in ("slow", "reordered") else 2)


def test_a_hanging_server_is_left_after_the_timeout(make_sender, send):
    with ApiServer(fault=lambda number, texts: "hang" if number == 0 else "") as server:
        np.testing.assert_array_equal(send(make_sender(server.endpoint, timeout=0.2), ["w1"]), expected(["w1"]))


def test_an_answer_that_drips_in_does_not_outlast_the_timeout(make_sender, send):
    with ApiServer(fault=lambda number, texts: "drip") as server:
        begun = time.monotonic()
        with pytest.raises(ApiError, match=r"not complete after 0\.3 s"):
            send(make_sender(server.endpoint, timeout=0.3, attempts=2), ["w1"] * 8)
    assert time.monotonic() - begun < 2


def test_a_server_that_is_not_there_is_named(make_sender, send):
    with ApiServer() as server:
        endpoint = server.endpoint
    with pytest.raises(ApiError, match=r"127\.0\.0\.1.*2 of 2 texts.*ConnectError") as caught:
        send(make_sender(endpoint, attempts=2), ["w1", "w2"])
    assert caught.value.places == (0, 1)


@pytest.mark.parametrize("fault", ["413", "length", "429-large"])
def test_too_large_batches_are_halved_and_later_ones_are_smaller(make_sender, send, fault):
    texts = [f"w{number}" for number in range(64)]
    with ApiServer(fault=lambda number, texts: fault if len(texts) > 5 else "") as server:
        sender = make_sender(server.endpoint, batch_texts=16, concurrency=1)
        np.testing.assert_array_equal(send(sender, texts), expected(texts))
        refused = sum(len(seen.texts) > 5 for seen in server.seen)
        assert refused <= 4 * 3
        del server.seen[:]
        np.testing.assert_array_equal(send(sender, texts), expected(texts))
        assert all(len(seen.texts) <= 5 for seen in server.seen)


@pytest.mark.parametrize("fault", ["500-time", "500-large"])
def test_a_breakdown_that_was_not_about_size_makes_no_later_batch_smaller(make_sender, send, fault):
    texts = [f"w{number}" for number in range(32)]
    with ApiServer(fault=lambda number, texts: fault if number == 0 else "") as server:
        sender = make_sender(server.endpoint, batch_texts=16, concurrency=1)
        np.testing.assert_array_equal(send(sender, texts), expected(texts))
        assert [len(seen.texts) for seen in server.seen] == [16, 16, 16]
        np.testing.assert_array_equal(send(sender, ["alone"]), expected(["alone"]))


def test_a_server_that_breaks_down_over_large_requests_gets_smaller_ones(make_sender, send):
    texts = [f"w{number}" for number in range(16)]
    with ApiServer(fault=lambda number, texts: "500-large" if len(texts) > 4 else "") as server:
        sender = make_sender(server.endpoint, batch_texts=16, concurrency=1, first_wait=0.001)
        np.testing.assert_array_equal(send(sender, texts), expected(texts))
        assert [len(seen.texts) for seen in server.seen] == [16, 16, 8, 8, 4, 4, 4, 4]


def test_time_spent_waiting_for_other_requests_does_not_count(make_settings):
    settings = make_settings("http://localhost")
    with ApiServer(fault=lambda number, texts: "slow") as server:
        address = settings.protocol.address(server.endpoint)
        opened = Connection(address, Key(""), timeout=0.8, size=1)
        request = settings.protocol.body("harbour-1", ["w1"], kind="document", dim=0, without=frozenset())
        with ThreadPoolExecutor(24) as pool:
            bodies = list(pool.map(opened.post, [request] * 24))
        opened.close()
    assert len(server.seen) == len(bodies) == 24
    assert len(set(bodies)) == 1


def test_a_text_too_long_for_the_server_is_named_and_the_others_are_not_asked_for_again(make_sender, send):
    texts = [f"w{number}" for number in range(20)]
    texts[13] = "long " * 200
    with ApiServer(most_characters=500) as server:
        sender = make_sender(server.endpoint)
        with pytest.raises(TextTooLongError, match=r"1 of 20 texts.*: 13\).*context length"):
            send(sender, texts)
        asked = sum(len(seen.texts) for seen in server.seen)
        rest = texts[:13] + texts[14:]
        np.testing.assert_array_equal(send(sender, rest), expected(rest))
        assert sum(len(seen.texts) for seen in server.seen) == asked
        send(sender, rest[:3])
        assert sum(len(seen.texts) for seen in server.seen) == asked + 3


def test_a_refused_text_is_found_among_others(make_sender, send):
    texts = [f"w{number}" for number in range(64)]
    refusing = ApiServer(fault=lambda number, texts: "400" if "w37" in texts else "")
    with refusing as server, pytest.raises(ApiError, match="not to my taste") as caught:
        send(make_sender(server.endpoint, batch_texts=64), texts)
    assert caught.value.places == (37,)


def test_a_server_that_refuses_everything_is_not_asked_for_every_text(make_sender, send):
    with ApiServer(fault=lambda number, texts: "400") as server, pytest.raises(ApiError) as caught:
        send(make_sender(server.endpoint, batch_texts=64), [f"w{number}" for number in range(64)])
    assert len(caught.value.places) == 64
    assert len(server.seen) < 30


@pytest.mark.parametrize("fault", ["404", "quota", "redirect"])
def test_what_will_not_pass_is_not_tried_again(make_sender, send, fault):
    with ApiServer(fault=lambda number, texts: fault) as server, pytest.raises(ApiError) as caught:
        send(make_sender(server.endpoint, concurrency=1), ["w1"] * 20)
    assert len(server.seen) == 1
    assert caught.value.places == tuple(range(20))


def test_the_server_decides_how_long_to_wait(make_sender, send):
    for fault, least in (("429", 0.02), ("429-date", 0.0)):
        with ApiServer(fault=lambda number, texts, fault=fault: fault if number == 0 else "") as server:
            begun = time.monotonic()
            send(make_sender(server.endpoint), ["w1"])
            assert time.monotonic() - begun >= least


def test_a_wait_of_a_day_is_not_waited_for(make_sender, send):
    with (
        ApiServer(fault=lambda number, texts: "429-long") as server,
        pytest.raises(ApiError, match="too many requests"),
    ):
        send(make_sender(server.endpoint), ["w1"])
    assert len(server.seen) == 1


def test_an_answer_that_never_makes_sense_is_given_up_early(make_sender, send):
    with (
        ApiServer(fault=lambda number, texts: "dims") as server,
        pytest.raises(ApiError, match="dim = 3 into its preset"),
    ):
        send(make_sender(server.endpoint), ["w1"])
    assert len(server.seen) == 3


def test_requests_at_once_are_bounded(make_sender, send):
    running, most, lock = 0, 0, threading.Lock()

    def fault(number, texts):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1
        return ""

    with ApiServer(fault=fault) as server:
        send(make_sender(server.endpoint, concurrency=3, batch_texts=1), [f"w{number}" for number in range(20)])
    assert 2 <= most <= 3


def test_limits_per_minute_slow_a_long_call_down(make_sender, send):
    texts = [f"w{number}" for number in range(30)]
    with ApiServer() as server:
        sender = make_sender(server.endpoint, requests_per_window=9, tokens_per_window=10, window=0.1, batch_texts=3)
        begun = time.monotonic()
        np.testing.assert_array_equal(send(sender, texts), expected(texts))
    assert time.monotonic() - begun >= 0.3  # nine texts per window


@pytest.mark.parametrize("api", ["openai", "cohere", "voyage", "jina"])
@pytest.mark.parametrize("kind", ["document", "query"])
def test_every_api_is_asked_in_its_own_words(make_sender, send, api, kind):
    with ApiServer(kinds=True) as server:
        sender = make_sender(server.endpoint, api=api, asks_dim=True)
        texts = ["w1", "w2 w3"]
        stated = kind if api != "openai" else "document"
        np.testing.assert_array_equal(send(sender, texts, kind=kind, dim=8), expected(texts, stated, 8))
    body = server.seen[0].body
    assert body["model"] == "harbour-1"
    assert {"cohere": "NONE", "voyage": False, "jina": False}.get(api) == body.get("truncate", body.get("truncation"))


def test_a_server_without_base64_is_asked_for_digits(make_sender, send):
    with ApiServer(fault=lambda number, texts: "encoding" if number == 0 else "") as server:
        np.testing.assert_array_equal(send(make_sender(server.endpoint), ["w1"]), expected(["w1"]))
    assert [seen.body.get("encoding_format") for seen in server.seen] == ["base64", None]


def test_a_model_without_tasks_is_asked_without_them(make_sender, send, caplog):
    with ApiServer(fault=lambda number, texts: "task" if "task" in server.seen[-1].body else "") as server:
        sender = make_sender(server.endpoint, api="jina", concurrency=1)
        texts = [f"w{number}" for number in range(20)]
        np.testing.assert_array_equal(send(sender, texts), expected(texts))
    assert ["task" in seen.body for seen in server.seen] == [True, False, False, False]
    assert caplog.text.count("it takes no 'task'") == 1


def test_a_refusal_that_only_mentions_a_field_stays_one(make_sender, send):
    with ApiServer(fault=lambda number, texts: "400") as server, pytest.raises(ApiError):
        send(make_sender(server.endpoint, api="jina"), ["w1"])
    assert len(server.seen) == 1
