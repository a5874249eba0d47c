"""Names for a model's files: equal names mean equal vectors. Cheap, since of the weights only samples are read.

Training moves almost every number of every tensor that it does not freeze, so a few numbers of each tensor tell two
models apart; samples of the file as a whole could miss all of the encoder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Protocol

from qdrant_embed.errors import ModelError
from qdrant_embed.models.files.graph_files import graph_file, has_weights, parts_of
from qdrant_embed.models.files.json_files import read_header, read_json
from qdrant_embed.models.files.layouts import ROUTES, every_module, kind_of_module
from qdrant_embed.models.files.lora import CONFIG
from qdrant_embed.models.files.model_folder import ADDED_VALUES, ModelFiles, pooling_modes

_SAMPLE = 4096
_PLACES_OF_TENSOR = 4
_PLACES_OF_FILE = 1024
_PASSING = ("_name_or_path", "transformers_version", "architectures", "dtype", "torch_dtype", "use_cache")
"""Entries of `config.json` that saving a model again changes, and that change no vector."""
_ADAPTER = ("lora_alpha", "use_rslora")
"""Settings of an adapter that change what is added; the rest shows in its tensors."""


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...


def model_fingerprint(files: ModelFiles) -> str:
    """Hash the configuration, the settings of all modules, and samples of every tensor.

    :raises ModelError: A file of weights is cut short, or is none.
    """
    if files.prepared is not None:
        return files.prepared.fingerprint  # its vectors are the original's, but for what its precision rounds off
    digest = hashlib.blake2b(digest_size=16)
    digest.update(_stable(read_json(files.transformer / "config.json")))
    if not files.plain:
        digest.update(_stable({"modules": list(_modules(files.folder))}))
    if files.side:
        digest.update(_stable({"side": files.side, "routes": list(_routes(files.folder))}))
    # Samples may miss the rows of positions, which alone tell two extended models of one parent apart.
    digest.update(str(read_json(files.folder / ADDED_VALUES).get("weights", "")).encode())
    _update(digest, files.folder)
    graph = None if has_weights(files.transformer) else graph_file(files.transformer)
    if graph is not None:
        digest.update(_stable({part.name: file_fingerprint(part) for part in parts_of(graph)}))
    for side, adapter in (("document", files.adapter), ("query", files.query_adapter)):
        if adapter is not None:
            stated = read_json(adapter / CONFIG)
            digest.update(_stable({side: {key: stated.get(key) for key in _ADAPTER}}))
            _update(digest, adapter)
    return digest.hexdigest()


def _update(digest: _Digest, folder: Path) -> None:
    tensors = [tensor for path in folder.rglob("*.safetensors") for tensor in _tensors(path, folder)]
    # By name, so that it does not matter how the weights are split into files.
    for name, path, start, size in sorted(tensors):
        digest.update(f"{name}\x1f{size}\x1f".encode())
        with path.open("rb") as stream:
            _sample(digest, stream, start, size, _PLACES_OF_TENSOR)


def file_fingerprint(path: Path) -> str:
    """Hash samples all over a file whose parts are not known, and over those beside it that go on from it.

    (ONNX keeps what is too large for one file in `NAME_data` or `NAME.data`.)
    """
    digest = hashlib.blake2b(digest_size=16)
    for part in (path, *sorted({*path.parent.glob(f"{path.name}_data*"), *path.parent.glob(f"{path.name}.data*")})):
        size = part.stat().st_size
        digest.update(f"{size}\x1f".encode())
        with part.open("rb") as stream:
            _sample(digest, stream, 0, size, _PLACES_OF_FILE)
    return digest.hexdigest()


def _stable(values: Mapping[str, Any]) -> bytes:
    kept = {key: value for key, value in values.items() if key not in _PASSING and value is not None}
    return json.dumps(kept, sort_keys=True).encode()


def _modules(folder: Path) -> Iterator[Mapping[str, Any]]:
    """Yield what each module behind the transformer is and does, whichever version wrote it down."""
    for module in (read_json(folder / "modules.json") or [])[1:]:
        kind, settings = kind_of_module(module["type"]), read_json(folder / module["path"] / "config.json")
        if kind == "Pooling":
            settings = {"modes": pooling_modes(settings), "include_prompt": settings.get("include_prompt", True)}
        yield {"kind": kind, "settings": settings}


def _routes(folder: Path) -> Iterator[Mapping[str, Any]]:
    """Yield which way texts go, and the settings of all modules on the way."""
    stated = read_json(folder / "modules.json")
    yield from (route for place in sorted(folder.rglob(ROUTES)) if (route := read_json(place)))
    for module in every_module(folder, stated):
        yield {"path": module["path"], "settings": read_json(folder / module["path"] / "config.json")}


def _tensors(path: Path, folder: Path) -> Iterator[tuple[str, Path, int, int]]:
    """Yield what tells a tensor apart, its file, where it begins there, and its bytes.

    What a file says of itself (the heads of a trained pooling) is yielded as a tensor without bytes.
    """
    size = path.stat().st_size
    try:
        header, begin = read_header(path)
        about = {key: value for key, value in header.pop("__metadata__", {}).items() if key != "format"}
        entries = [(name, entry["dtype"], entry["shape"], *entry["data_offsets"]) for name, entry in header.items()]
        whole = begin + max(entry[4] for entry in entries) == size
    except (AttributeError, KeyError, TypeError, ValueError, ModelError):
        whole = False
    if not whole:
        raise ModelError(
            f"{path} is no safetensors file, or was cut short ({size} bytes). Download it again; if it came by git, "
            "type: git lfs pull"
        )
    place = path.parent.relative_to(folder).as_posix()
    for name, dtype, shape, start, end in entries:
        yield f"{place}\x1f{name}\x1f{dtype}\x1f{shape}", path, begin + start, end - start
    if about:
        yield f"{place}\x1f{json.dumps(about, sort_keys=True)}", path, 0, 0


def _sample(digest: _Digest, stream: IO[bytes], start: int, size: int, places: int) -> None:
    """Hash all of a range of bytes if it is small, else pieces of it, evenly spread from its beginning to its end."""
    if size <= places * _SAMPLE:
        stream.seek(start)
        digest.update(stream.read(size))
        return
    for number in range(places):
        stream.seek(start + (size - _SAMPLE) * number // (places - 1))
        digest.update(stream.read(_SAMPLE))
