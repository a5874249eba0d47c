"""The results of all parts that have been run, as one picture and one page."""

import json
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.fusion.sets import CORPORA

COLORS = {
    "hybrid": "tab:green", "rrf": "tab:gray", "Qdrant RRF": "tab:blue", "Qdrant DBSF": "tab:cyan",
    "LlamaIndex": "tab:orange", "LangChain": "tab:purple",
}  # fmt: skip


def kept(folder: Path, prefix: str) -> dict[str, dict]:
    """Return set → what was measured on it, of all parts that have results."""
    found: dict[str, dict] = {}
    for part in CORPORA:
        path = folder / f"{prefix}{part}.json"
        if path.exists():
            read = json.loads(path.read_text())
            found |= {name: {"metric": read["metric"], **row} for name, row in read["sets"].items()}
    return found


def draw(folder: Path, prefix: str) -> None:
    """Draw by how much each way is better or worse than the better of `dense` and `bm25`, set by set."""
    found = kept(folder, prefix)
    figure = Figure(figsize=(10, 1.5 + 0.75 * len(found)), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(found.values()):
        for shift, (name, color) in enumerate(COLORS.items()):
            if one := row["over_best_part"].get(name):
                spread = [[one["mean"] - one["low"]], [one["high"] - one["mean"]]]
                axes.errorbar(
                    [one["mean"]], [place + 0.12 * (shift - 2.5)], xerr=spread, fmt="o", color=color, markersize=4,
                    capsize=2, label=name if place == 0 else None,
                )  # fmt: skip
    labels = [f"{name}\n({row['best_part']}, {row['metric']})" for name, row in found.items()]
    axes.set_yticks(range(len(found)), labels, fontsize=8)
    axes.invert_yaxis()
    axes.axvline(0, color="tab:red", linewidth=0.8)
    axes.set(title="Fused, less the better of dense and bm25 (which one is in brackets)", xlabel="difference, 95 %")
    axes.grid(visible=True, axis="x", alpha=0.3)
    figure.legend(loc="outside lower center", ncols=len(COLORS), fontsize=8)
    figure.savefig(folder / f"{prefix}fusion.png", dpi=110)


def table(folder: Path, prefix: str) -> str:
    """Write every figure as Markdown tables; return them."""
    found = kept(folder, prefix)
    names = list(dict.fromkeys(name for row in found.values() for name in row["scores"]))
    lines = ["# Fusion, measured", "", *_head("set (questions, measure)", names)]
    for label, row in _labeled(found):
        cells = [_spread(row["scores"][name], "") if name in row["scores"] else "" for name in names]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    lines += ["", "Difference of `hybrid` to its better part, on all questions and on halves:", ""]
    lines += _head("set", ["better part", "all", "even questions", "odd questions", "seen in choosing the numbers"])
    for label, row in _labeled(found):
        even, odd = (_spread(row["halves"][half], "+") for half in ("even", "odd"))
        gained = _spread(row["over_best_part"]["hybrid"], "+")
        lines.append(f"| {label} | {row['best_part']} | {gained} | {even} | {odd} | {row['seen']} |")
    others = [name for name in names if name not in ("dense", "bm25", "hybrid")]
    lines += ["", "Difference of `hybrid` to other fusions:", "", *_head("set", others)]
    for label, row in _labeled(found):
        cells = [_spread(row["hybrid_over"][name], "+") if name in row["hybrid_over"] else "" for name in others]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    text = "\n".join(lines) + "\n"
    (folder / f"{prefix}fusion.md").write_text(text)
    return text


def _head(first: str, names: list[str]) -> list[str]:
    return [f"| {first} | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]


def _labeled(found: dict[str, dict]) -> list[tuple[str, dict]]:
    return [(f"{name} ({row['questions']}, {row['metric']})", row) for name, row in found.items()]


def _spread(one: dict[str, float], sign: str) -> str:
    mean, low, high = (f"{one[key]:{sign}.3f}" for key in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"
