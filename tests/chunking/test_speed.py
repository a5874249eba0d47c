"""Time must grow with the text, not with its square: each text here takes a fraction of a second.

Processor time is measured, of a text and of one four times as long; again, where something else may have disturbed it.
"""

import time

import pytest

from qdrant_embed.chunking import CHUNKERS, ChunkLimit, make_chunker
from qdrant_embed.tokens import WordTokens

SIZE = 5_000
PROSE = "The gates of the harbour open at six. They close at ten, at the latest; nobody minds.\n\n"
TEXTS = {
    "markdown": f"# Gates\n\n{PROSE}## Keys\n\n- one\n- two\n\n{PROSE}",
    "one line": PROSE.replace("\n", " "),
    "dots": ".",
    "one letter": "a",
    "spaces": " " * 2_500 + "x",
    "short lines": "a\n",
    "headings": "# a\n",
    "marks over a letter": "\u0301",
    "brackets": "[(",
    "quotes": "> ",
    "backticks": "``` ",
    "flags": "\U0001f1e9\U0001f1ea",
    "half flags": "\U0001f1e9",
    "flags in prose": "\U0001f1e9\U0001f1ea" * 200 + PROSE,
    "comments that are none": "<!--",
    "continued lines": "\\\n",
    "table": "| a | b |\n",
}
KINDS = [*(kind for kind in CHUNKERS if kind not in ("auto", "code", "document")), "text/x-python"]
"""Those that cut in ways of their own; `auto` and `code` leave such texts to them."""


def seconds(chunker, text):
    started = time.process_time()
    for _ in chunker.spans(text):
        pass
    return time.process_time() - started


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TEXTS)
def test_time_grows_with_the_text(kind, name):
    chunker = make_chunker("code" if "/" in kind else kind, WordTokens(), ChunkLimit(tokens=254))
    if "/" in kind:
        chunker = chunker.for_media_type(kind)
    short, long = (("x" + TEXTS[name] * (size // len(TEXTS[name]) + 1))[:size] for size in (SIZE, 4 * SIZE))
    before, after = seconds(chunker, short), seconds(chunker, long)
    if after >= 8 * before + 0.05:
        after = seconds(chunker, long)
    assert after < 8 * before + 0.05, f"{before:.3f} s for a text, {after:.3f} s for one four times as long"
