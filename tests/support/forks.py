"""Processes of their own that start in a hundredth of a new interpreter's time: forked from one that has imported.

What they run cannot tell, but for imports that are done already. Where a new interpreter is what a test is about,
`subprocess` starts one.
"""

import atexit
import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

IMPORTED = (
    "numpy", "qdrant_client", "qdrant_edge", "rich.progress", "rich.table", "rich.traceback", "typer",
    "qdrant_embed.collection", "qdrant_embed.cli.app", "qdrant_embed.runtimes.hashing", "qdrant_embed.store.edge",
    "qdrant_embed.ingest", "qdrant_embed.reading",
)  # fmt: skip
_LONGEST = 1 << 20


class _Nursery:
    """The process that others are forked from, started at the first one."""

    def __init__(self):
        self._channel = self._process = None

    def ask(self, files=(), **request):
        if self._process is None:
            self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-c", "from tests.support import forks; forks.serve()"],
                    stdin=theirs, start_new_session=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                )  # fmt: skip
            atexit.register(self.end)
        socket.send_fds(self._channel, [json.dumps(request).encode()], files)
        return json.loads(self._channel.recv(_LONGEST))

    def end(self):
        if self._process is not None:
            self._channel.close()
            self._process.wait()
            self._process = None


NURSERY = _Nursery()


class Fork:
    """A forked process, used as a `subprocess.Popen` of text.

    :param words: `-m module …` or `-c code …`, as the interpreter takes them.
    :param stdin, stdout, stderr: A file, `subprocess.PIPE`, or None for nothing at all.
    """

    def __init__(self, *words, cwd=None, env=None, stdin=None, stdout=None, stderr=None, start_new_session=False):
        theirs, self.returncode, self._opened = [], None, []
        with Path(os.devnull).open("r+b", buffering=0) as nothing:
            for name, given in (("stdin", stdin), ("stdout", stdout), ("stderr", stderr)):
                ours, end = None, nothing.fileno() if given is None else given
                if given == subprocess.PIPE:
                    reading, writing = os.pipe()
                    end, kept = (reading, writing) if name == "stdin" else (writing, reading)
                    ours = os.fdopen(kept, "w" if name == "stdin" else "r")
                    self._opened.append(end)
                setattr(self, name, ours)
                theirs.append(end if isinstance(end, int) else end.fileno())
            self.pid = NURSERY.ask(
                theirs, words=[str(word) for word in words], cwd=str(cwd or Path.cwd()),
                env=dict(os.environ if env is None else env), session=start_new_session,
            )  # fmt: skip
        for end in self._opened:
            os.close(end)

    def poll(self):
        if self.returncode is None:
            self.returncode = NURSERY.ask(pid=self.pid)
        return self.returncode

    def wait(self, timeout=60):
        until = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            time.sleep(0.005)
        return self.returncode

    def communicate(self, timeout=60, *, input=""):
        """Write a few kilobytes to stdin and close it; return all that the process writes, as (stdout, stderr)."""
        if self.stdin is not None:
            if input:
                self.stdin.write(input)
            self.stdin.close()
        said = {}

        def read(name):
            stream = getattr(self, name)
            said[name] = None if stream is None or stream.closed else stream.read()

        threads = [threading.Thread(target=read, args=(name,)) for name in ("stdout", "stderr")]
        for thread in threads:
            thread.start()
        self.wait(timeout)
        for thread in threads:
            thread.join()
        self.close()
        return said["stdout"], said["stderr"]

    def close(self):
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream is not None:
                stream.close()

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
        self.wait()


def run(*words, timeout=120, input=None, **given):
    """Run a process to its end, as `subprocess.run` with its output captured."""
    stdin = None if input is None else subprocess.PIPE
    process = Fork(*words, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **given)
    out, said = process.communicate(timeout, input=input or "")
    return subprocess.CompletedProcess(list(words), process.returncode, out, said)


def serve():
    """Fork what is asked for until nobody is left who could ask; in a child, run it and return."""
    channel = socket.socket(fileno=os.dup(0))
    for name in IMPORTED:
        __import__(name)
    gc.collect()
    gc.freeze()
    while True:
        message, files, *_ = socket.recv_fds(channel, _LONGEST, 3)
        if not message:
            return
        request = json.loads(message)
        if "pid" in request:
            pid, status = os.waitpid(request["pid"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            answer = os.fork()
            if not answer:
                channel.close()
                _become(request, files)
                return
            for file in files:
                os.close(file)
        channel.send(json.dumps(answer).encode())


def _become(request, files):
    """Take over what a new process would have been given, and run its program."""
    if request["session"]:
        os.setsid()
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    sys.stdin = sys.__stdin__ = os.fdopen(0, closefd=False)
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    (flag, program), sys.argv = request["words"][:2], [request["words"][0], *request["words"][2:]]
    if flag == "-m":
        runpy.run_module(program, run_name="__main__", alter_sys=True)
    else:
        main = sys.modules["__main__"].__dict__
        exec(compile(program, "<string>", "exec"), main)
