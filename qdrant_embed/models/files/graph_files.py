"""Graphs that a model's folder brings, where sentence-transformers puts them."""

from __future__ import annotations

from pathlib import Path

GRAPH_FILES = ("openvino/openvino_model.xml", "onnx/model.onnx")
"""Within the folder of the transformer; the first that is there is taken."""
BESIDE = ("openvino/openvino_model.bin", "onnx/model.onnx_data", "onnx/model.onnx.data")
"""Files that a graph goes on in."""


def graph_file(transformer: Path) -> Path | None:
    """Return the graph that the folder of a transformer brings; None if it brings none."""
    return next((transformer / name for name in GRAPH_FILES if (transformer / name).is_file()), None)


def parts_of(graph: Path) -> list[Path]:
    """Return the file of a graph, and the one that its numbers are in where OpenVINO keeps them apart."""
    numbers = graph.with_suffix(".bin")
    return [graph, numbers] if graph.suffix == ".xml" and numbers.is_file() else [graph]


def has_weights(transformer: Path) -> bool:
    """Tell whether there are weights apart from a graph."""
    return any(transformer.glob("*.safetensors"))
