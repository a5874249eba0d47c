"""Constants of a type that numpy has not: OpenVINO maps the file itself, so that nothing is copied.

A constant that is made of memory in Python keeps hold of it by numpy alone. One that OpenVINO reads keeps hold of the
file, so a small model is written that has nothing but the constant, with the file for its weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import openvino

from qdrant_embed.runtimes.families.family import Node

_MODEL = """<?xml version="1.0"?>
<net name="constant" version="11">
<layers>
<layer id="0" name="values" type="Const" version="opset1">
<data element_type="{kind}" shape="{shape}" offset="{offset}" size="{size}"/>
<output><port id="0" precision="{precision}">{sizes}</port></output>
</layer>
<layer id="1" name="out" type="Result" version="opset1">
<input><port id="0" precision="{precision}">{sizes}</port></input>
</layer>
</layers>
<edges><edge from-layer="0" from-port="0" to-layer="1" to-port="0"/></edges>
</net>
"""


def mapped_constant(file: Path, offset: int, size: int, shape: Sequence[int], kind: str) -> Node:
    """Return numbers of a file as a constant that shares memory with it.

    :param offset: Where they begin, in bytes; `size` is how many these are.
    :param kind: What OpenVINO calls their type, such as `bf16`.
    """
    values = {
        **{"kind": kind, "precision": kind.upper(), "offset": offset, "size": size},
        **{"shape": ",".join(map(str, shape)), "sizes": "".join(f"<dim>{number}</dim>" for number in shape)},
    }
    with TemporaryDirectory(prefix="qdrant-embed-") as folder:
        model = Path(folder) / "constant.xml"
        model.write_text(_MODEL.format(**values), encoding="utf-8")
        read = _core().read_model(str(model), str(file))
    return read.get_results()[0].input_value(0).get_node()


@cache
def _core() -> openvino.Core:
    return openvino.Core()
