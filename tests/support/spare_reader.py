"""Processes that read files, handed on from one ingest to the next: to start one takes longer than most tests.

A process is handed on when all that was asked of it has been answered, and ended as usual otherwise. The tests of
these processes, in `tests/reading/worker/`, do without.
"""

from qdrant_embed.reading.worker.process import Worker

SPARE = []


class SparingWorker(Worker):
    """Takes a process that another one has left, and leaves its own."""

    def __init__(self, seconds, limits):
        super().__init__(seconds, limits)
        self._waiting, self._in_parts = 0, False

    def answers(self, paths):
        self._waiting = len(paths)
        for answer in super().answers(paths):
            self._waiting -= 1
            self._in_parts = answer[0].get("more", False)
            yield answer

    def more(self):
        answer = super().more()
        self._in_parts = answer[0].get("more", False)
        return answer

    def enough(self):
        super().enough()
        self._in_parts = False

    def stop(self):
        if self._waiting or self._in_parts:
            super().stop()
        self._stopped = True  # every ingest ends so

    def close(self):
        if self._process is not None and not (self._waiting or self._in_parts):
            SPARE.append(self._process)
            self._process = None
        super().close()

    def _running(self):
        if self._process is None and SPARE:
            self._process = SPARE.pop()
        return super()._running()


def end_spare_processes():
    while SPARE:
        SPARE.pop().end()
