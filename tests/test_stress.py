"""Fresh processes that embed for the first time, beside busy ones: none may stand still.

Minutes of work, so run only where QDRANT_EMBED_STRESS says how many of each kind: processes, notebook kernels, ingests
on a terminal, pipelines with workers.

    QDRANT_EMBED_STRESS=40 python -m pytest tests/test_stress.py
    python tests/test_stress.py process 200
"""

import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

LIMIT = 180.0
"""Seconds after which a process counts as one that stands still, and is killed."""
BUSY = 2
PAGES = 24

EMBEDS = """
from qdrant_embed import load_embedder
texts = [f"document {number} about ferries and harbors. " * 20 for number in range(64)]
print(load_embedder("minilm").embed_documents(texts).shape)
"""
INGESTS = """
from qdrant_embed import Collection, Recipe
with Collection.open("pages", at={at!r}, recipe=Recipe(model="minilm")) as docs:
    print(docs.ingest({folder!r}).embedded)
"""
PIPELINE = """
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.schema import TextNode
from llama_index.embeddings.qdrant_embed import QdrantEmbedEmbedding

if __name__ == "__main__":
    nodes = [TextNode(text=f"document {number} about ferries and harbors. " * 20) for number in range(64)]
    pipeline = IngestionPipeline(transformations=[QdrantEmbedEmbedding(model_name="minilm")])
    print(len(pipeline.run(nodes=nodes, num_workers=2)))
"""


@contextmanager
def busy_loops():
    """Keep the processor busy, which makes the moments at which threads change places many."""
    with ExitStack() as stack:
        for _ in range(BUSY):
            process = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            stack.callback(process.kill)
        yield


def ends(words):
    """Run a command and tell whether it ended well in time."""
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dumping()) as running:
        try:
            said = running.communicate(timeout=LIMIT)[1]
        except subprocess.TimeoutExpired:
            used = stop(running)
            show(used, running.communicate()[1])
            return False
    if running.returncode:
        raise RuntimeError(said.decode()[-2000:])
    return True


def dumping():
    """Return an environment in which Python says where it is when it gets SIGABRT."""
    return {**os.environ, "PYTHONFAULTHANDLER": "1"}


def stop(running):
    """End a process that stands still, and have it say where; return the seconds of processor time that it used.

    One that had next to none was starved by other work on the machine, and does not stand still.
    """
    fields = Path(f"/proc/{running.pid}/stat").read_text().rpartition(")")[2].split()
    used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    running.send_signal(signal.SIGABRT)
    with suppress(subprocess.TimeoutExpired):
        running.wait(10)
    running.kill()
    return used


def show(used, said):
    sys.stderr.write(f"stood still after {used:.1f} s of processor time:\n{said.decode(errors='replace')[-20000:]}\n")


def process(_):
    return ends([sys.executable, "-c", EMBEDS])


def pipeline(folder):
    program = folder / "pipeline.py"
    program.write_text(PIPELINE)
    return ends([sys.executable, str(program)])


def terminal(folder):
    """Run the command line with stderr on a pseudo terminal, where a progress bar has a thread of its own."""
    import pty

    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "qdrant_embed", "ingest", str(write_pages(folder)), "--at", str(folder / "data")]
    running = subprocess.Popen([*words, "-m", "minilm"], stdout=theirs, stderr=theirs, stdin=theirs, env=dumping())
    os.close(theirs)
    deadline, said = time.monotonic() + LIMIT, b""
    try:
        while running.poll() is None and time.monotonic() < deadline:
            if select.select([ours], [], [], 0.2)[0]:
                said += os.read(ours, 65536)
    except OSError:  # the other end is closed
        running.wait(LIMIT)
    hung = running.poll() is None
    if hung:
        used = stop(running)
        with suppress(OSError):
            while select.select([ours], [], [], 0.2)[0]:
                said += os.read(ours, 65536)
        show(used, said)
    os.close(ours)
    if not hung and running.returncode:
        raise RuntimeError(said.decode(errors="replace")[-2000:])
    return not hung


def kernel(folder):
    """Run an ingest in a fresh notebook kernel."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(startup_timeout=LIMIT)
    try:
        code = INGESTS.format(at=str(folder / "data"), folder=str(write_pages(folder)))
        answer = client.execute_interactive(code, timeout=LIMIT, output_hook=lambda _: None)
    except TimeoutError:
        return False
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    if answer["content"]["status"] != "ok":
        raise RuntimeError("\n".join(answer["content"]["traceback"])[-2000:])
    return True


def write_pages(folder):
    pages = folder / "pages"
    pages.mkdir()
    for number in range(PAGES):
        text = "\n\n".join(f"Ferry {number}-{line} leaves the harbor at nine. " * 8 for line in range(20))
        (pages / f"{number}.md").write_text(f"# Page {number}\n\n{text}\n")
    return pages


KINDS = {"process": process, "kernel": kernel, "terminal": terminal, "pipeline": pipeline}


def stands_still(kind, number):
    """Return how many of so many runs did not end."""
    hung = 0
    with busy_loops():
        for run in range(number):
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                hung += not KINDS[kind](Path(folder))
            if __name__ == "__main__":
                sys.stdout.write(f"{kind}: {hung} of {run + 1} stood still\n")
                sys.stdout.flush()
    return hung


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.skipif("QDRANT_EMBED_STRESS" not in os.environ, reason="set QDRANT_EMBED_STRESS to how many runs")
@pytest.mark.parametrize("kind", KINDS)
def test_no_first_embedding_stands_still(kind, monkeypatch):
    monkeypatch.delenv("QDRANT_EMBED_RUNTIME", raising=False)
    assert stands_still(kind, int(os.environ["QDRANT_EMBED_STRESS"])) == 0


if __name__ == "__main__":
    sys.exit(bool(stands_still(sys.argv[1], int(sys.argv[2]))))
