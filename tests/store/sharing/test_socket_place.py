"""Where the socket of a folder lies."""

import os
import socket
import tempfile
from pathlib import Path

import pytest

from qdrant_embed.store.sharing.socket_place import is_private, place_of


@pytest.fixture
def runtime(tmp_path_factory, monkeypatch):
    """Return the user's runtime directory, under a short name."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="r") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


def test_the_directory_is_closed_to_others(runtime, tmp_path):
    place = place_of(tmp_path)
    assert place.parent.parent == runtime
    assert place.parent.stat().st_mode & 0o777 == 0o700
    assert place == place_of(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    assert place_of(other) != place


@pytest.mark.parametrize("what", ["open", "link", "file"])
def test_a_directory_that_others_may_enter_is_not_used(runtime, tmp_path, what):
    name = runtime / f"qdrant-embed-{os.geteuid()}"
    if what == "open":
        name.mkdir()
        name.chmod(0o755)
    elif what == "link":
        (tmp_path / "own").mkdir(mode=0o700)
        name.symlink_to(tmp_path / "own")
    else:
        name.touch()
    assert place_of(tmp_path).parent.parent != runtime


def test_long_paths_do_not_matter(monkeypatch, tmp_path):
    deep = tmp_path / ("x" * 120) / "data"
    deep.mkdir(parents=True)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    assert len(os.fsencode(place_of(deep))) <= 100
    assert is_private(place_of(deep).parent)


def test_sockets_that_nobody_listens_to_any_more_are_removed_after_a_day(runtime, tmp_path):
    directory = place_of(tmp_path).parent
    listening, *others = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(40)]
    for number, one in enumerate((listening, *others)):
        one.bind(str(directory / f"{number:016}"))
        os.utime(directory / f"{number:016}", (0, 0) if number != 7 else None)
    listening.listen()
    for one in others:
        one.close()
    place_of(tmp_path)
    listening.close()
    assert sorted(path.name for path in directory.iterdir()) == [f"{0:016}", f"{7:016}"]
