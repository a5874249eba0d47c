"""Folders that `prepare_model` wrote: a model as it loads without torch and without a network, and what is said of it.

`prepared.json` holds where it comes from, its values, the checksum of each file, what it needs of a processor, and the
cosines of its vectors to the original's. Beside it stands the model's folder as it was, its weights in the precision
that was asked for; a graph in `graphs/` where the weights alone are not enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from qdrant_embed.errors import ModelError
from qdrant_embed.models.files.json_files import read_json
from qdrant_embed.models.runtime_specs import REFERENCE, RUNTIMES, runtime_spec
from qdrant_embed.types import Json

MANIFEST, GRAPHS = "prepared.json", "graphs"
FORMAT = 1
"""To be raised when what is written changes so that it has to be written anew."""
_ELSEWHERE = {
    *("source", "package", "install", "revision", "adapter", "query_adapter", "unloadable"),
    *("api", "api_model", "endpoint", "key_variable", "tokenizer"),
}
"""Values of a preset that lead out of a folder."""
WHOLE, INT8 = "whole", "int8"
"""Names of graphs: in floating point, and quantized."""


@dataclass(frozen=True, slots=True)
class PreparedFolder:
    """A model that was prepared.

    :param folder: Where it is now.
    :param source: The name that it was prepared by: a preset, a folder or a hub id.
    :param fingerprint: That of the original's files, which it stands for.
    :param precision: `float32`, `bf16` or `int8`.
    :param values: Values of a preset, all that are not usual.
    :param made_by: What made it, package → version.
    :param needs: What a processor has to have, e.g. `vnni`.
    :param machine: Processor and packages that `fidelity` was measured with.
    :param fidelity: Runtime → `worst` and `mean` cosine to the original in float32.
    :param graphs: Names of the graphs that it holds.
    :param pooled: Whether these give vectors rather than token states.
    :param files: Name → `size`, `digest` (sha256) and `time` (seconds since 1970) of every other file.
    """

    folder: Path
    source: str
    fingerprint: str
    precision: str
    values: Mapping[str, Json]
    made_by: Mapping[str, Json]
    needs: tuple[str, ...] = ()
    machine: str = ""
    fidelity: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    graphs: tuple[str, ...] = ()
    pooled: bool = False
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """What tells it from the original, and from one that was prepared otherwise."""
        return str(sorted((name, str(file["digest"])) for name, file in self.files.items()))

    @property
    def command(self) -> str:
        """What to type to prepare it again, where the original is."""
        return f"qdrant-embed models prepare {self.source} --to {self.folder} --precision {self.precision}"

    def graph(self, name: str) -> Path:
        """Return the file of a graph."""
        return self.folder / GRAPHS / f"{name}.xml"

    def as_dict(self) -> dict[str, Json]:
        """Return what is written down."""
        values = asdict(self)
        del values["folder"]
        return {"format": FORMAT, **values}


def is_prepared(folder: Path) -> bool:
    """Tell whether a folder was prepared, by whatever version."""
    return (folder / MANIFEST).is_file()


def read_prepared(folder: Path) -> PreparedFolder | None:
    """Return what is said of a prepared folder; None where it is none.

    :raises ModelError: It was prepared in a format that this version does not read, or what is said of it is damaged.
    """
    if not is_prepared(folder):
        return None
    found = read_json(folder / MANIFEST)
    command = f"qdrant-embed models prepare {found.get('source') or 'NAME'} --to {folder}"
    if found.get("format") != FORMAT:
        raise ModelError(
            f"{folder} was prepared in format {found.get('format')!r} by {_version(found)}, and this version reads "
            f"format {FORMAT}. Prepare it again, where the original is: {command}"
        )
    _require_harmless(folder, found.get("values"))
    try:
        stated: dict[str, Any] = {key: tuple(one) if isinstance(one, list) else one for key, one in found.items()}
        del stated["format"]
        return PreparedFolder(folder=folder, **stated)
    except TypeError as error:
        raise ModelError(
            f"{folder / MANIFEST} is damaged ({error}). Prepare the folder again, where the original is: {command}"
        ) from error


def _require_harmless(folder: Path, values: Any) -> None:
    """Refuse a folder whose values would have texts read elsewhere: by a server, or by files that it does not hold.

    :raises ModelError: It has such values.
    """
    stated = values if isinstance(values, dict) else {}
    runtime = str(stated.get("runtime", REFERENCE))
    named = sorted(set(stated) & _ELSEWHERE)
    if runtime.partition(":")[0] in RUNTIMES and not runtime_spec(runtime).external_models and not named:
        return
    what = ", ".join(named) or f"the runtime {runtime!r}"
    raise ModelError(
        f"{folder / MANIFEST} names what no prepared folder does ({what}), so it was not written by prepare_model. Do "
        "not use the folder."
    )


def _version(found: Mapping[str, Any]) -> str:
    made_by = found.get("made_by")
    return f"qdrant-embed {made_by.get('qdrant-embed', '?')}" if isinstance(made_by, dict) else "another version"
