import os
from datetime import UTC, datetime

import pytest

from qdrant_embed.errors import ConfigurationError, ReadError
from qdrant_embed.reading import files
from qdrant_embed.reading.files import ReadOptions, Skipped, find_root, walk


def test_files_come_sorted_by_source_whatever_the_folders_are_called(tree, found):
    folder = tree({name: "text" for name in ("b.md", "a/z.md", "a-b/c.md", "a.md", "a/b/c.md", "B.md")})
    sources, skipped = found(folder)
    assert sources == sorted(sources)
    assert set(sources) == {"b.md", "a/z.md", "a-b/c.md", "a.md", "a/b/c.md", "B.md"}
    assert skipped == {}


def test_a_file_is_described_as_the_system_has_it(tree):
    folder = tree({"note.txt": "four"})
    os.utime(folder / "note.txt", ns=(0, 1_700_000_000_123_456_789))
    (file,) = walk(find_root(folder), ReadOptions())
    assert (file.path, file.source, file.size) == (folder / "note.txt", "note.txt", 4)
    assert file.modified == "2023-11-14T22:13:20.123456+00:00"
    assert datetime.fromisoformat(file.modified).tzinfo == UTC


def test_a_walk_lists_one_folder_at_a_time(tree, monkeypatch):
    folder = tree({"a/1.md": "x", "b/2.md": "x", "c/3.md": "x"})
    listed = []
    scandir = os.scandir
    monkeypatch.setattr(files.os, "scandir", lambda path: listed.append(path.name) or scandir(path))
    walking = walk(find_root(folder), ReadOptions())
    assert next(walking).source == "a/1.md"
    assert listed == ["root", "a"]


def test_hidden_and_binary_files_are_named_with_the_reason(tree, found):
    folder = tree(
        {
            ".secret.md": "x", ".cache/a.md": "x", ".git/config": "x", "photo.PNG": "x", "blob": b"\x00\x01\x02" * 99,
            "letter.doc": "x", "README": "plain words", "data.weird": "plain words",
        }
    )  # fmt: skip
    sources, skipped = found(folder)
    assert sources == ["README", "data.weird"]
    assert skipped == {
        ".cache/": "hidden",
        ".git/": "version control",
        ".secret.md": "hidden",
        "blob": "binary",
        "letter.doc": "no reader for .doc; save it as DOCX or PDF",
        "photo.PNG": "binary",
    }


def test_hidden_files_on_request_but_never_version_control(tree, found):
    folder = tree({".secret.md": "x", ".cache/a.md": "x", ".git/notes.md": "x"})
    assert found(folder, hidden=True) == ([".cache/a.md", ".secret.md"], {".git/": "version control"})


def test_include_and_exclude(tree, found):
    folder = tree({"a.md": "x", "b.txt": "x", "drafts/c.md": "x", "deep/er/d.md": "x"})
    sources, skipped = found(folder, include=("*.md",), exclude=("drafts/",))
    assert sources == ["a.md", "deep/er/d.md"]
    assert skipped == {"b.txt": "not included", "drafts/": "excluded"}


def test_gitignore_of_each_folder_the_innermost_decides(tree, found):
    folder = tree(
        {
            ".gitignore": "*.log\n/build/\n!keep.log\ndocs/*.tmp.md\n",
            "a.log": "x", "keep.log": "x", "build/a.md": "x", "sub/build/b.md": "x", "docs/x.tmp.md": "x",
            "sub/.gitignore": "!a.log\nsecret.md\n", "sub/a.log": "x", "sub/secret.md": "x", "secret.md": "x",
            "sub/deep/secret.md": "x",
        }
    )  # fmt: skip
    sources, skipped = found(folder)
    assert sources == ["keep.log", "secret.md", "sub/a.log", "sub/build/b.md"]
    ignored = {source for source, reason in skipped.items() if reason == "ignored by .gitignore"}
    assert ignored == {"a.log", "build/", "docs/x.tmp.md", "sub/deep/secret.md", "sub/secret.md"}
    assert "build/a.md" in found(folder, gitignore=False)[0]


def test_a_folder_inside_a_repository_obeys_the_files_above_it(tree, found):
    folder = tree(
        {".git/HEAD": "x", ".gitignore": "*.log\nout/\n", "docs/a.log": "x", "docs/a.md": "x", "out/b.md": "x"}
    )
    assert found(folder / "docs")[0] == ["a.md"]
    assert found(folder / "out")[0] == ["b.md"], "an ignored folder that is named itself is read"


def test_a_loop_of_symlinks_ends(tree, found):
    folder = tree({"a/b/note.md": "x"})
    (folder / "a/b/up").symlink_to(folder, target_is_directory=True)
    (folder / "self").symlink_to(folder / "self")
    sources, skipped = found(folder)
    assert sources == ["a/b/note.md"]
    assert skipped == {"a/b/up/": "symlink to a folder that is read anyway", "self": "broken symlink"}


def test_a_linked_folder_is_read_once(tree, found, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "note.md").write_text("x")
    (outside / "again").symlink_to(outside, target_is_directory=True)
    folder = tree({"real/a.md": "x"})
    (folder / "one").symlink_to(outside, target_is_directory=True)
    (folder / "two").symlink_to(outside, target_is_directory=True)
    (folder / "alias").symlink_to(folder / "real", target_is_directory=True)
    sources, skipped = found(folder)
    assert sources == ["one/note.md", "real/a.md"]
    assert skipped == {
        "alias/": "symlink to a folder that is read anyway",
        "one/again/": "folder that was read already",
        "two/": "folder that was read already",
    }


def test_broken_links_and_pipes_do_not_stop_the_walk(tree, found):
    folder = tree({"a.md": "x"})
    (folder / "gone.md").symlink_to(folder / "nowhere.md")
    os.mkfifo(folder / "pipe")
    assert found(folder) == (["a.md"], {"gone.md": "broken symlink", "pipe": "not a regular file"})


def test_a_folder_that_cannot_be_listed_is_a_failure_not_an_absence(tree, monkeypatch):
    folder = tree({"a.md": "x", "locked/b.md": "x"})
    scandir = os.scandir

    def refuse(path):
        if path.name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(files.os, "scandir", refuse)
    items = list(walk(find_root(folder), ReadOptions()))
    assert items[1] == Skipped("locked/", "cannot be opened: permission denied", failed=True)
    with pytest.raises(ReadError, match="'locked' cannot be listed: permission denied"):
        list(walk(find_root(folder / "locked"), ReadOptions()))


def test_a_name_that_is_no_utf8_gets_a_source_that_can_be_stored(tree, found):
    folder = tree({"a.md": "x"})
    (folder / os.fsdecode(b"caf\xe9.md")).write_text("x")
    assert found(folder)[0] == ["a.md", "caf\\xe9.md"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.md", ["a.md"]),
        ("**/*.md", ["a.md", "sub/b.md", "sub/deep/c.md"]),
        ("sub/*", ["sub/b.md"]),
        ("s?b/**", ["sub/b.md", "sub/deep/c.md", "sub/deep/d.txt"]),
        ("**/deep/*.txt", ["sub/deep/d.txt"]),
        ("*/[ab].md", ["sub/b.md"]),
        ("*.rst", []),
    ],
)
def test_globs(tree, found, pattern, expected):
    folder = tree({"a.md": "x", "sub/b.md": "x", "sub/deep/c.md": "x", "sub/deep/d.txt": "x", "other/.hidden.rst": "x"})
    sources, skipped = found(folder / pattern)
    base = find_root(folder / pattern).folder.relative_to(folder).as_posix()
    assert [source if base == "." else f"{base}/{source}" for source in sources] == expected
    assert skipped == {}, "files that the glob does not match are not mentioned"


def test_a_glob_does_not_list_folders_in_which_nothing_can_match(tree, monkeypatch):
    folder = tree({"a/b/c.md": "x", "z/y/x.md": "x"})
    listed = []
    scandir = os.scandir
    monkeypatch.setattr(files.os, "scandir", lambda path: listed.append(path.name) or scandir(path))
    assert [item.source for item in walk(find_root(folder / "a*/b/*.md"), ReadOptions())] == ["a/b/c.md"]
    assert listed == ["root", "a", "b"]


def test_roots(tree, monkeypatch):
    folder = tree({"docs/a.md": "x", "odd[1]/b.md": "x", ".hidden.bin": "x"})
    assert find_root(folder / "docs").folder == folder / "docs"
    assert find_root(folder / "odd[1]").pattern is None, "what exists under its literal name is no glob"
    single = find_root(folder / ".hidden.bin")
    assert (single.folder, single.only.source) == (folder, ".hidden.bin")
    assert [item.source for item in walk(single, ReadOptions())] == [".hidden.bin"]
    monkeypatch.chdir(folder)
    glob = find_root("docs/**/*.md")
    assert (glob.folder, glob.pattern) == (folder / "docs", "**/*.md")


@pytest.mark.parametrize("name", ["nowhere", "nowhere/*.md", "docs/none.md"])
def test_a_path_that_does_not_exist(tree, name):
    folder = tree({"docs/a.md": "x"})
    with pytest.raises(ConfigurationError, match=r"'' is no path, .* type '\.' for this folder"):
        find_root("")
    with pytest.raises(ConfigurationError, match=r"there is no file or folder .* or a glob such as"):
        find_root(folder / name)


def test_options_refuse_what_would_read_nothing():
    with pytest.raises(ConfigurationError, match=r"include=\('\*.md',\)"):
        ReadOptions(include="*.md")
    with pytest.raises(ConfigurationError, match="file_timeout=0"):
        ReadOptions(file_timeout=0)
    assert ReadOptions(exclude=["a"]).exclude == ("a",)
