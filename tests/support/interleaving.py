"""Several programs at one collection, of which one goes on for one request at a time, as a seed decides.

Each program is a thread that waits for its turn before every request to the engine, so that the order of all requests
is a function of the seed. Pauses take no time: who pauses gets no turn until the others have made some requests.
"""

import random
import threading

from qdrant_embed.store.engine_wrappers import WrappedEngine

REQUEST_SECONDS = 0.01
"""What a request takes on the clock by which pauses are counted."""


class Killed(BaseException):
    """The program ends here, as by SIGKILL: nothing it would still do is done."""


class Program:
    """One of them; `killed_at` is the number of the request before which it is killed."""

    def __init__(self, turns, work, killed_at=None):
        self.turns, self.killed_at = turns, killed_at
        self.requests, self.asleep_until = 0, 0.0
        self.speed = turns.chance.choice((1, 1, 4, 16))
        self.result = self.error = None
        self.ended = False
        self._go = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    @property
    def killed(self):
        return isinstance(self.error, Killed)

    def take_turn(self):
        """Go on until the next request, or to the end."""
        self._go.set()
        self.turns.back.acquire()

    def wait_for_turn(self, seconds=0.0):
        self.asleep_until = self.turns.now + seconds
        self.turns.back.release()
        self._go.wait()
        self._go.clear()
        self.requests += 1
        if self.killed_at is not None and self.requests >= self.killed_at:
            raise Killed

    def _run(self, work):
        self.turns.mine.program = self
        self._go.wait()
        self._go.clear()
        try:
            self.result = work()
        except BaseException as error:
            self.error = error
        self.ended = True
        self.turns.back.release()


class Turns:
    """Who goes on next."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.programs = []
        self.now = 0.0
        self.back = threading.Semaphore(0)
        self.mine = threading.local()

    def add(self, work, killed_at=None):
        self.programs.append(Program(self, work, killed_at))
        return self.programs[-1]

    def run(self):
        """Give turns until all programs have ended."""
        while going := [program for program in self.programs if not program.ended]:
            self.now += REQUEST_SECONDS
            ready = [program for program in going if program.asleep_until <= self.now]
            if not ready:
                self.now = min(program.asleep_until for program in going)
                continue
            self.chance.choices(ready, [program.speed for program in ready])[0].take_turn()

    def wait(self, seconds=0.0, *_):
        """Let others go first; does nothing in a thread that is none of the programs."""
        program = getattr(self.mine, "program", None)
        if program is not None:
            program.wait_for_turn(seconds)


class TurnEngine(WrappedEngine):
    """An engine before each request to which others may go on."""

    def __init__(self, engine, turns):
        super().__init__(engine)
        self.turns = turns

    def forward(self, method, *arguments, **named):
        self.turns.wait()
        return super().forward(method, *arguments, **named)

    def stored_metadata(self, collection_name):
        self.turns.wait()
        return super().stored_metadata(collection_name)

    def save_attachment(self, collection_name, data, noted):
        self.turns.wait()
        super().save_attachment(collection_name, data, noted)

    def close(self):
        """Stay open for the others."""
