"""Builders of small real files, and a plug-in package whose readers misbehave."""

import io
import sys
import zipfile

import pytest

from qdrant_embed.reading.files import ReadOptions, Skipped, find_root, walk
from qdrant_embed.reading.formats import READERS
from qdrant_embed.reading.reader import Reader


@pytest.fixture
def tree(tmp_path):
    """Return a function that writes files, given as name=content, and returns their folder."""

    def write(files):
        folder = tmp_path / "root"
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return folder

    return write


@pytest.fixture
def found():
    """Return a function that walks a path and gives the sources found and, by source, the reasons of those skipped."""

    def run(path, **options):
        items = list(walk(find_root(path), ReadOptions(**options)))
        skipped = {item.source: item.reason for item in items if isinstance(item, Skipped)}
        return [item.source for item in items if not isinstance(item, Skipped)], skipped

    return run


@pytest.fixture
def read(read_file):
    """Return a function that writes a file and gives the document read from it."""
    return lambda name, content: read_file(name, content).document


@pytest.fixture(scope="session")
def reader():
    """Return one reader for all tests, since each has a process of its own."""
    with Reader(ReadOptions(file_timeout=30)) as reader:
        yield reader


@pytest.fixture
def read_file(tmp_path, reader):
    """Return a function that writes a file and reads it with its notes, all files through one reader."""

    def run(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return reader.read(find_root(path).only)

    return run


@pytest.fixture
def make_zip():
    """Return a function that makes the bytes of a zip archive."""

    def make(members):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return buffer.getvalue()

    return make


@pytest.fixture
def make_pdf():
    """Return a function that makes a PDF with the given lines on each page."""

    def make(pages, title=""):
        kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
        objects = [
            "<< /Type /Catalog /Pages 2 0 R >>",
            f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        ]
        for number, lines in enumerate(pages):
            shown = " ".join(f"({line}) Tj T*" for line in lines)
            stream = f"BT /F1 11 Tf 14 TL 50 750 Td {shown} ET"
            objects.append(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
                f"/Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * number} 0 R >>"
            )
            objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        objects.append(f"<< /Title ({title}) >>")
        body, offsets = b"%PDF-1.4\n", []
        for number, content in enumerate(objects, start=1):
            offsets.append(len(body))
            body += f"{number} 0 obj\n{content}\nendobj\n".encode()
        size = len(objects) + 1
        table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
        trailer = f"<< /Size {size} /Root 1 0 R /Info {size - 1} 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
        return body + f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n{trailer}".encode()

    return make


PLUGIN = """
import ctypes, os, time
from pathlib import Path
from qdrant_embed.reading.parsed import Parsed

def slow(data, name):
    time.sleep(600)

def stuck(data, name):
    ctypes.PyDLL(None).sleep(600)  # without letting go of the interpreter

def crash(data, name):
    os.abort()

def greedy(data, name):
    return Parsed(text=str(len(bytearray(64 * 2**30))))

def chatty(data, name):
    print("noise on stdout", flush=True)
    os.write(1, b"more noise")
    return Parsed(text=data.decode(), metadata={"pid": os.getpid()})

def odd(data, name):
    return Parsed(text="", metadata={"path": Path(".")})
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Install a package that offers readers named after what they do: `.slow`, `.crash` …"""
    site = tmp_path / "site"
    info = site / "badreaders-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "badreaders.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: badreaders\nVersion: 1.0\n")
    names = ("slow", "stuck", "crash", "greedy", "chatty", "odd")
    lines = "".join(f".{name} = badreaders:{name}\n" for name in names)
    (info / "entry_points.txt").write_text(f"[qdrant_embed.readers]\n{lines}")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(READERS, "_targets", dict(READERS._targets))
    monkeypatch.setattr(READERS, "_discovered", False)
    yield
    sys.modules.pop("badreaders", None)
