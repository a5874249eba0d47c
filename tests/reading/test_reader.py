import hashlib
import math
import os
import shutil
import subprocess
import sys
import threading

import pytest

from qdrant_embed.errors import ConfigurationError, ReadError
from qdrant_embed.reading.files import ReadOptions, SourceFile, find_root, walk
from qdrant_embed.reading.reader import Reader
from qdrant_embed.reading.worker import stream
from tests.support.spare_reader import end_spare_processes


def test_a_document_knows_its_file(tree):
    folder = tree({"guide/keys.md": "# Keys\r\n\r\nText"})
    (file,) = walk(find_root(folder), ReadOptions())
    with Reader(ReadOptions()) as reader:
        document = reader.read(file).document
    assert document.text == "# Keys\n\nText"
    assert (document.source, document.size, document.modified) == ("guide/keys.md", file.size, file.modified)
    assert document.hash == hashlib.blake2b(b"# Keys\r\n\r\nText", digest_size=16).hexdigest()


def test_what_cannot_be_read_says_why_and_the_next_file_is_read(tree):
    folder = tree(
        {"big.txt": "x" * 101, "blob.txt": b"\0\1\2" * 9, "fine.txt": "words", "letter.doc": "x", "gone.md": "x"}
    )
    files = {name: find_root(folder / name).only for name in (path.name for path in folder.iterdir())}
    (folder / "gone.md").unlink()
    reasons = {
        "big.txt": "too large: 101 bytes, the limit is 100; raise ReadOptions.max_file_bytes",
        "blob.txt": "binary data under the name of a text file",
        "letter.doc": "no reader for .doc; save it as DOCX or PDF",
        "gone.md": "cannot be opened: no such file or directory",
    }
    with Reader(ReadOptions(max_file_bytes=100)) as reader:
        for name, reason in reasons.items():
            with pytest.raises(ReadError) as caught:
                reader.read(files[name])
            assert caught.value.reason == reason
            assert reader.read(files["fine.txt"]).document.text == "words"


def test_every_format_is_read_in_the_other_process(tree):
    names = ("a.md", "b.txt", "c.csv", "d.py", "e.json", "f.rst", "g.ipynb", "h.xml", "unknown", "i.unheard")
    folder = tree(dict.fromkeys(names, "words"))
    files = {file.source: file for file in walk(find_root(folder), ReadOptions())}
    # A process that cannot start reads nothing, so what is read without it shows.
    end_spare_processes()
    with pytest.MonkeyPatch.context() as patch, Reader(ReadOptions()) as reader:
        patch.setattr(sys, "executable", shutil.which("false"))
        for name in names:
            with pytest.raises(ReadError, match="did not start"):
                reader.read(files[name])


def test_files_that_are_expected_are_read_in_any_order(tree):
    folder = tree({f"{number}.txt": f"text {number}" for number in range(8)})
    files = list(walk(find_root(folder), ReadOptions()))
    with Reader(ReadOptions()) as reader:
        reader.expect(files[:4])
        order = [0, 1, 5, 2, 3, 7]
        assert [reader.read(files[place]).document.text for place in order] == [f"text {place}" for place in order]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs")
@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.pdf", "a.unheard", "link.txt"])
def test_a_file_that_became_a_fifo_is_listed(tree, name):
    folder = tree({name: "text", "target": "text"})
    file = find_root(folder / name).only
    file.path.unlink()
    os.mkfifo(folder / "fifo")
    if name.startswith("link"):
        file.path.symlink_to(folder / "fifo")
    else:
        os.mkfifo(file.path)
    with Reader(ReadOptions(file_timeout=5)) as reader, pytest.raises(ReadError, match="not a regular file"):
        reader.read(file)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs")
def test_a_gitignore_that_is_a_fifo_says_nothing(tree):
    folder = tree({"a.txt": "text"})
    os.mkfifo(folder / ".gitignore")
    assert [item.source for item in walk(find_root(folder), ReadOptions()) if isinstance(item, SourceFile)] == ["a.txt"]


def test_a_text_that_outgrows_its_file_is_refused(tree):
    names = ",".join(f"{number:03d}{'n' * 60}" for number in range(50))
    folder = tree({"wide.csv": f"{names}\n" + (",".join("x" * 50) + "\n") * 100})
    reason = "too large: its text would be more than 100,000 characters; raise ReadOptions.max_text_characters"
    with Reader(ReadOptions(max_text_characters=100_000)) as reader, pytest.raises(ReadError, match=reason):
        reader.read(find_root(folder / "wide.csv").only)
    with Reader(ReadOptions()) as reader:
        assert len(reader.read(find_root(folder / "wide.csv").only).document.text) > 100_000
    large = tree({"large.txt": "word " * 1000})
    with Reader(ReadOptions(max_text_characters=100)) as reader:
        assert reader.read(find_root(large / "large.txt").only).document.text, "a file's own size has its own limit"


@pytest.mark.parametrize("name", ["file_timeout", "max_file_bytes", "max_text_characters"])
def test_limits_are_numbers(name, tree):
    for value in (0, -1, math.nan, "5"):
        with pytest.raises(ConfigurationError, match=name):
            ReadOptions(**{name: value})
    file = find_root(tree({"a.html": "<p>words</p>"}) / "a.html").only
    for value in (math.inf, 1e30, 10**30):
        with Reader(ReadOptions(**{name: value})) as reader:
            assert reader.read(file).document.text == "words"


@pytest.mark.parametrize("name", ["a.html", "b.txt", "c.md", "d.json"])
def test_a_file_without_text_is_named_unless_it_is_empty(tree, name):
    markup = {"a.html": "<script>draw()</script>", "b.txt": "\u3000\u2028", "c.md": "\u2003", "d.json": '""'}
    folder = tree({name: markup[name], f"empty-{name}": "\ufeff \n"})
    with Reader(ReadOptions()) as reader:
        assert reader.read(find_root(folder / name).only).notes == ("no text was found in it",)
        assert reader.read(find_root(folder / f"empty-{name}").only).notes == ()


def test_the_process_that_reads_imports_little():
    heavy = {
        "numpy",
        "torch",
        "transformers",
        "mammoth",
        "pptx",
        "pypdfium2",
        "openpyxl",
        "bs4",
        "pandas",
        "qdrant_client",
    }
    code = f"import sys, qdrant_embed.reading.worker.__main__; print(sorted({heavy!r} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_finding_and_reading_text_imports_nothing_heavy(tree):
    folder = tree({"a.md": "# Keys", "b.csv": "a,b\nc,d", "c.json": "{}", "d": "words", ".gitignore": "*.log"})
    code = (
        "import sys\n"
        "from qdrant_embed.reading.files import ReadOptions, SourceFile, find_root, walk, SourceFile\n"
        "from qdrant_embed.reading.reader import Reader\n"
        "with Reader(ReadOptions()) as reader:\n"
        f"    files = [f for f in walk(find_root({str(folder)!r}), ReadOptions()) if isinstance(f, SourceFile)]\n"
        "    assert len([reader.read(f) for f in files]) == 4\n"
        "heavy = {'torch', 'transformers', 'mammoth', 'pptx', 'pypdfium2', 'openpyxl', 'bs4', 'pandas'}\n"
        "heavy.add('qdrant_client')\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "content", "media_type", "text_type"),
    [
        ("ships.csv", "name,port\nAda,Kiel\n", "text/csv", "text/plain"),
        ("page.html", "<main><h1>Tides</h1><p>High at noon.</p></main>", "text/html", "text/markdown"),
        ("keys.md", "# Keys", "text/markdown", "text/markdown"),
        ("tool.py", "x = 1", "text/x-python", "text/x-python"),
        ("odd.unknown", "plain words", "text/plain", "text/plain"),
        ("export.xls", "<html><table><tr><td>Kiel</td></tr></table></html>", "text/html", "text/markdown"),
        ("export.xlsx", "name\tport\nAda\tKiel\n", "text/tab-separated-values", "text/plain"),
    ],
)
def test_a_document_has_the_media_type_of_its_file_and_that_of_its_text(read, name, content, media_type, text_type):
    document = read(name, content)
    assert (document.media_type, document.text_type) == (media_type, text_type)


def test_a_very_long_text_is_read_in_parts_or_whole(tree):
    text = "The gates open at six. Größe.\n" * 100_000
    folder = tree({"a.txt": text, "b.txt": "words"})
    long, short = walk(find_root(folder), ReadOptions())
    with Reader(ReadOptions()) as reader:
        whole = reader.read(long)
    assert (whole.document.text, whole.rest) == (text, None)
    with Reader(ReadOptions(), in_parts=True) as reader:
        reader.expect([long, short, long, short])
        read = reader.read(long)
        assert len(read.document.text) < len(text)
        assert "".join((read.document.text, *read.rest)) == text
        assert read.document.hash == whole.document.hash
        assert reader.read(short).document.text == "words"
        reader.read(long).rest.close()
        assert reader.read(short).rest is None


def test_a_file_waits_for_the_text_before_it(tree):
    folder = tree({"a.txt": "words\n" * 500_000, "b.txt": "words"})
    long, short = walk(find_root(folder), ReadOptions())
    with Reader(ReadOptions(), in_parts=True) as reader:
        rest = reader.read(long).rest
        fetched = []
        thread = threading.Timer(0.5, lambda: fetched.extend(rest))
        thread.start()
        assert reader.read(short).document.text == "words"
        assert fetched
        thread.join()


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.py", "a.unheard"])
def test_a_large_plain_file_reads_as_a_small_one(tree, monkeypatch, name):
    line = "# The gates open at six. Größe 港口\r\nand\rclose\n"
    content = "\ufeff" + line * 220_000
    file = find_root(tree({name: content}) / name).only
    assert file.size > stream.LEAST
    with Reader(ReadOptions(), in_parts=True) as reader:
        read = reader.read(file)
        parts = [read.document.text, *read.rest]
    expected = content[1:].replace("\r\n", "\n").replace("\r", "\n")
    assert len(parts) > 5
    assert "".join(parts) == expected
    assert read.document.hash == hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
    assert read.document.title == ("The gates open at six. Größe 港口" if name == "a.md" else "a")


def test_a_large_file_in_another_encoding_is_read_whole(tree):
    content = ("Die Tore öffnen um sechs. Größe der Häfen\n" * 220_000).encode("cp1252")
    file = find_root(tree({"a.txt": content}) / "a.txt").only
    assert file.size > stream.LEAST
    with Reader(ReadOptions()) as reader:
        assert reader.read(file).document.text == content.decode("cp1252")


def test_a_large_file_has_its_encoding_looked_for_everywhere_or_named(tree):
    plain, german = b"The gates open at six.\n" * 400_000, "Die Tore öffnen früh, der Schlüssel hängt dort.\n"
    late = plain + german.encode("cp1252") * 20
    folder = tree({"late.txt": late, "mac.txt": plain + german.encode("mac_roman")})
    assert len(plain) > stream.LEAST
    with Reader(ReadOptions()) as reader:
        found = reader.read(find_root(folder / "late.txt").only)
    assert found.document.text == late.decode("cp1252")
    assert "windows-1252" in (found.guessed_encoding, *(note.split()[-1] for note in found.notes))
    with Reader(ReadOptions(encoding="mac_roman")) as reader:
        found = reader.read(find_root(folder / "mac.txt").only)
    assert found.document.text.endswith(german)
    assert not found.guessed_encoding


def test_a_file_that_changes_while_it_is_fetched_is_listed(tree):
    file = find_root(tree({"a.txt": "words and words\n" * 600_000}) / "a.txt").only
    with Reader(ReadOptions(), in_parts=True) as reader:
        rest = reader.read(file).rest
        with file.path.open("a") as grown:
            grown.write("more\n")
        with pytest.raises(ReadError, match="changed while it was read"):
            list(rest)
        assert reader.read(find_root(file.path).only).document.text


def test_an_encoding_for_files_that_do_not_name_theirs(tree):
    folder = tree({"old.txt": "Ñu".encode("cp850"), "new.txt": "Ñu"})
    with Reader(ReadOptions(encoding="cp850")) as reader:
        texts = {file.source: reader.read(file) for file in walk(find_root(folder), ReadOptions())}
    assert {source: found.document.text for source, found in texts.items()} == {"old.txt": "Ñu", "new.txt": "Ñu"}
    assert not any(found.guessed_encoding for found in texts.values())
    with pytest.raises(ConfigurationError, match="near ones: windows-1252"):
        ReadOptions(encoding="window-1252")
