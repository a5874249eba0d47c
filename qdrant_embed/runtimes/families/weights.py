"""The tensors of a model, mapped from its safetensors files: nothing is copied until a graph is compiled.

Every tensor is used, or known to give no state; and every one that is asked for is there, in the shape that it must
have. Else the model is refused: what lacks, or is left over, says that the description does not fit the weights.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino
from openvino import opset13 as ops

from qdrant_embed.errors import ModelError
from qdrant_embed.models.files.json_files import read_json
from qdrant_embed.models.files.lora import is_head, layer_of, read_adapter, require_fit
from qdrant_embed.models.files.tensors import BF16, FLOATS, INDEX, WEIGHTS, StoredTensor, map_tensors
from qdrant_embed.runtimes.families.family import Node
from qdrant_embed.runtimes.families.mapped_constant import mapped_constant
from qdrant_embed.types import FloatArray

_NAMED_AT_MOST = 3
_WEIGHT = ".weight"


def constant_of(stored: StoredTensor) -> Node:
    """Return a tensor as a constant of a graph, in its own type; it shares memory with the file."""
    if stored.kind == BF16:
        return mapped_constant(stored.file, stored.offset, stored.data.nbytes, stored.data.shape, "bf16")
    return openvino.op.Constant(stored.data, shared_memory=True)


def node_of(stored: StoredTensor) -> Node:
    """Return a tensor as a float32 node: mapped, widened by the graph where it is shorter."""
    constant = constant_of(stored)
    return constant if stored.kind == "F32" else ops.convert(constant, np.float32)


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
        tensors = {name: tensor for file in weight_files(folder) for name, tensor in map_tensors(file).items()}
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

    def add(self, adapter: Path) -> None:
        """Add a LoRA adapter to the weights that it is for; these alone are copied.

        :raises ModelError: It does not fit them.
        """
        layers = {name.removesuffix(_WEIGHT) for name in self._tensors if name.endswith(_WEIGHT)}
        for place, product in read_adapter(adapter).items():
            name, added = layer_of(layers, place), product.added()
            if not name and is_head(place):
                continue
            require_fit(adapter, place, added.shape, self._tensors[name + _WEIGHT].data.shape if name else None)
            there = self._tensors[name + _WEIGHT]
            merged = np.ascontiguousarray(there.wide() + added)
            self._tensors[name + _WEIGHT] = replace(there, kind="F32", data=merged)

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def tensor(self, name: str, *shape: int) -> StoredTensor:
        """Return a tensor.

        :param shape: What it must be; -1 for any size of an axis. Left out, any will do.
        :raises ModelError: There is none, it has another shape, or numbers of a type that is not read here.
        """
        found = self._tensors.get(name)
        if found is None:
            raise ModelError(
                f"the weights in {self._place} lack the tensor {name!r}. Is the download complete, and is config.json "
                "that of these weights?"
            )
        if found.kind not in FLOATS:
            raise ModelError(f"the tensor {name!r} in {self._place} is stored as {found.kind}, which is not read here.")
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
        return node_of(self.tensor(name, *shape))

    def parts(self, name: str, count: int) -> list[Node]:
        """Return the equal parts of a tensor's rows, as nodes like that of `constant`. Errors are as of `tensor`."""
        return [node_of(part) for part in self.tensor(name).parts(count)]

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
