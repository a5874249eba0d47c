"""The results as one picture and one table."""

import json
from pathlib import Path

from matplotlib.figure import Figure


def read(folder: Path, name: str) -> dict | None:
    """Return one part's results, None if it has not been run."""
    path = folder / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def draw(folder: Path, prefix: str) -> None:
    """Draw recall by bytes on both sets, what rotations gain, and shortlists by bits."""
    figure = Figure(figsize=(15, 10), layout="constrained")
    axes = figure.subplots(2, 2)
    for place, name in enumerate(("cranfield", "sentences")):
        _bytes(axes[0][place], read(folder, f"{prefix}{name}"), name)
    _gains(axes[1][0], read(folder, f"{prefix}rotations"))
    _shortlists(axes[1][1], read(folder, f"{prefix}learned"))
    figure.savefig(folder / f"{prefix}compression.png", dpi=110)


def _bytes(axes, found: dict | None, name: str) -> None:
    axes.set(title=name, xlabel="bytes of a vector in memory (log)", ylabel="recall@10", xscale="log")
    if found is None:
        axes.set_axis_off()
        return
    for trial in found["trials"]:
        front = trial["setting"] in found["front"]
        color = "tab:green" if trial["setting"] == found["chosen"] else "tab:blue" if front else "0.75"
        spread = [[max(0, trial["recall"] - trial["low"])], [max(0, trial["high"] - trial["recall"])]]
        axes.errorbar([trial["ram"]], [trial["recall"]], yerr=spread, fmt="o", color=color, markersize=4)
        if front:
            axes.annotate(trial["setting"], (trial["ram"], trial["recall"]), (5, -9), textcoords="offset points",
                          fontsize=7)  # fmt: skip
    axes.axhline(found["target_recall"], color="tab:red", linestyle="--", linewidth=0.8)
    axes.axvline(4 * found["dim"] / 16, color="tab:red", linestyle=":", linewidth=0.8)
    axes.grid(visible=True, alpha=0.3)


def _gains(axes, found: dict | None) -> None:
    axes.set(title="recall@10 gained over plain signs, no rescoring", xlabel="difference, 95 %")
    if found is None:
        axes.set_axis_off()
        return
    for shift, (name, part) in enumerate(_parts(found, "settings")):
        rows = {setting: row for setting, row in part["settings"].items() if "over" in row}
        gained = [row["gained"] for row in rows.values()]
        spread = [[row["gained"] - row["from"] for row in rows.values()],
                  [row["to"] - row["gained"] for row in rows.values()]]  # fmt: skip
        axes.errorbar(gained, [place + 0.3 * shift for place in range(len(rows))], xerr=spread, fmt="o", label=name)
        axes.set_yticks(range(len(rows)), list(rows), fontsize=8)
    axes.axvline(0, color="tab:red", linewidth=0.8)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize=8)


def _parts(found: dict | None, key: str) -> list[tuple[str, dict]]:
    """Return data set → what was measured on it."""
    return [(name, part) for name, part in (found or {}).items() if isinstance(part, dict) and key in part]


def _shortlists(axes, found: dict | None) -> None:
    axes.set(title="sentences: recall@10 of a shortlist of 200", xlabel="bits of a code", ylabel="recall@10")
    if found is None:
        axes.set_axis_off()
        return
    curves = found["sentences"]["bits"]
    for name in next(iter(curves.values()), {}):
        if name != "train_s":
            axes.plot(
                [int(bits) for bits in curves], [row[name]["recall"] for row in curves.values()], "o-", label=name
            )
    axes.axhline(0.95, color="tab:red", linestyle="--", linewidth=0.8)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize=8)


def table(folder: Path, prefix: str) -> None:
    """Write every figure as a Markdown table."""
    lines: list[str] = []
    for name in ("cranfield", "sentences"):
        if found := read(folder, f"{prefix}{name}"):
            lines += [f"\n## {name}: {found['vectors']} vectors, {found['questions']} questions, chosen "
                      f"`{found['chosen']}`\n", "| setting | recall@10 | RAM B | disk B | p50 ms | build s | nDCG@10 |",
                      "|---|---|---|---|---|---|---|"]  # fmt: skip
            for row in sorted(found["trials"], key=lambda row: (row["ram"], -row["recall"])):
                ndcg = found["ndcg"].get(row["setting"], "")
                lines.append(
                    f"| `{row['setting']}` | {_interval(row)} | {row['ram']:.0f} | {row['disk']:.0f} "
                    f"| {row['p50']:.2f} | {row['build']:.1f} | {ndcg} |"
                )
    for name, part in _parts(read(folder, f"{prefix}rotations"), "settings"):
        lines += [f"\n## {name}: one bit a dimension, no rescoring, {part['questions']} questions\n",
                  "| setting | recall@10 | gained over plain signs |", "|---|---|---|"]  # fmt: skip
        for setting, row in part["settings"].items():
            gained = f"{row['gained']:+.3f} ({row['from']:+.3f} to {row['to']:+.3f})" if "over" in row else ""
            lines.append(f"| `{setting}` | {_interval(row)} | {gained} |")
    for name, part in _parts(read(folder, f"{prefix}learned"), "bits"):
        lines += [f"\n## {name}: shortlists of {part['shortlist']} of {part['vectors']}, ranked by real vectors\n",
                  "| bits | code | recall@10 |", "|---|---|---|"]  # fmt: skip
        lines += [f"| {bits} | {code} | {_interval(row)} |" for bits, rows in part["bits"].items()
                  for code, row in rows.items() if code != "train_s"]  # fmt: skip
        lines += ["\n| searched in the engine | recall@10 | p50 ms |", "|---|---|---|"]
        lines += [f"| `{setting}` | {row['recall']:.3f} | {row['p50_ms']:.1f} |"
                  for setting, row in part["searched"].items()]  # fmt: skip
    if found := read(folder, f"{prefix}peer"):
        lines += [f"\n## {found['bytes']} bytes a vector, beside a peer\n", "| what | recall@10 | ms a query |",
                  "|---|---|---|"]  # fmt: skip
        lines += [f"| {name} | {_interval(row)} | {row['ms']:.2f} |" for name, row in found["rows"].items()]
    (folder / f"{prefix}compression.md").write_text("# Compression, measured\n" + "\n".join(lines) + "\n")


def _interval(row: dict) -> str:
    return f"{row['recall']:.3f} ({row['low']:.3f}–{row['high']:.3f})"
