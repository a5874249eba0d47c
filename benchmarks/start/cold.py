"""The first seconds of each command, in a new process, and what is imported meanwhile."""

import re
import statistics
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.start.processes import environment, medians, timed

QUESTION = "how are vectors compressed?"
FIRST_HIT = """
import time
began = time.process_time()
from qdrant_embed import Collection
with Collection.open("documents", at={at!r}) as docs:
    docs.search({question!r})
    print(time.process_time() - began)
"""
"""What a notebook's first cell does; its kernel runs already, so the start of Python is not counted."""
LISTED = 15
_IMPORTED = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|\s+(\S+)")
_STDERR_OF = "import subprocess, sys; print(subprocess.run(sys.argv[1:], capture_output=True, text=True).stderr)"


@dataclass(frozen=True, slots=True)
class Installation:
    """What commands are run with.

    :param program: The words that start the command line.
    :param at: Where they are run: the modules of a tree are found in it, those of an environment are not.
    :param variables: Beside the usual ones.
    """

    python: Path
    program: Sequence[str | Path]
    at: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_tree(cls, tree: Path) -> "Installation":
        """Return the tree's own, run by this interpreter."""
        return cls(Path(sys.executable), [sys.executable, "-m", "qdrant_embed"], tree)

    def commands(self, collections: Path) -> dict[str, tuple[list[str | Path], dict[str, str]]]:
        """Return what is timed, by name: the words, and variables."""
        python, run, at = self.python, self.program, ["--at", collections]
        word = {"_QDRANT_EMBED_COMPLETE": "complete_bash", "COMP_WORDS": "qdrant-embed sea", "COMP_CWORD": "1"}
        return {
            "python": ([python, "-c", "pass"], {}),
            "import": ([python, "-c", "import qdrant_embed"], {}),
            "--help": ([*run, "--help"], {}),
            "completion, the script": ([*run], {"_QDRANT_EMBED_COMPLETE": "source_bash"}),
            "completion of a word": ([*run], word),
            "info": ([*run, "info", *at], {}),
            "doctor": ([*run, "doctor", *at], {}),
            "search by words": ([*run, "search", QUESTION, "--mode", "bm25", *at], {}),
            "search": ([*run, "search", QUESTION, *at], {}),
            "import qdrant_client": ([python, "-c", "import qdrant_client"], {}),
            "import openvino": ([python, "-c", "import openvino"], {}),
        }

    def measured(self, collections: Path, runs: int, names: Sequence[str] = ()) -> dict:
        """Return the medians of each command, and of the first hit of a notebook; or of some of these."""
        found = {}
        for name, (words, more) in self.commands(collections).items():
            if not names or name in names:
                found[name] = medians(words, runs, environment(**self.variables, **more), self.at)
                print(f"{name}: {found[name]['cpu_s']} CPU seconds", flush=True, file=sys.stderr)
        if not names or "first hit" in names:
            script = FIRST_HIT.format(at=str(collections), question=QUESTION)
            took = [timed([self.python, "-c", script], environment(**self.variables), self.at) for _ in range(runs + 1)]
            found["first hit"] = {"cpu_s": round(statistics.median(float(one.said.split()[-1]) for one in took[1:]), 3)}
        return found

    def imports(self, collections: Path) -> dict[str, float]:
        """Return the milliseconds that a search spends on importing, by package, most first.

        The interpreter measures them itself, on the clock, and is slower meanwhile.
        """
        words = [self.python, "-X", "importtime", "-m", "qdrant_embed", "search", QUESTION, "--at", collections]
        said = timed([self.python, "-c", _STDERR_OF, *words], environment(**self.variables), self.at).said
        spent: Counter[str] = Counter()
        for own, _, name in _IMPORTED.findall(said):
            spent[name.split(".")[0]] += int(own)
        return {"all": round(sum(spent.values()) / 1000, 1)} | {
            name: round(own / 1000, 1) for name, own in spent.most_common(LISTED)
        }
