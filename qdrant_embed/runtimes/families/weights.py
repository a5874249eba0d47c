"""The tensors of a model, mapped from its safetensors files: nothing is copied until a graph is compiled.

Every tensor is used, or known to give no state; and every one that is asked for is there, in the shape that it must
have. Else the model is refused: what lacks, or is left over, says that the description does not fit the weights.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openvino
from openvino import opset13 as ops

from qdrant_embed.errors import ModelError
from qdrant_embed.models.files.json_files import read_header, read_json
from qdrant_embed.runtimes.families.family import Node
from qdrant_embed.types import FloatArray

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
_KINDS: Mapping[str, type[np.generic]] = {
    "F32": np.float32,
    "F16": np.float16,
    "BF16": np.uint16,  # numpy has no such type
}
"""What safetensors calls a type → the numpy type of its bytes."""
_NAMED_AT_MOST = 3


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor where it lies.

    :param kind: Its type, as safetensors names it.
    :param data: Its bytes in the type of numpy, in its shape; a view of the file.
    """

    kind: str
    data: np.ndarray

    def wide(self) -> FloatArray:
        """Return it in float32; a view of the file where it has that type."""
        if self.kind == "BF16":
            return (self.data.astype(np.uint32) << 16).view(np.float32)
        return np.asarray(self.data, np.float32)

    def constant(self) -> Node:
        """Return it as a constant of a graph, in its own type; it shares memory with the file, unless it is bf16."""
        if self.kind != "BF16":
            return openvino.op.Constant(self.data, shared_memory=True)
        tensor = openvino.Tensor(self.data, openvino.Shape(self.data.shape), openvino.Type.bf16)
        # A copy: of a type that numpy has not, a constant keeps no hold on the file that it shares memory with.
        return openvino.op.Constant(tensor, shared_memory=False)

    def node(self) -> Node:
        """Return it as a float32 node: mapped, widened by the graph where it is shorter."""
        return self.constant() if self.kind == "F32" else ops.convert(self.constant(), np.float32)

    def parts(self, count: int) -> list[StoredTensor]:
        """Return the `count` parts that its rows are made of, which are equally high; views of it."""
        return [StoredTensor(self.kind, part) for part in np.split(self.data, count)]


class Weights:
    """The tensors of one model, by names without the prefix that all of them have.

    :param place: Where they are, for messages.
    """

    def __init__(self, tensors: Mapping[str, StoredTensor], place: Path) -> None:
        self._tensors, self._place = dict(tensors), place
        self._used: set[str] = set()

    @classmethod
    def read(cls, folder: Path, prefixes: Sequence[str] = ("",), probe: str = "") -> Weights:
        """Map the weights of a folder.

        :param prefixes: What names may begin with; the first under which there is a tensor `probe` is taken away.
        :raises ModelError: A file is missing, cut short or none, or no tensor bears the name `probe`.
        """
        tensors = {name: tensor for file in weight_files(folder) for name, tensor in _mapped(file).items()}
        prefix = next((prefix for prefix in prefixes if f"{prefix}{probe}" in tensors), None)
        if probe and prefix is None:
            raise ModelError(f"the weights in {folder} have no tensor {probe!r}. Is config.json that of these weights?")
        own = prefix or ""
        return cls({name.removeprefix(own): tensor for name, tensor in tensors.items()}, folder)

    def rename(self, published: Mapping[str, tuple[str, ...]]) -> None:
        """Give tensors other names, and take those apart that hold several.

        :param published: As of `Family`.
        """
        for pattern, names in published.items():
            for old in [name for name in self._tensors if re.search(pattern, name)]:
                parts = self._tensors.pop(old).parts(len(names))
                self._tensors |= {re.sub(pattern, new, old): part for new, part in zip(names, parts, strict=True)}

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def tensor(self, name: str, *shape: int) -> StoredTensor:
        """Return a tensor.

        :param shape: What it must be; -1 for any size of an axis. Left out, any will do.
        :raises ModelError: There is none, or it has another shape.
        """
        found = self._tensors.get(name)
        if found is None:
            raise ModelError(
                f"the weights in {self._place} lack the tensor {name!r}. Is the download complete, and is config.json "
                "that of these weights?"
            )
        have = found.data.shape
        fits = len(have) == len(shape) and all(want in (-1, got) for want, got in zip(shape, have, strict=True))
        if shape and not fits:
            raise ModelError(
                f"the tensor {name!r} in {self._place} has the shape {list(have)}, and config.json makes it "
                f"{list(shape)}. Is config.json that of these weights?"
            )
        self._used.add(name)
        return found

    def array(self, name: str, *shape: int) -> FloatArray:
        """Return a tensor in float32; a view of the file where it has that type. Errors are as of `tensor`."""
        return self.tensor(name, *shape).wide()

    def constant(self, name: str, *shape: int) -> Node:
        """Return a tensor as a float32 node, widened in the graph where it is shorter. Errors are as of `tensor`."""
        return self.tensor(name, *shape).node()

    def parts(self, name: str, count: int) -> list[Node]:
        """Return the equal parts of a tensor's rows, as nodes like that of `constant`. Errors are as of `tensor`."""
        return [part.node() for part in self.tensor(name).parts(count)]

    def require_all_used(self, unread: str) -> None:
        """Refuse what is left over.

        :param unread: Pattern of names that need not be used.
        :raises ModelError: There are others that nothing used.
        """
        left = sorted(name for name in self._tensors if name not in self._used and not re.match(unread, name))
        if left:
            raise ModelError(
                f"the weights in {self._place} have {len(left)} tensors that nothing reads ({_named(left)}), so they "
                "are of a model that computes something else. Give the runtime torch, which has the architectures of "
                "transformers."
            )


def weight_files(folder: Path) -> list[Path]:
    """Return the files of a model's weights: one, or those that its index names.

    :raises ModelError: There are none, or one that the index names is missing.
    """
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    names = sorted(set(read_json(folder / INDEX).get("weight_map", {}).values()))
    if not names:
        raise ModelError(f"{folder} has neither {WEIGHTS} nor {INDEX}. Is the download complete?")
    files = [folder / Path(name).name for name in names]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise ModelError(f"{folder} lacks {_named(missing)}, which {INDEX} names. Is the download complete?")
    return files


def _named(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(every[:_NAMED_AT_MOST]) + (", …" if len(every) > _NAMED_AT_MOST else "")


def _mapped(file: Path) -> dict[str, StoredTensor]:
    """Return the tensors of a file.

    :raises ModelError: It is no safetensors file, is cut short, or holds numbers of a type that is not known here.
    """
    header, begin = read_header(file)
    # Copied on being written to, which nobody does: OpenVINO takes no memory that cannot be.
    whole = np.memmap(file, np.uint8, "c")
    found = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        try:
            kind, shape, (start, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
            known = _KINDS.get(kind)
            size = math.prod(shape) * np.dtype(known).itemsize if known else end - start
            fits = 0 <= start <= end <= len(whole) - begin and end - start == size
        except (KeyError, TypeError, ValueError):
            fits = False
        if not fits:
            raise ModelError(
                f"{file} was cut short, or is no safetensors file: its tensor {name!r} does not lie within its "
                f"{len(whole)} bytes. Download it again; if it came by git, type: git lfs pull"
            )
        raw = whole[begin + start : begin + end]
        if known:
            raw = (raw if raw.ctypes.data % np.dtype(known).itemsize == 0 else raw.copy()).view(known).reshape(shape)
        found[name] = StoredTensor(kind, raw)
    return found
