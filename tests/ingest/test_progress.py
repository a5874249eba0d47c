import io
import threading

import pytest
from rich.console import Console

from qdrant_embed import Document, IngestOptions, IngestReport, ReadOptions
from qdrant_embed.ingest import progress
from qdrant_embed.ingest.progress import FileCount, Pace, Standing, Watch, progress_display


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
    assert standing.line() == "10 files · 2.0 chunks/s · 0 tokens/s"
    standing = pace.update(report(10, documents=20, chunks=20, embedded=20), total=40)
    assert standing.left == pytest.approx(10)


def test_an_empty_folder_is_done():
    assert Pace().update(report(0.1), total=0).fraction == 1.0


def test_the_line_is_short_and_counts_down():
    standing = Standing(176, 1760, 0.1, 87.4, 11_240.0, 3725.0)
    assert standing.line() == "10% · 176/1,760 files · 87 chunks/s · 11k tokens/s · 1:02:05 left"
    assert standing.line(waited=3700).endswith("0:25 left")
    assert standing.line(waited=9999).endswith("0:00 left")


@pytest.mark.parametrize(
    ("number", "written"), [(0, "0"), (7.44, "7.4"), (87, "87"), (930, "930"), (1234, "1.2k"), (5.6e7, "56M")]
)
def test_numbers_are_short(number, written):
    assert progress._short(number) == written


def test_files_are_counted_as_the_ingest_reads_them(pages):
    (pages / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    count = FileCount()
    count.run(pages, ReadOptions(exclude=("notes/",)))
    assert count.total == 3


def test_a_count_that_fails_leaves_the_number_unknown(tmp_path):
    count = FileCount()
    count.run(tmp_path / "nowhere", ReadOptions())
    assert count.total is None


def test_a_count_can_be_stopped(pages):
    count = FileCount()
    count.stop()
    count.run(pages, ReadOptions())
    assert count.total is None


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_bar_is_one_line_at_every_width(width):
    console = Console(file=io.StringIO(), width=width)
    console.print(progress._bar(0.42, "42% · 176/1,760 files · 87 chunks/s · 11k tokens/s · 1:02:05 left"))
    lines = console.file.getvalue().splitlines()
    assert len(lines) == 1
    assert "42%" in lines[0]


def test_nothing_is_shown_when_stderr_is_no_terminal(pages, make_collection, capsys):
    with progress_display(pages) as callback:
        make_collection().ingest(pages, options=IngestOptions(progress=callback))
    assert capsys.readouterr() == ("", "")


def test_a_whole_run_is_shown_on_stderr_only(pages, make_collection, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    with progress_display(pages, shown=True) as callback:
        done = make_collection().ingest(pages, options=IngestOptions(progress=callback))
        callback(done)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "files" in shown.err
    assert not [thread for thread in threading.enumerate() if thread.name == "qdrant-embed-count" and thread.is_alive()]


def test_documents_without_a_path_have_no_total(make_collection):
    count = FileCount()
    watch = Watch(count)
    assert "loading the model" in watch.now()[1]
    document = Document(text="Cod is landed at pier seven.", source="fish")
    make_collection().ingest([document], options=IngestOptions(progress=watch.update))
    fraction, line = watch.now()
    assert fraction is None
    assert line.startswith("1 files")


def test_in_a_notebook_one_output_is_updated(monkeypatch):
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
    with progress_display(None) as callback:
        callback(report(2, documents=4, chunks=10, embedded=10))
    assert len(shown) == 2
    assert "4 files · 5.0 chunks/s" in shown[-1]
