"""The bytes of a trial's vectors counted in the process of the test, where it is not the counting that is tested."""

import io
import subprocess
from contextlib import redirect_stdout
from types import SimpleNamespace

from qdrant_embed.calibration import memory_footprint


def count_in_this_process(monkeypatch):
    """Let each trial's bytes be counted here: a process of its own takes seconds to start, for each of the trials."""

    def run(command, *, input, **_):
        shown = io.StringIO()
        with monkeypatch.context() as patch, redirect_stdout(shown):
            patch.setattr("sys.stdin", io.StringIO(input))
            memory_footprint.child(*command[-2:])
        return subprocess.CompletedProcess(command, 0, shown.getvalue(), "")

    monkeypatch.setattr(memory_footprint, "subprocess", SimpleNamespace(run=run))
