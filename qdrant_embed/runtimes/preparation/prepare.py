"""A model made into a folder that a core installation loads anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from qdrant_embed.display import in_words, one_line
from qdrant_embed.errors import ConfigurationError, ModelError, require_type
from qdrant_embed.models.files.json_files import odd_settings_told
from qdrant_embed.models.files.prepared_folder import MANIFEST, PreparedFolder, is_prepared, read_prepared
from qdrant_embed.models.fingerprint import model_fingerprint
from qdrant_embed.models.prepared_checks import faults_of
from qdrant_embed.models.presets import preset_defaults
from qdrant_embed.models.resolve import ResolvedModel, resolve
from qdrant_embed.models.runtime_specs import runtime_spec
from qdrant_embed.runtimes.choice import MIN_COSINE, RuntimeChoice, least_cosine
from qdrant_embed.runtimes.conversion.convert import versions
from qdrant_embed.runtimes.preparation import folder_graphs
from qdrant_embed.runtimes.preparation.folder_files import copy_files, noted, require_free, write_json, written
from qdrant_embed.types import Json

PRECISIONS = tuple(MIN_COSINE)
_PLACES = (
    *("source", "package", "install", "revision", "adapter", "query_adapter", "unloadable", "runtime"),
    *("api", "api_model", "endpoint", "key_variable", "tokenizer"),
)
"""Values of a preset that say where the original is; the folder is the model."""


@dataclass(frozen=True, slots=True)
class PreparedModel:
    """A folder that was prepared.

    :param source: What it was made of.
    :param precision: `float32`, `bf16` or `int8`.
    :param size: Bytes of all its files.
    :param worst: The lowest cosine of its vectors to the original's in float32, of the texts it was tried on.
    :param mean: Their mean.
    :param made: Whether it was made now; else it was there already.
    """

    folder: Path
    source: str
    precision: str
    size: int
    worst: float
    mean: float
    made: bool

    def as_dict(self) -> dict[str, Json]:
        """Return JSON-ready values."""
        return {**asdict(self), "folder": str(self.folder)}

    def __str__(self) -> str:
        done = "prepared" if self.made else "was prepared already"
        return (
            f"{one_line(self.source)} {done} in {one_line(str(self.folder))}: {self.precision}, "
            f"{in_words(self.size)}, cosine to the original {self.worst:.5f} at worst, {self.mean:.6f} on average"
        )


def prepare_model(
    name: str | Path, to: str | Path, *, precision: str = "float32", presets: str | Path | None = None
) -> PreparedModel:
    """Write a folder that holds a model with all that it needs, for machines without torch and without a network.

    It is loaded by its path, `load_embedder("FOLDER")`, and stands for the original: a collection that was made with
    the one is opened with the other. Vectors are compared with the original's in float32 before the folder is put in
    its place. A folder that is like that already is left alone; one that was prepared otherwise, or is damaged, is made
    anew.

    :param name: A preset, a folder, `owner/name` or `owner/name@revision`; what is not here is downloaded.
    :param to: The folder: one that is not there yet, an empty one, or one that was prepared.
    :param precision: `float32`; `bf16`, half as large; or `int8`, for processors with instructions for it (VNNI), which
        keeps weights in bf16 beside it for short texts.
    :param presets: A preset file or folder of your own, laid over the others.
    :raises ConfigurationError: The model has nothing that could be prepared, the place is taken, or the precision is
        none.
    :raises MissingExtraError: Its architecture needs torch to be prepared, and torch is not installed.
    :raises ModelError: It cannot be loaded, its vectors are too far from the original's, or the folder cannot be
        written.
    """
    require_type("name", name, (str, Path), "the name of a preset, a folder, or a hub id")
    require_type("to", to, (str, Path), "a folder")
    if precision not in PRECISIONS:
        raise ConfigurationError(f"precision={precision!r} is none; give one of {', '.join(PRECISIONS)}.")
    target = Path(to).expanduser().absolute()
    resolved = resolve(name, presets)
    _require_preparable(resolved, precision)
    require_free(target)
    stated = _stated(resolved, target, precision)
    found = _found(target, stated)
    if found is not None:
        return _told(found, made=False)
    with written(target) as work, odd_settings_told(str(name)):
        _write(resolved, work, stated)
    made = read_prepared(target)
    if made is None:
        raise ModelError(f"{target} was removed while it was prepared.")
    return _told(made, made=True)


def _require_preparable(resolved: ResolvedModel, precision: str) -> None:
    """Refuse what has no files, or more of them than a folder holds.

    :raises ConfigurationError: It is such a model.
    """
    preset, files = resolved.preset, resolved.files
    why = ""
    if runtime_spec(preset.runtime).external_models:
        why = "it is run by a server or by another library: there are no files of it here"
    elif files is None:
        why = "it needs no files, and loads by its name anywhere"
    elif files.prepared is not None:
        why = f"it is prepared already, from {files.prepared.source!r}: copy the folder, or name that one"
    elif preset.kind != "dense":
        why = f"it is a {preset.kind} model, which torch alone runs"
    elif resolved.query is not None or files.query_adapter is not None:
        why = "its questions go through other modules or weights than its texts, which one folder does not hold"
    elif files.static and precision != "float32":
        why = "it is a table of words, which is read as it is: leave the precision out"
    if why:
        raise ConfigurationError(f"{preset.name!r} cannot be prepared: {why}.")


def _stated(resolved: ResolvedModel, target: Path, precision: str) -> PreparedFolder:
    """Return what is said of a model's folder before it is there."""
    files, usual = resolved.require_files(), preset_defaults()
    values = {entry.name: getattr(resolved.preset, entry.name) for entry in fields(resolved.preset)}
    kept = {key: value for key, value in values.items() if key in usual and value != usual[key] and key not in _PLACES}
    if precision == "int8":
        kept["runtime"] = "openvino:int8"
    elif not files.static and not folder_graphs.built_of_weights(resolved):
        kept["runtime"] = "openvino"
    elif files.static:
        kept["runtime"] = resolved.preset.runtime
    return PreparedFolder(
        folder=target,
        source=resolved.preset.name,
        fingerprint=model_fingerprint(files),
        precision=precision,
        values={key: list(value) if isinstance(value, tuple) else value for key, value in kept.items()},
        made_by=versions("qdrant-embed", *([] if files.static else ["openvino"])),
        needs=("vnni",) if precision == "int8" else (),
        pooled=not (files.static or files.plain),
    )


def _found(target: Path, stated: PreparedFolder) -> PreparedFolder | None:
    """Return the folder that is there if it is what would be written."""
    if not is_prepared(target):
        return None
    try:
        found = read_prepared(target)
    except ModelError:
        return None
    like = ("source", "fingerprint", "precision", "values", "made_by", "needs", "pooled")
    same = found is not None and all(getattr(found, key) == getattr(stated, key) for key in like)
    return found if found is not None and same and not faults_of(found, whole=True) else None


def _write(resolved: ResolvedModel, work: Path, stated: PreparedFolder) -> None:
    files, precision = resolved.require_files(), stated.precision
    narrow = "float32" if precision == "float32" else "bf16"
    copy_files(files, work, weights=narrow if files.static or folder_graphs.built_of_weights(resolved) else "")
    if files.static:
        write_json(work / MANIFEST, replace(stated, files=noted(work)).as_dict())
        return
    from qdrant_embed.runtimes.openvino.stored_graphs import machine

    graphs = folder_graphs.write_graphs(resolved, work, precision)
    whole = replace(stated, graphs=graphs, files=noted(work))
    write_json(work / MANIFEST, whole.as_dict())
    fidelity = {str(choice): asdict(folder_graphs.measured(work, choice)) for choice in _choices(precision)}
    for choice, found in fidelity.items():
        _require_near(stated.source, work, RuntimeChoice.parse(choice), found)
    write_json(work / MANIFEST, replace(whole, machine=machine(), fidelity=fidelity).as_dict())


def _choices(precision: str) -> list[RuntimeChoice]:
    """Return what the folder will run as on machines like this one."""
    from qdrant_embed.runtimes.openvino.runtime import best_precision, chosen

    best = best_precision()
    ways = ["int8"] if precision == "int8" else []
    return [chosen(way) for way in dict.fromkeys([*ways, best, "float32"])]


def _require_near(source: str, work: Path, choice: RuntimeChoice, found: Mapping[str, float]) -> None:
    minimum = least_cosine(resolve(work), choice.precision)
    if found["worst"] < minimum:
        raise ModelError(
            f"{source!r} prepared for {choice} has a cosine of {found['worst']:.4f} to the original in float32 on the "
            f"worst of the texts it was tried on, and {minimum} is the minimum; nothing was written. Choose another "
            "precision."
        )


def _told(found: PreparedFolder, *, made: bool) -> PreparedModel:
    sizes = sum(int(file["size"]) for file in found.files.values()) + (found.folder / MANIFEST).stat().st_size
    own = "openvino:int8" if found.precision == "int8" else next(iter(found.fidelity), "")
    cosines = found.fidelity.get(own, {"worst": 1.0, "mean": 1.0})
    return PreparedModel(found.folder, found.source, found.precision, sizes, cosines["worst"], cosines["mean"], made)
