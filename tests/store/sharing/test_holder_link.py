"""What answers on a folder's socket, and what is refused there."""

import os
import socket
import struct
from contextlib import closing, suppress

import pytest
from qdrant_client import models

from qdrant_embed.errors import LocationLockedError, StoreError
from qdrant_embed.store.edge import EdgeEngine
from qdrant_embed.store.edge.lock import held_by_another, read_holder
from qdrant_embed.store.location import open_engine
from qdrant_embed.store.sharing import (
    folder_opening,
    folder_server,
    holder_answers,
    holder_link,
    shared_engine,
    wire_frames,
)
from qdrant_embed.store.sharing.holder_link import HolderGoneError, HolderLink, NotSharedError
from qdrant_embed.store.sharing.shared_engine import SharedEngine

VECTORS = {"v": models.VectorParams(size=2, distance=models.Distance.DOT)}


@pytest.fixture
def engine(tmp_path):
    """Return an engine that holds a folder with a collection."""
    engine = open_engine(tmp_path)
    engine.create_collection("c", VECTORS)
    yield engine
    engine.close()


@pytest.fixture
def address(engine, tmp_path):
    """Return where the folder's holder listens."""
    return read_holder(tmp_path)["socket"]


def test_a_call_is_answered_and_the_holder_knows_that_somebody_came(engine, address):
    assert not engine.joined
    with closing(HolderLink(address, "us")) as link:
        assert link.call("count", "c").count == 0
    assert engine.joined


@pytest.mark.parametrize("name", ["close", "folder", "shard", "within", "__class__", "_leave", "path"])
def test_only_what_an_engine_is_asked_for_is_answered(address, name):
    with closing(HolderLink(address, "us")) as link:
        with pytest.raises(StoreError, match="answers no"):
            link.call(name)
        assert link.free
        assert link.call("count", "c").count == 0


@pytest.mark.parametrize("sent", [
    b"GET / HTTP/1.1\r\n\r\n", struct.pack(">4sIQ", b"QES1", 8, 2**63), struct.pack(">4sIQ", b"QES1", 2, 0) + b"{}",
    struct.pack(">4sIQ", b"QES1", 5, 0) + b'[1,2"', b"",
])  # fmt: skip
def test_whoever_does_not_greet_is_left(engine, address, sent):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stranger:
        stranger.connect(address)
        stranger.settimeout(10)
        stranger.sendall(sent)
        stranger.shutdown(socket.SHUT_WR)
        with suppress(ConnectionResetError):  # what it sent was not read to the end
            while stranger.recv(1000):
                pass
    assert not engine.joined
    assert engine.count("c").count == 0


def test_a_request_that_is_none_is_told(engine, address):
    with closing(HolderLink(address, "us")) as link:
        text = b'{"$model":["os","system"]}'
        frame = struct.pack(">4sIQ", b"QES1", len(text), 0) + text
        wire_frames.send(link._socket, [frame])
        with pytest.raises(StoreError, match="was not understood: 'os' is no model"):
            raise wire_frames.receive(link._socket)["error"]
    assert engine.count("c").count == 0


def test_more_than_a_frame_may_hold_is_refused_before_it_is_sent(address, monkeypatch):
    with closing(HolderLink(address, "us")) as link:
        monkeypatch.setattr(wire_frames, "MOST_BYTES", 1000)
        with pytest.raises(StoreError, match="too much for one call"):
            link.call("retrieve", "c", ["x" * 2000])
        assert link.call("count", "c").count == 0


def test_another_version_is_refused_by_name(address, monkeypatch):
    monkeypatch.setattr(holder_link, "greeting", lambda: {**holder_answers.greeting(), "qdrant-embed": "9.9"})
    with pytest.raises(NotSharedError, match=r"it runs qdrant-embed .*, not 9\.9"):
        HolderLink(address, "us")


@pytest.mark.parametrize(("name", "told"), [("is_private", False), ("peer", (1, False))])
def test_a_socket_of_another_user_is_not_trusted(address, monkeypatch, name, told):
    monkeypatch.setattr(holder_link, name, lambda _: told)
    with pytest.raises(NotSharedError, match="another user's"):
        HolderLink(address, "us")


def test_other_users_are_not_answered(address, monkeypatch):
    monkeypatch.setattr(holder_answers, "peer", lambda _: (1, False))
    with pytest.raises(HolderGoneError):
        HolderLink(address, "us")


def test_a_holder_that_closes_answers_nobody(engine, address):
    with closing(HolderLink(address, "us")) as link:
        engine.close()
        with pytest.raises(HolderGoneError):
            link.call("count", "c")
    with pytest.raises(HolderGoneError):
        HolderLink(address, "us")
    assert not os.path.exists(address)  # noqa: PTH110


def test_who_cannot_be_asked_is_named_with_the_reason(tmp_path):
    holder = {"pid": os.getpid(), "program": "a notebook kernel", "started": "2026-01-01", "socket": None}
    text = str(held_by_another(tmp_path, holder))
    assert f"held by process {os.getpid()} (a notebook kernel, since 2026-01-01). It cannot be asked" in text


def test_a_holder_without_a_socket_refuses_at_once(tmp_path, monkeypatch):
    def nowhere(_):
        raise OSError

    monkeypatch.setattr(folder_server, "place_of", nowhere)
    with closing(open_engine(tmp_path)):
        assert read_holder(tmp_path)["socket"] is None
        for module in (folder_opening, shared_engine):
            monkeypatch.setattr(module, "EdgeEngine", _held)
        with pytest.raises(LocationLockedError, match="found no directory for a socket"):
            open_engine(tmp_path)


def _held(path, *, make):
    raise held_by_another(path, read_holder(path))


def test_where_there_are_no_such_sockets_a_folder_stays_with_one(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(folder_opening, "EdgeEngine", _held)
    monkeypatch.setattr(folder_opening, "POSSIBLE", False)
    with pytest.raises(LocationLockedError, match=rf"held by process {os.getpid()}"):
        open_engine(tmp_path)


def test_an_engine_of_the_same_process_needs_no_socket(engine, tmp_path):
    with closing(SharedEngine(tmp_path)) as other:
        assert isinstance(other._answering(), EdgeEngine)
        assert other.collection_exists("c")
    assert engine.count("c").count == 0
