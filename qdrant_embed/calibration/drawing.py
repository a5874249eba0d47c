"""A calibration as a picture and as a page that needs nothing but itself."""

from __future__ import annotations

import base64
import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qdrant_embed.display import as_html
from qdrant_embed.errors import MissingExtraError

if TYPE_CHECKING:
    from qdrant_embed.calibration.report import Calibration

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#222;background:#fff}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
td,th{padding:.2rem .8rem;text-align:right;border-bottom:1px solid #ddd}
td:first-child,th:first-child{text-align:left;font-family:monospace}
tr.chosen{background:#d7f0dd;font-weight:bold}tr.front{background:#eef6ff}img{max-width:100%}
"""
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Compression of {name}</title>
<style>{style}</style></head><body><h1>Compression of {name}</h1>
<p>{verdict}</p><p>{about}</p><img alt="recall by bytes" src="data:image/png;base64,{image}">{table}</body></html>
"""


def save(found: Calibration, folder: Path) -> list[Path]:
    """Write JSON, PNG and HTML into a folder and return the files.

    :raises MissingExtraError: matplotlib is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"calibration.{ending}" for ending in ("json", "png", "html")]
    paths[0].write_text(json.dumps(found.as_dict(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    draw(found, paths[1])
    memory = "in memory while searching" if found.resident else "in the files searched, as this system tells no memory"
    about = (
        f"{found.vectors:,} vectors of {found.dim} dimensions, {found.questions} questions, k = {found.k}; recall "
        f"against exact float32 search, interval by bootstrap over questions. Bytes are of one vector: {memory} (graph "
        "and payload not counted) and on disk. Latency is that of one query, all codes compared; the last rows are "
        "searched through a graph, as the collection will be."
    )
    paths[2].write_text(
        _PAGE.format(
            name=as_html(found.collection),
            style=_STYLE,
            verdict=as_html(found.verdict()),
            about=as_html(about),
            image=base64.b64encode(paths[1].read_bytes()).decode("ascii"),
            table=table(found),
        ),
        encoding="utf-8",
    )
    return paths


def table(found: Calibration) -> str:
    """Return the settings as an HTML table."""
    heading, *rows = found.rows()
    lines = ["".join(f"<th>{as_html(cell)}</th>" for cell in heading)]
    lines += ["".join(f"<td>{as_html(cell)}</td>" for cell in row) for row in rows]
    classes = ["", *(row[-1] for row in rows)]
    return (
        "<table>" + "".join(f'<tr class="{c}">{line}</tr>' for c, line in zip(classes, lines, strict=True)) + "</table>"
    )


def require_drawing() -> Any:
    """Return what draws figures.

    :raises MissingExtraError: matplotlib is not installed.
    """
    try:
        return import_module("matplotlib.figure")
    except ImportError:
        raise MissingExtraError("a plot of the calibration", "matplotlib", "qdrant-embed[calibrate]") from None


def draw(found: Calibration, path: Path) -> None:
    """Draw recall over bytes in memory, every setting with its interval, the front named.

    :raises MissingExtraError: matplotlib is not installed.
    """
    figures = require_drawing()
    figure = figures.Figure(figsize=(10, 6), layout="constrained")
    axes = figure.subplots()
    for trial in found.trials:
        spread = [[max(0.0, trial.recall - trial.low)], [max(0.0, trial.high - trial.recall)]]
        axes.errorbar([trial.ram], [trial.recall], yerr=spread, fmt="o", color="0.75", markersize=3, linewidth=0.8)
    front = found.front
    # No line: what stands below another in memory and recall is there because it takes less of the disk.
    named = "nothing beats these in memory, disk and recall"
    axes.plot([t.ram for t in front], [t.recall for t in front], "o", color="tab:blue", label=named)
    for trial in front:
        axes.annotate(
            trial.setting, (trial.ram, trial.recall), (4, -10), textcoords="offset points", fontsize=7, rotation=-15
        )
    if found.chosen is not None:
        axes.plot([found.chosen.ram], [found.chosen.recall], "*", color="tab:green", markersize=16, label="chosen")
    target = found.wish.target
    axes.axhline(target, color="tab:red", linestyle="--", linewidth=0.8, label=f"target {target}")
    axes.set(xscale="log", xlabel="bytes of a vector in memory (log)", ylabel=f"recall@{found.k}")
    axes.legend(loc="lower right")
    axes.grid(visible=True, alpha=0.3)
    figure.savefig(path, dpi=130)
