"""How much of what was converted is kept, and what is never removed."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.runtimes.conversion import cache_folder

DAY = 86_400


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("QDRANT_EMBED_CACHE", str(tmp_path))
    monkeypatch.delenv(cache_folder.SIZE_VARIABLE, raising=False)
    monkeypatch.setattr(cache_folder, "_HELD", {})
    yield tmp_path
    let_go()


def let_go():
    """Close what this process holds, as its end would."""
    for folder in list(cache_folder._HELD):
        os.close(cache_folder._HELD.pop(folder))


def make(place, name, size, days, within=cache_folder.MADE):
    folder = place / within / name
    folder.mkdir(parents=True)
    (folder / "graph").write_bytes(b"x" * size)
    (folder / "compiled").mkdir()
    (folder / "compiled" / "blob").write_bytes(b"x" * size)
    os.utime(folder, (time.time() - days * DAY,) * 2)
    return folder


def test_what_was_used_last_stays(place):
    folders = [make(place, f"model{days}", 100, days) for days in (4, 1, 3, 2)]
    assert [one.folder.name for one in cache_folder.conversions()] == ["model1", "model2", "model3", "model4"]
    assert {one.size for one in cache_folder.conversions()} == {200}
    removed = cache_folder.prune(most=500)
    assert [one.folder.name for one in removed] == ["model3", "model4"]
    assert [folder.exists() for folder in folders] == [False, True, False, True]


def test_starting_counts_as_use(place):
    old, new = make(place, "old", 100, 5), make(place, "new", 100, 1)
    assert cache_folder.hold(old)
    let_go()
    cache_folder.prune(most=250)
    assert old.exists()
    assert not new.exists()


def test_what_nobody_used_for_long_goes_whatever_room_there_is(place):
    old, new = make(place, "old", 1, cache_folder.UNUSED_DAYS + 1), make(place, "new", 1, cache_folder.UNUSED_DAYS - 1)
    cache_folder.prune()
    assert (old.exists(), new.exists()) == (False, True)


def test_the_one_just_made_stays_however_large(place):
    made, other = make(place, "made", 1000, 0), make(place, "other", 10, 1)
    cache_folder.prune(keep=made, most=100)
    assert (made.exists(), other.exists()) == (True, False)


def test_what_is_open_stays_here_and_in_another_process(place):
    here, there, free = (make(place, name, 100, 3) for name in ("here", "there", "free"))
    assert cache_folder.hold(here)
    code = (
        "import sys; from pathlib import Path; from qdrant_embed.runtimes.conversion.cache_folder import hold\n"
        "print(hold(Path(sys.argv[1])), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(there)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "True\n"
        cache_folder.prune(most=0)
        assert [folder.exists() for folder in (here, there, free)] == [True, True, False]
        other.stdin.close()
        other.wait()
    cache_folder.prune(most=0)
    assert [folder.exists() for folder in (here, there)] == [True, False]


def test_one_made_anew_is_held_anew(place):
    import shutil

    folder = make(place, "model", 100, 3)
    assert cache_folder.hold(folder)
    shutil.rmtree(folder)
    make(place, "model", 100, 3)
    assert cache_folder.prune(most=0)
    assert not folder.exists()
    make(place, "model", 100, 3)
    assert cache_folder.hold(folder)
    assert not cache_folder.prune(most=0)


def test_what_is_gone_cannot_be_held(place):
    assert not cache_folder.hold(place / cache_folder.MADE / "gone")


def test_where_nothing_can_be_locked_no_file_stays_open(place, monkeypatch):
    def refused(*_):
        raise OSError(errno.ENOLCK, "no locks here")

    folder = make(place, "model", 100, 3)
    monkeypatch.setattr(cache_folder.fcntl, "flock", refused)
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert all(cache_folder.hold(folder) for _ in range(5))
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert not cache_folder.prune(most=0), "somebody may use it"


def test_a_lock_goes_with_its_conversion_unless_somebody_has_it(place):
    free, wanted = make(place, "free", 100, 3), make(place, "wanted", 100, 3)
    kept, gone = make(place, "kept", 100, 3), place / cache_folder.MADE / "gone"
    for folder in (free, wanted, kept, gone):
        cache_folder.lock_file(folder).touch()
    with cache_folder.FileLock(cache_folder.lock_file(wanted)):
        cache_folder.prune(keep=kept, most=0)
    assert [folder.exists() for folder in (free, wanted, kept)] == [False, False, True]
    assert sorted(file.stem for file in kept.parent.glob("*.lock")) == ["kept", "wanted"]


def test_unfinished_ones_go_once_their_makers_must_be_dead(place):
    fresh, left = make(place, "making-1", 100, 0.1), make(place, "making-2", 100, 2)
    cache_folder.prune(most=0)
    assert (fresh.exists(), left.exists()) == (True, False)


def test_compiled_forms_of_older_versions_count_and_go(place):
    older = make(place, "compiled", 100, 1, within="")
    assert [one.folder for one in cache_folder.conversions()] == [older]
    cache_folder.prune(most=0)
    assert not older.exists()


def test_a_cache_that_is_not_there_is_empty(place):
    assert cache_folder.conversions() == []
    assert cache_folder.prune() == []


@pytest.mark.parametrize(("stated", "expected"), [("", 10), ("2.5", 2.5), ("0", 0), ("-3", 0)])
def test_the_limit_is_stated_in_gigabytes(stated, expected, monkeypatch):
    monkeypatch.setenv(cache_folder.SIZE_VARIABLE, stated)
    assert cache_folder.allowed_bytes() == expected * 2**30


@pytest.mark.parametrize("stated", ["much", "nan", "inf", "5GB"])
def test_a_limit_that_is_no_number_is_refused(stated, monkeypatch):
    monkeypatch.setenv(cache_folder.SIZE_VARIABLE, stated)
    with pytest.raises(ConfigurationError, match=cache_folder.SIZE_VARIABLE):
        cache_folder.allowed_bytes()
