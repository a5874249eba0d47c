"""The bytes of a trial's vectors counted by a process that was forked, where it is not the counting that is tested."""

from types import SimpleNamespace

from qdrant_embed.calibration import memory_footprint
from tests.support import forks


def count_in_a_fork(monkeypatch):
    """Let each trial's bytes be counted by a fork: a new interpreter takes a second to start, for each."""

    def run(command, *, input, **_):
        return forks.run(*command[1:], input=input)

    monkeypatch.setattr(memory_footprint, "subprocess", SimpleNamespace(run=run))
