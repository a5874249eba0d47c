"""The results as a plot and as a table."""

import json
from pathlib import Path

TASKS = ("passkey", "needle")
DRAWN = (
    "truncate", "truncate (512)", "pcw", "gp:4096", "rp:4096", "pi:4096", "late", "windows", "windows:128",
    "windows:128 [eight groups]", "bm25", "bm25 + windows:128",
)  # fmt: skip
"""Strategies that get a line; the table has all."""


def accuracies(folder: Path, prefix: str, task: str) -> dict[str, dict[int, float]]:
    """Return strategy → length → accuracy@1 of a task whose results are there."""
    found: dict[str, dict[int, float]] = {}
    for measured in _tasks(folder, prefix + task):
        for name, row in measured["strategies"].items():
            found.setdefault(name, {})[measured["length"]] = row["acc@1"]
    return found


def _tasks(folder: Path, name: str) -> list[dict]:
    file = folder / f"{name}.json"
    return json.loads(file.read_text())["tasks"] if file.exists() else []


def draw(folder: Path, prefix: str = "") -> Path:
    """Write a plot: accuracy by length on both synthetic tasks, nDCG@10 on real transcripts."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 3, figsize=(17, 6.2), gridspec_kw={"width_ratios": [1, 1, 0.9]})
    colors = dict(zip(DRAWN, pyplot.get_cmap("tab20").colors, strict=False))
    for panel, task in zip(panels, TASKS, strict=False):
        for name, curve in accuracies(folder, prefix, task).items():
            if name in DRAWN:
                dashed = "--" if "[" in name or "bm25" in name else "-"
                panel.plot(list(curve), list(curve.values()), dashed, marker="o", ms=4, color=colors[name], label=name)
        panel.set(xscale="log", ylim=(-0.03, 1.03), xlabel="tokens of a document", ylabel="accuracy@1", title=task)
        panel.set_xticks([256 * 2**power for power in range(8)], [f"{2**power / 4:g}k" for power in range(8)])
        panel.minorticks_off()
        panel.grid(alpha=0.3)
    for measured in _tasks(folder, f"{prefix}qmsum"):
        rows = sorted(measured["strategies"].items(), key=lambda row: row[1]["ndcg@10"])
        names, values = [name for name, _ in rows], [row["ndcg@10"] for _, row in rows]
        panels[2].barh(names, values, color=[colors.get(name, "#bbbbbb") for name in names])
        panels[2].tick_params(axis="y", labelsize=8)
        panels[2].set(xlabel="nDCG@10", xlim=(min(values) * 0.8, 1), title="meeting transcripts (qmsum-test)")
    figure.suptitle("MiniLM on texts longer than the model" + (" (quick run)" if prefix else ""))
    figure.legend(
        *panels[0].get_legend_handles_labels(), fontsize=8, loc="lower left", ncols=6, bbox_to_anchor=(0.02, 0)
    )
    figure.tight_layout(rect=(0, 0.08, 1, 1))
    target = folder / f"{prefix}strategies.png"
    figure.savefig(target, dpi=110)
    pyplot.close(figure)
    return target


def table(folder: Path, prefix: str = "") -> str:
    """Return the results as Markdown tables."""
    parts = []
    for task in TASKS:
        curves = accuracies(folder, prefix, task)
        lengths = sorted({length for curve in curves.values() for length in curve})
        if lengths:
            parts += [f"## {task}: accuracy@1 by tokens of a document", ""]
            parts += markdown(["strategy", *map(str, lengths), "mean 1k–8k"], [
                [name, *(number(curve.get(length)) for length in lengths), number(average(curve))]
                for name, curve in curves.items()
            ])  # fmt: skip
    for measured in _tasks(folder, f"{prefix}qmsum"):
        parts += ["## qmsum-test", ""]
        parts += markdown(["strategy", "nDCG@10", "accuracy@1", "vectors per document", "bytes per document"], [
            [name, number(row["ndcg@10"]), number(row["acc@1"]),
             f"{row.get('vectors_per_document', '')}", f"{row.get('bytes_per_document', '')}"]
            for name, row in measured["strategies"].items()
        ])  # fmt: skip
    return "\n".join([*parts, *rotary(folder)])


def rotary(folder: Path) -> list[str]:
    """Return the lines of the small rotary model's table."""
    file = folder / "rotary.json"
    if not file.exists():
        return []
    rows = json.loads(file.read_text())["rows"]
    head = ["strategy", *(f"{row['task']} {row['length']}" for row in rows)]
    lines = [[name, *(number(row["accuracy"][name]) for row in rows)] for name in rows[0]["accuracy"]]
    return ["## a rotary model trained on 64 tokens: accuracy@1 by tokens of a document", "", *markdown(head, lines)]


def average(curve: dict[int, float]) -> float | None:
    """Return the mean over 1k to 8k tokens, None where one of them was not measured."""
    lengths = (1024, 2048, 4096, 8192)
    return sum(curve[length] for length in lengths) / 4 if all(length in curve for length in lengths) else None


def number(value: float | None) -> str:
    """Return three digits, nothing for None."""
    return "" if value is None else f"{value:.3f}".removeprefix("0")


def markdown(head: list[str], rows: list[list[str]]) -> list[str]:
    """Return the lines of a table."""
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)] + [""]
