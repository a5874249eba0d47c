import io
import re
import threading
import time

import pytest
from rich.console import Console

from qdrant_embed import Document, IngestOptions, IngestReport, ReadOptions
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.ingest.monitoring import progress
from qdrant_embed.ingest.monitoring.progress import FileCount, Pace, Standing, Watch
from qdrant_embed.ingest.monitoring.report import Tally
from qdrant_embed.reading.files import find_root, walk


def report(seconds, documents=0, chunks=0, embedded=0, reused=0, tokens=0):
    return IngestReport(
        seconds=seconds, documents=documents, chunks=chunks, embedded=embedded, reused=reused, tokens=tokens
    )


def test_rates_and_time_left_of_a_steady_run():
    pace = Pace()
    pace.update(report(1, documents=10, chunks=100, embedded=90, reused=10, tokens=9000), total=100)
    standing = pace.update(report(2, documents=20, chunks=200, embedded=180, reused=20, tokens=18_000), total=100)
    assert standing.fraction == pytest.approx(0.2)
    assert standing.chunk_rate == pytest.approx(100)
    assert standing.token_rate == pytest.approx(9000)
    assert standing.left == pytest.approx(8)


def test_files_that_are_read_but_not_stored_do_not_count_as_done():
    standing = Pace().update(report(10, documents=100, chunks=1000, embedded=250), total=100)
    assert standing.fraction == pytest.approx(0.25)
    assert standing.left == pytest.approx(30)


def test_the_forecast_follows_the_last_minute():
    """A resumed run: half is there already and passes in a second, the rest takes a second for each file."""
    pace = Pace()
    pace.update(report(1, documents=100, chunks=100, reused=100), total=200)
    for done in range(1, 81):
        standing = pace.update(report(1 + done, documents=100 + done, chunks=100 + done, reused=100 + done), total=200)
    assert standing.left == pytest.approx(20, rel=0.05)
    assert standing.chunk_rate == pytest.approx(1, rel=0.05)


def test_nothing_is_foretold_while_the_number_of_files_is_unknown():
    pace = Pace()
    standing = pace.update(report(5, documents=10, chunks=10, embedded=10), total=None)
    assert (standing.fraction, standing.left) == (None, None)
    assert standing.line() == "10 files · 10 chunks · 2.0 chunks/s · 0 tokens/s"
    standing = pace.update(report(10, documents=20, chunks=20, embedded=20), total=40)
    assert standing.left == pytest.approx(10)


def test_an_empty_folder_is_done():
    assert Pace().update(report(0.1), total=0).fraction == 1.0


def test_the_line_is_short():
    standing = Standing(176, 1760, 0.1, 87.4, 11_240.0, 3725.0, 15_204)
    assert standing.line() == "10% · 176/1,760 files · 15,204 chunks · 87 chunks/s · 1:02:05 left · 11k tokens/s"


@pytest.mark.parametrize(
    ("number", "written"), [(0, "0"), (7.44, "7.4"), (87, "87"), (930, "930"), (1234, "1.2k"), (5.6e7, "56M")]
)
def test_numbers_are_short(number, written):
    assert progress._short(number) == written


def test_files_are_counted_as_the_ingest_reads_them(pages):
    (pages / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    count = FileCount()
    count.run(walk(find_root(pages), ReadOptions(exclude=("notes/",))))
    assert count.total == 3


def test_a_count_that_fails_leaves_the_number_unknown(pages):
    def files():
        yield from walk(find_root(pages), ReadOptions())
        raise OSError("the drive is gone")

    count = FileCount()
    count.run(files())
    assert count.total is None


def test_a_count_can_be_stopped(pages):
    count = FileCount()
    count.stop()
    count.run(walk(find_root(pages), ReadOptions()))
    assert count.total is None


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_bar_is_one_line_at_every_width(width):
    console = Console(file=io.StringIO(), width=width)
    console.print(progress._bar(0.42, "42% · 176/1,760 files · 87 chunks/s · 11k tokens/s · 1:02:05 left"))
    lines = console.file.getvalue().splitlines()
    assert len(lines) == 1
    assert "42%" in lines[0]


def test_nothing_is_shown_when_stderr_is_no_terminal(pages, make_collection, capsys):
    make_collection().ingest(pages)
    assert capsys.readouterr() == ("", "")


def test_a_program_without_a_terminal_finds_lines_in_its_log(pages, make_collection, caplog):
    with caplog.at_level("INFO", "qdrant_embed.ingest"):
        make_collection().ingest(pages)
    assert caplog.records[0].message == "ingest harbour: started"
    assert re.match(r"ingest harbour: done: 4 files, \d+ chunks · 0:", caplog.records[-1].message)


BETWEEN = (
    r"ingest documents: ((\d documents? · \d chunks? found · )?reading, loading the model · \d+:\d\d"
    r"|\d documents? · \d chunks? · [\d.k]+ chunks/s · [\d.k]+ tokens/s|building the search graph · \d+:\d\d)"
)


def documents_until_progress_is_shown(capsys, shown):
    """Yield two documents, the second when something has been shown of the first, which is put into a list."""
    deadline = time.monotonic() + 60
    yield Document(text="Cod is landed at pier seven.", source="cod")
    while "loading the model" not in "".join(shown) and time.monotonic() < deadline:
        time.sleep(0.01)
        seen = capsys.readouterr()
        assert seen.out == ""
        shown.append(seen.err)
    yield Document(text="Herring is landed at pier two.", source="herring")


def test_plain_lines_come_at_the_start_now_and_then_and_at_the_end(make_collection, capsys, monkeypatch):
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.001)
    shown = []
    make_collection().ingest(documents_until_progress_is_shown(capsys, shown), progress="plain")
    last = capsys.readouterr()
    first, *between, done = "".join([*shown, last.err]).splitlines()
    assert last.out == ""
    assert first == "ingest documents: started"
    assert between
    assert [line for line in between if not re.fullmatch(BETWEEN, line)] == []
    assert done.startswith("ingest documents: done: 2 documents, 2 chunks · ")


def test_a_whole_run_is_shown_on_stderr_only(make_collection, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    shown = []
    make_collection().ingest(documents_until_progress_is_shown(capsys, shown), progress="bar")
    last = capsys.readouterr()
    assert last.out == ""
    assert "reading, loading the model" in "".join(shown)
    assert "building the search graph" in last.err
    left = {thread.name for thread in threading.enumerate() if thread.is_alive()}
    assert not left & {"qdrant-embed-count", "qdrant-embed-progress"}


@pytest.mark.parametrize("given", ["none", None])
def test_nothing_is_shown_on_request(pages, make_collection, capsys, caplog, given):
    with caplog.at_level("INFO", "qdrant_embed.ingest"):
        make_collection().ingest(pages, progress=given)
    assert capsys.readouterr() == ("", "")
    assert caplog.records == []


def test_a_display_that_does_not_exist_is_refused():
    with pytest.raises(ConfigurationError, match="Did you mean 'plain'"):
        IngestOptions(progress="plane")


def test_before_the_first_block_what_is_found_is_counted():
    tally = Tally()
    watch = Watch(FileCount(), tally)
    assert watch.now()[1].startswith("reading, loading the model")
    tally.add(documents=3, chunks=40)
    assert watch.now() == (None, "3 files · 40 chunks found · reading, loading the model · 0:00")


def test_the_building_of_the_graph_is_said_with_its_own_time():
    tally = Tally()
    watch = Watch(FileCount(), tally)
    tally.add(documents=3, chunks=40, embedded=40)
    tally.begin("building the search graph")
    assert watch.now() == (1.0, "building the search graph · 0:00")


@pytest.mark.parametrize(("kind", "total"), [(list, 3), (iter, None)])
def test_documents_without_a_path_are_counted_where_they_are_in_a_list(make_collection, monkeypatch, kind, total):
    watched = []

    def watch(count, tally, noun):
        watched.append((count.total, noun))
        return Watch(count, tally, noun)

    monkeypatch.setattr(progress, "Watch", watch)
    documents = [Document(text=f"Cod {n} is landed at pier seven.", source=f"fish {n}") for n in range(3)]
    make_collection().ingest(kind(documents), progress="plain")
    assert watched == [(total, "document")]


def test_documents_of_a_known_number_have_a_share_and_a_noun():
    tally = Tally()
    tally.add(documents=1, chunks=2, embedded=2)
    tally.anything_stored = True
    fraction, line = Watch(FileCount(2), tally, "document").now()
    assert fraction == 0.5
    assert line.startswith("50% · 1/2 documents · 2 chunks · ")


def test_in_a_notebook_one_output_is_updated(monkeypatch, make_collection):
    shown = []

    class Display:
        HTML = staticmethod(lambda text: text)

        def display(self, text, display_id):
            shown.append(text)
            return self

        def update(self, text):
            shown.append(text)

    monkeypatch.setattr(progress, "import_module", lambda name: Display())
    monkeypatch.setattr(progress, "_in_notebook", lambda: True)
    make_collection().ingest([Document(text="Cod is landed at pier seven.", source="<b>")])
    assert "loading the model" in shown[0]
    assert "done: 1 document, 1 chunk" in shown[-1]
