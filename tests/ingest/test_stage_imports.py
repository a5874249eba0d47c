"""Stages import nothing in their threads, but what is loaded with all other threads held off."""

import sys
import threading

import pytest

from qdrant_embed import native

CODECS = ("encodings", "_codecs", "_multibytecodec")
"""Parts of Python itself, which a decoder asks for by name."""

FILES = {
    "table.csv": b"id,name\n1,Ann\n2,Bob\n",
    "tree.json": b'{"a": [1, 2, "three"]}',
    "lines.jsonl": b'{"a": 1}\n{"a": 2}\n',
    "page.md": b"# Title\n\nText.\n",
    "western.txt": "Le café est servi à l'hôtel.".encode("latin-1"),
    "code.py": b"def lift():\n    return 12\n",
    "page.html": b"<html><body><p>Cranes lift.</p></body></html>",
    ".gitignore": b"*.log\n",
}


@pytest.fixture
def imported(monkeypatch):
    """Return what threads import from now on without holding the others off."""
    found = []

    class Finder:
        def find_spec(self, name, path=None, target=None):
            thread = threading.current_thread()
            ours = name.split(".")[0] == "qdrant_embed"  # pure Python, one thread at a time by Python's own locks
            alone = thread is threading.main_thread() or native._initializing._is_owned()
            if not alone and not ours and not name.startswith(CODECS):
                found.append((thread.name, name))

    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    return found


@pytest.fixture
def counted_first(monkeypatch):
    """Let the thread that counts files be through before anything else goes on: it may be as fast as that."""
    start = threading.Thread.start

    def start_and_wait(thread):
        start(thread)
        if thread.name == "qdrant-embed-count":
            thread.join()

    monkeypatch.setattr(threading.Thread, "start", start_and_wait)


@pytest.mark.usefixtures("counted_first")
@pytest.mark.parametrize("chunker", ["auto", "markdown", "sentences", "code"])
def test_threads_import_nothing_on_their_own(tmp_path, make_collection, imported, chunker, monkeypatch):
    folder = tmp_path / "files"
    folder.mkdir()
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    for name in [name for name in sys.modules if name.split(".")[0] in ("tenacity", "pathspec")]:
        monkeypatch.delitem(sys.modules, name)
    collection = make_collection(chunker=chunker)
    report = collection.ingest(folder)
    assert report.documents >= 6
    assert not report.failed
    assert imported == []
