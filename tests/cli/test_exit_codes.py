"""How commands end, seen from outside: signals, pipes, errors."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from qdrant_embed.cli import exit_codes
from tests.cli.conftest import HERE
from tests.support import forks

posix = pytest.mark.skipif(os.name != "posix", reason="signals and pseudo-terminals are those of POSIX")


COUNT = 900
"""Pages of three blocks and more, of which the first has just been stored when the signal comes."""


@pytest.fixture
def many_pages(tmp_path):
    """Write enough pages that an ingest of them can be interrupted."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(COUNT):
        words = " ".join(f"word{number * 7 + place}" for place in range(60))
        (folder / f"{number:04}.txt").write_text(f"Page {number}.\n\n{words}\n")
    return folder


@pytest.fixture
def on_terminal(start):
    """Return a function that starts an ingest with stderr on a terminal and waits until a block has been stored."""
    import pty

    opened = []

    def run(folder):
        ours, theirs = pty.openpty()
        words = ("ingest", folder, "--model", "hashing", "--json")
        process = start(*words, stdout=subprocess.PIPE, stderr=theirs, start_new_session=True)
        os.close(theirs)
        opened.append((process, ours))
        seen = b""
        while b"chunks/s" not in seen:
            seen += os.read(ours, 4096)
        return process, ours

    yield run
    for process, terminal in opened:
        if process.poll() is None:
            process.kill()
        process.communicate()
        os.close(terminal)


def rest_of(terminal):
    text = b""
    try:
        while piece := os.read(terminal, 4096):
            text += piece
    except OSError:  # Linux says so when the other end is closed
        pass
    return text.decode()


@posix
def test_an_interrupted_ingest_says_how_to_go_on_and_does(cli, many_pages, on_terminal):
    process, terminal = on_terminal(many_pages)
    os.killpg(process.pid, signal.SIGINT)
    said = rest_of(terminal)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == exit_codes.INTERRUPTED, said
    assert "run the same command again to carry on" in said
    assert "Traceback" not in said
    assert out == ""
    answer = cli("ingest", many_pages, "--json")
    assert answer.code == 0
    assert answer.json["documents"] == COUNT
    assert 0 < answer.json["embedded"] < answer.json["chunks"]
    assert cli("info", "-c", "documents", "--json").json["chunks"] == answer.json["chunks"]


@posix
def test_a_second_interruption_ends_at_once_and_loses_nothing(cli, many_pages, on_terminal):
    process, terminal = on_terminal(many_pages)
    os.kill(process.pid, signal.SIGTERM)
    seen = b""
    while b"once more to stop at once" not in seen:
        seen += os.read(terminal, 4096)
    os.kill(process.pid, signal.SIGTERM)
    assert "Traceback" not in rest_of(terminal)
    process.communicate(timeout=60)
    assert process.returncode in (exit_codes.INTERRUPTED, -signal.SIGTERM), "it may have ended before the second one"
    answer = cli("ingest", many_pages, "--json")
    assert (answer.code, answer.json["documents"]) == (0, COUNT)


BUSY = """
import ctypes, logging, os, sys, threading, time
import typer
from qdrant_embed.cli import exit_codes

app = typer.Typer(cls=exit_codes.Commands)

def wait():
    for _ in range(600):  # a signal that comes just before a sleep begins does not end that one
        time.sleep(0.1)

@app.command()
def locked():
    mutex = ctypes.create_string_buffer(128)
    lock = ctypes.PyDLL(None).pthread_mutex_lock  # which keeps the interpreter's lock while it waits
    lock(mutex)
    print("ready", flush=True)
    lock(mutex)

@app.command()
def cleaning():
    try:
        print("ready", flush=True)
        wait()
    except KeyboardInterrupt:
        time.sleep(60)

@app.command()
def converts():
    logging.getLogger("qdrant_embed.runtimes.conversion.convert").info("converting minilm")
    print("ready", flush=True)

@app.command()
def native():
    threading.Thread(target=ctypes.CDLL(None).sleep, args=(60,)).start()  # no daemon: the interpreter would wait
    print("ready", flush=True)
    wait()

exit_codes.run(app)
"""


@pytest.fixture
def busy():
    """Return a function that starts a command that keeps a native library busy, and waits until it does."""
    started = []

    def run(command):
        process = forks.Fork("-c", BUSY, command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def until(true):
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def told_of(process, name):
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith(f"{name}:"))


@posix
@pytest.mark.skipif(sys.platform != "linux", reason="the system can be told to take the second signal with glibc")
def test_a_second_interruption_ends_even_what_holds_the_interpreters_lock(busy):
    process = busy("locked")
    until(lambda: told_of(process, "State")[0] == "S")  # waits for the mutex
    process.send_signal(signal.SIGINT)
    until(lambda: not int(told_of(process, "SigCgt"), 16) & 1 << signal.SIGINT - 1)  # the first one has arrived
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == -signal.SIGINT


@posix
def test_a_second_interruption_does_not_wait_for_what_is_tidied_up(busy):
    process = busy("cleaning")
    process.send_signal(signal.SIGTERM)
    assert process.stderr.readline() + process.stderr.readline() == "\nstopping; once more to stop at once\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == -signal.SIGTERM


@posix
def test_what_takes_long_at_the_first_use_of_a_model_is_told_of(busy):
    _, said = busy("converts").communicate(timeout=20)
    assert said == "converting minilm\n"


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_does_not_wait_for_threads(busy, number):
    process = busy("native")
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert process.returncode == exit_codes.INTERRUPTED, said
    assert "interrupted" in said


@posix
@pytest.mark.parametrize("words", [("models",), ("models", "--json"), ("--help",)])
def test_a_reader_that_goes_away_is_no_error(start, words):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as nobody:
        process = start(*words, stdout=nobody, stderr=subprocess.PIPE)
        _, said = process.communicate(timeout=60)
    assert "roken" not in said and "Error" not in said and "Traceback" not in said
    assert said == "" or words == ("models",)  # which says below its table what else is a model
    assert process.returncode == 0 or words == ("--help",)


def test_an_error_is_one_plain_message(tmp_path):
    words = [sys.executable, "-m", "qdrant_embed", "search", "anything"]  # all of it, where others are forked
    done = subprocess.run(words, cwd=tmp_path, env=HERE, text=True, capture_output=True, timeout=120)
    assert done.returncode == exit_codes.ERROR
    assert done.stdout == ""
    assert done.stderr.startswith("error: there is no folder './qdrant_data'")
    assert "Traceback" not in done.stderr


def test_debug_shows_where_it_happened(shell):
    for done in (shell("--debug", "search", "anything"), shell("search", "anything", QDRANT_EMBED_DEBUG="1")):
        assert done.returncode == exit_codes.ERROR
        assert "Traceback" in done.stderr
        assert "CollectionNotFoundError" in done.stderr


def test_an_unexpected_error_is_named_without_a_traceback(shell, tmp_path):
    broken = tmp_path / "presets"
    broken.mkdir()
    (broken / "mine.toml").write_bytes(b"\xff")
    done = shell("models", QDRANT_EMBED_PRESETS=str(broken))
    assert done.returncode == exit_codes.ERROR
    assert "UnicodeDecodeError" in done.stderr
    assert "QDRANT_EMBED_DEBUG=1" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in shell("--debug", "models", QDRANT_EMBED_PRESETS=str(broken)).stderr


ONE_AFTER_ANOTHER = """
import json, sys
from qdrant_embed.cli import main

for words in json.loads(sys.argv[1]):
    sys.argv[1:] = words
    try:
        main()
    except SystemExit as end:
        assert not end.code, (words, end.code)
    print("end of", words[0], flush=True)
"""


def test_json_survives_a_terminal_that_knows_only_ascii(tmp_path):
    (tmp_path / "köln.txt").write_text("Der Dom zu Köln.")
    commands = [["ingest", "köln.txt", "--model", "hashing", "--json"], ["search", "Dom", "--json"], ["search", "Dom"]]
    done = subprocess.run(
        [sys.executable, "-c", ONE_AFTER_ANOTHER, json.dumps(commands)],
        cwd=tmp_path, env={**HERE, "PYTHONIOENCODING": "ascii"}, text=True, capture_output=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    ingested, found, shown = done.stdout.split("end of ")[:3]
    assert json.loads(ingested)["documents"] == 1
    assert json.loads(found.partition("\n")[2])["hits"][0]["source"] == "köln.txt"
    assert "Der Dom zu K" in shown


def test_exit_codes_stand_in_the_help(cli):
    for words in (("--help",), ("ingest", "--help")):
        text = cli(*words).out
        assert all(
            f"{code} " in text for code in (0, exit_codes.ERROR, 2, exit_codes.SOME_FAILED, exit_codes.INTERRUPTED)
        )


def test_no_command_shows_the_help(cli):
    answer = cli()
    assert "ingest" in answer.out + answer.err
