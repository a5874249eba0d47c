"""The tables of all results together."""

import json
from pathlib import Path

from benchmarks.start.environments import KINDS


def file_of(kind: str) -> str:
    """Return the name of an environment's file of results."""
    return "environment-" + kind.lower().replace(",", "").replace(" ", "-")


def written(results: Path) -> str:
    """Write `start.md` of the results that there are, and return it."""
    found = {kind: read for kind in KINDS if (read := _read(results / f"{file_of(kind)}.json"))}
    cold = _read(results / "cold.json")
    parts = []
    if found:
        parts += [_environments(found), _jobs(found), _weights(found)]
    if cold or any("cold" in one for one in found.values()):
        parts.append(_cold(cold, found))
    text = "\n\n".join(parts) + "\n"
    (results / "start.md").write_text(text)
    return text


def _read(path: Path) -> dict:
    return json.loads(path.read_text()) if path.exists() else {}


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _pair(took: dict | None) -> str:
    return f"{took['cpu_s']:.2f} / {took['wall_s']:.2f}" if took else ""


def _environments(found: dict) -> str:
    head = [
        _row("environment", "packages", "MB", "of these compiled modules", "install, CPU s / s"),
        _row(*["---"] * 5),
    ]
    return "\n".join(
        head
        + [
            _row(kind, one["packages"], one["mb"], one["compiled_mb"], _pair(one["install"]))
            for kind, one in found.items()
        ]
    )


def _jobs(found: dict) -> str:
    names = ("first_ingest", "ingest", "first_search", "search")
    head = [_row("CPU s / s", *(name.replace("_", " ") for name in names)), _row(*["---"] * (len(names) + 1))]
    return "\n".join(
        head + [_row(kind, *(_pair(one["job"][name]) for name in names)) for kind, one in found.items() if "job" in one]
    )


def _weights(found: dict) -> str:
    head = [_row("environment", "largest, MB"), _row(*["---"] * 2)]
    told = {
        kind: ", ".join(f"{name} {size:.0f}" for name, size in list(one["largest_packages_mb"].items())[:10])
        for kind, one in found.items()
    }
    return "\n".join(head + [_row(kind, listed) for kind, listed in told.items()])


def _cold(cold: dict, found: dict) -> str:
    columns = {"this tree": cold.get("commands", {})} if cold else {}
    columns |= {kind: one["cold"] for kind, one in found.items() if "cold" in one}
    names = list(dict.fromkeys(name for commands in columns.values() for name in commands))
    head = [_row("cold, CPU s", *columns), _row(*["---"] * (len(columns) + 1))]
    return "\n".join(
        head
        + [_row(name, *(commands.get(name, {}).get("cpu_s", "") for commands in columns.values())) for name in names]
    )
