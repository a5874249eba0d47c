"""The figures of the last full run, put into the guide, so that the page never says what was not measured."""

import json
import re
from pathlib import Path

from benchmarks.long_context.drawing import accuracies, average, markdown, number

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "long-documents.md"
RESULTS = Path(__file__).parent / "results"
BEGIN, END = "<!-- figures of benchmarks/long_context -->", "<!-- end of figures -->"


def figures(folder: Path = RESULTS) -> str:
    """Return the page's tables: of the full run, or, marked as such, of a quick one if there is no other."""
    prefix = "" if (folder / "qmsum.json").exists() else "quick-"
    passkey, needle = (accuracies(folder, prefix, task) for task in ("passkey", "needle"))
    [real] = _read(folder, f"{prefix}qmsum")["tasks"]
    cost = {_words(row): row for row in _read(folder, f"{prefix}cost").get("reading", ())}
    rows = []
    for name, row in real["strategies"].items():
        read = cost.get(name, {})
        rows.append([
            f"`{name}`" if "[" not in name else name, _mean(passkey.get(name, {})), _mean(needle.get(name, {})),
            number(row["ndcg@10"]), f"{row.get('vectors_per_document', '')}", f"{row.get('bytes_per_document', '')}",
            f"{read.get('tokens_per_s', '')}",
        ])  # fmt: skip
    head = ["strategy", "passkey", "needle", "transcripts", "vectors", "bytes", "tokens/s"]
    marked = ["Of a quick run with few documents: not to be compared with anything.", ""] if prefix else []
    return "\n".join([*marked, *markdown(head, rows)])


def _words(row: dict) -> str:
    return row["window"] + (f" ({row['max_tokens']})" if row["max_tokens"] != 256 else "")


def _mean(curve: dict[int, float]) -> str:
    """Return the mean over 1k to 8k tokens, or to where the strategy was measured, which is then said."""
    if (whole := average(curve)) is not None:
        return number(whole)
    lengths = [length for length in curve if length >= 1024] or list(curve)
    return f"{number(sum(map(curve.get, lengths)) / len(lengths))} to {max(lengths)}" if lengths else ""


def _read(folder: Path, name: str) -> dict:
    file = folder / f"{name}.json"
    return json.loads(file.read_text()) if file.exists() else {}


def with_figures(page: str) -> str:
    """Return the page's text with the figures of the results that are there."""
    return re.sub(f"({BEGIN}\n).*?({END})", lambda found: f"{found[1]}\n{figures()}\n{found[2]}", page, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(with_figures(PAGE.read_text()))
