import hashlib
import subprocess
import sys

import pytest

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.files import ReadOptions, find_root, walk
from qdrant_embed.reading.reader import Reader


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


def test_light_formats_start_no_process(tree, monkeypatch):
    folder = tree({"a.md": "x", "b.txt": "x", "c.csv": "x", "d.py": "x", "e.json": "{}", "f.rst": "x"})
    monkeypatch.setattr(subprocess, "Popen", None)
    with Reader(ReadOptions()) as reader:
        assert len([reader.read(file) for file in walk(find_root(folder), ReadOptions())]) == 6


def test_finding_and_reading_text_imports_nothing_heavy(tree):
    folder = tree({"a.md": "# Keys", "b.csv": "a,b\nc,d", "c.json": "{}", "d": "words", ".gitignore": "*.log"})
    code = (
        "import sys\n"
        "from qdrant_embed.reading.files import ReadOptions, find_root, walk, SourceFile\n"
        "from qdrant_embed.reading.reader import Reader\n"
        "with Reader(ReadOptions()) as reader:\n"
        f"    files = [f for f in walk(find_root({str(folder)!r}), ReadOptions()) if isinstance(f, SourceFile)]\n"
        "    assert len([reader.read(f) for f in files]) == 4\n"
        "heavy = {'torch', 'transformers', 'markitdown', 'pypdfium2', 'openpyxl', 'bs4', 'pandas', 'qdrant_client'}\n"
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
    ],
)
def test_a_document_has_the_media_type_of_its_file_and_that_of_its_text(read, name, content, media_type, text_type):
    document = read(name, content)
    assert (document.media_type, document.text_type) == (media_type, text_type)
