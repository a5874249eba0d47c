"""Which files of a repository are needed; `test_downloads.py` downloads them."""

import pytest

from qdrant_embed.errors import ModelError
from qdrant_embed.models.hub.needed_files import missing_parts, needed_files, refuse_pickles

GRAPHS = [
    *("config.json", "tokenizer.json", "pytorch_model.bin"),
    *("openvino/openvino_model.xml", "openvino/openvino_model.bin", "openvino/openvino_model_qint8_quantized.xml"),
    *("onnx/model.onnx", "onnx/model.onnx_data", "onnx/model_O4.onnx"),
]


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        (["model.safetensors"], ["model.safetensors"]),
        ([], ["openvino/openvino_model.xml", "openvino/openvino_model.bin"]),
    ],
)
def test_a_graph_is_needed_only_where_there_are_no_weights(tmp_path, more, wanted):
    assert needed_files([*GRAPHS, *more], tmp_path) == ["config.json", "tokenizer.json", *wanted]
    refuse_pickles("some/model", GRAPHS, "")


def test_onnx_is_needed_with_the_file_it_goes_on_in(tmp_path):
    listed = [name for name in GRAPHS if not name.startswith("openvino")]
    assert needed_files(listed, tmp_path) == [
        "config.json",
        "tokenizer.json",
        "onnx/model.onnx",
        "onnx/model.onnx_data",
    ]


def test_a_graph_stands_for_weights_and_pickles_do_not(tmp_path):
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    assert missing_parts(tmp_path) == ["weights (*.safetensors)"]
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "model.onnx").touch()
    assert missing_parts(tmp_path) == []
    with pytest.raises(ModelError, match="pickled weights only"):
        refuse_pickles("some/model", ["pytorch_model.bin", "openvino/openvino_model_qint8_quantized.xml"], "")
