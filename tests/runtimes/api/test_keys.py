"""The key goes to the server it was given for, and nowhere else."""

import itertools
import json
import logging
import pickle
import traceback
from types import SimpleNamespace

import pytest

from qdrant_embed import load_embedder
from qdrant_embed.errors import ApiError, ConfigurationError
from qdrant_embed.models.preset_checks import check_values
from qdrant_embed.runtimes.api import connection
from qdrant_embed.runtimes.api.connection import Connection
from qdrant_embed.runtimes.api.errors import RequestError
from qdrant_embed.runtimes.api.keys import Key, require_safe, shown
from tests.support.api_server import ApiServer

VARIABLE = "HARBOUR_API_KEY"
SECRET = "sk-1f3a9c77b2e84d"


@pytest.fixture
def secret(monkeypatch):
    """Put a key into the environment; tests do not name it, for the sake of their local variables."""
    monkeypatch.setenv(VARIABLE, SECRET)


def everything_in(error):
    """Return all that a log, a debugger or a pickle could show of an error, its causes included."""
    found, seen = [], set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        found += [repr(error), str(error), repr(vars(error)), repr(pickle.dumps(error))]
        found += traceback.TracebackException.from_exception(error, capture_locals=True).format()
        assert not hasattr(error, "request"), "an error holds the request, and so its headers"
        error = error.__cause__ or error.__context__
    return "\n".join(found)


@pytest.mark.parametrize("fault", ["401", "404", "429", "500", "cut", "hang", "json", "redirect", "400", "413", "dims"])
@pytest.mark.usefixtures("secret")
def test_no_error_and_no_log_shows_the_key(make_sender, send, caplog, fault):
    caplog.set_level(logging.DEBUG)
    with ApiServer(fault=lambda number, texts: fault) as server:
        sender = make_sender(server.endpoint, key=VARIABLE, attempts=2, timeout=0.3)
        with pytest.raises(Exception) as caught:
            send(sender, ["w1", "w2"])
    assert server.seen[0].headers["authorization"] == f"Bearer {SECRET}"
    assert SECRET not in everything_in(caught.value)
    assert SECRET not in caplog.text
    assert SECRET not in repr(sender._settings)
    assert SECRET.encode() not in pickle.dumps(sender._settings.key)
    if fault == "401":
        assert "[key]" in str(caught.value)


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize("fault", ["cut", "hang", "401", "500"])
def test_a_fault_does_not_hold_on_to_the_request(fault):
    with ApiServer(fault=lambda number, texts: fault) as server:
        connection = Connection(server.endpoint, Key(VARIABLE), timeout=0.3, size=1)
        with pytest.raises(RequestError) as caught:
            connection.post({"input": ["w1"]})
        connection.close()
    assert SECRET not in everything_in(caught.value)


@pytest.mark.usefixtures("secret")
def test_an_answer_that_repeats_the_key_and_comes_too_late_is_forgotten(monkeypatch):
    ticks = itertools.count(step=100.0)
    monkeypatch.setattr(connection, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    with ApiServer(fault=lambda number, texts: "401") as server:
        opened = Connection(server.endpoint, Key(VARIABLE), timeout=9.0, size=1)
        with pytest.raises(RequestError, match="not complete after 9 s") as caught:
            opened.post({"input": ["w1"]})
        opened.close()
    assert SECRET not in everything_in(caught.value)


def test_errors_survive_a_trip_to_another_process():
    error = pickle.loads(pickle.dumps(ApiError("two are missing", places=(3, 5))))
    assert (str(error), error.places) == ("two are missing", (3, 5))


def test_a_missing_key_is_named_before_anything_is_sent(make_sender, send, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    with ApiServer() as server, pytest.raises(ConfigurationError, match=f"export {VARIABLE}"):
        send(make_sender(server.endpoint, key=VARIABLE), ["w1"])
    assert not server.seen


LOOK_LIKE_KEYS = {
    "with dashes": "sk-proj-4f9aBc7d2e81",
    "letters and digits": "aB3dE5gH7jK9mN1pQ3sT5vW7yZ",
    "behind a name": "jina_0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "capitals": "0A1B2C3D4E5F60718293A4B5",
    "Azure": "c0ffee00112233445566778899aabbcc",
    "with a dot": "eyJhbGciOi.eyJzdWIi",
}


@pytest.mark.parametrize("typed", [*LOOK_LIKE_KEYS.values(), ["sk-in-a-list"], 4711_0815_4711], ids=str)
def test_a_key_that_was_typed_into_a_preset_is_refused_unseen(tmp_path, typed):
    presets = tmp_path / "presets.toml"
    presets.write_text(f"[models.openai-small]\nkey_variable = {json.dumps(typed)}\n")
    with pytest.raises(ConfigurationError, match=r"key_variable holds no name.*export MY_API_KEY") as caught:
        load_embedder("openai-small", presets=presets)
    shown = typed[0] if isinstance(typed, list) else str(typed)
    assert shown not in str(caught.value)


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "_KEY2", "my_own_key", "HARBOUR_EMBEDDINGS_API_KEY_2026", "key"])
def test_names_of_variables_are_taken(name):
    check_values("preset", {"key_variable": name})


@pytest.mark.parametrize("value", ["sk-one\nsk-two", "sk-\u00e9", "sk one"])
def test_what_no_header_can_hold_is_refused_unseen(monkeypatch, value):
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(ConfigurationError) as caught:
        Key(VARIABLE).value()
    assert value not in str(caught.value)


def test_a_line_break_at_the_end_of_a_key_does_no_harm(monkeypatch):
    monkeypatch.setenv(VARIABLE, "sk-1\n")
    assert Key(VARIABLE).value() == "sk-1"


@pytest.mark.parametrize(
    "endpoint", ["http://api.example/v1", "http://10.0.0.4:8080/v1", "http://localhost.example/v1"]
)
def test_a_key_is_not_sent_in_the_clear(endpoint):
    with pytest.raises(ConfigurationError, match="everybody on the way could read it"):
        require_safe(endpoint, Key(VARIABLE))
    require_safe(endpoint, Key(""))


@pytest.mark.parametrize(
    "endpoint", ["http://localhost:8080", "http://127.0.0.1/v1", "http://[::1]:80/v1", "https://api.example/v1"]
)
def test_this_machine_and_encrypted_servers_get_the_key(endpoint):
    require_safe(endpoint, Key(VARIABLE))


@pytest.mark.parametrize("endpoint", ["ftp://api.example", "api.example/v1", "", "https://"])
def test_what_is_no_address_is_refused(endpoint):
    with pytest.raises(ConfigurationError, match="no address of an API"):
        require_safe(endpoint, Key(""))


def test_a_password_in_the_address_is_refused_and_not_shown():
    with pytest.raises(ConfigurationError) as caught:
        require_safe("https://me:harbour7@api.example/v1", Key(""))
    assert "harbour7" not in str(caught.value)
    assert shown("https://me:harbour7@api.example:81/v1?key=secret") == "https://api.example:81/v1"


@pytest.mark.usefixtures("secret")
def test_a_redirect_to_another_host_is_not_followed(make_sender, send):
    refused = pytest.raises(ApiError, match=r"other\.example/v1/embeddings.*not followed")
    with ApiServer(fault=lambda number, texts: "redirect") as server, refused:
        send(make_sender(server.endpoint, key=VARIABLE), ["w1"])
    assert len(server.seen) == 1


@pytest.mark.usefixtures("secret")
def test_a_redirect_on_the_same_host_is_followed(make_sender, send):
    with ApiServer(fault=lambda number, texts: "moved" if number == 0 else "") as server:
        send(make_sender(server.endpoint, key=VARIABLE), ["w1"])
    assert [seen.path for seen in server.seen] == ["/v1/embeddings", "/v1/moved/embeddings"]


@pytest.mark.usefixtures("secret")
def test_a_proxy_does_not_see_what_is_meant_for_this_machine(make_sender, send, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with ApiServer() as server:
        send(make_sender(server.endpoint, key=VARIABLE), ["w1"])
    assert len(server.seen) == 1
