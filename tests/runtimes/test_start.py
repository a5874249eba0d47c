"""What will run a model, and what will not, known beforehand."""

import sys
from dataclasses import replace

import pytest

from qdrant_embed.errors import ConfigurationError, MissingExtraError
from qdrant_embed.models.resolve import resolve
from qdrant_embed.runtimes import choice, onnx
from qdrant_embed.runtimes.conversion import convert
from qdrant_embed.runtimes.conversion.fidelity import Fidelity, Original
from qdrant_embed.runtimes.openvino import requests
from qdrant_embed.runtimes.openvino import runtime as openvino
from qdrant_embed.runtimes.start import predict_runtime

pytest.importorskip("openvino")


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    """Let nothing have been converted, on a processor that computes in every precision."""
    monkeypatch.setenv("QDRANT_EMBED_CACHE", str(tmp_path))
    monkeypatch.delenv(choice.RUNTIME_VARIABLE)
    monkeypatch.setattr(choice, "_has_gpu", lambda: False)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr(openvino, "best_precision", lambda: "bf16")
    monkeypatch.setattr(openvino, "multiplies_int8", lambda: True)


def noted(monkeypatch, model, runtime, worst):
    """Leave a note of a conversion as if it had been made and tried."""
    monkeypatch.setattr(convert, "compare", lambda *_: Fidelity(worst, worst))
    converter = onnx.CONVERTER if runtime.name == "onnx" else openvino._converter(runtime)
    original = Original("its own graph in float32", pooled=True, run=None)
    made = replace(converter, convert=lambda *_: original, start=lambda _: lambda _: None)
    try:
        convert.converted(model, made)
    except convert.LowFidelityError:
        assert worst < 0.9995


def test_the_precision_that_will_be_taken_is_said(model):
    assert str(predict_runtime(model).runtime) == "openvino:bf16"
    assert "fastest" in predict_runtime(model).why
    assert str(predict_runtime(model, "torch").runtime) == "torch"
    assert str(predict_runtime(resolve("hashing")).runtime) == "hashing"


def test_a_model_that_has_fallen_back_before_will_do_so_again(model, monkeypatch):
    noted(monkeypatch, model, choice.RuntimeChoice("openvino", "bf16"), 0.93)
    for asked in ("auto", "openvino"):
        found = predict_runtime(model, asked)
        assert str(found.runtime) == "openvino:float32"
        assert "cosine of 0.9300" in found.why
    noted(monkeypatch, model, choice.RuntimeChoice("openvino", "float32"), 0.99999)
    assert str(predict_runtime(model, "openvino:float32").runtime) == "openvino:float32"


def test_int8_gives_way_to_what_is_exact_and_then_to_torch(model, monkeypatch):
    noted(monkeypatch, model, choice.RuntimeChoice("openvino", "int8"), 0.97)
    assert str(predict_runtime(model, "openvino:int8").runtime) == "openvino:bf16"
    noted(monkeypatch, model, choice.RuntimeChoice("openvino", "bf16"), 0.9)
    assert str(predict_runtime(model, "openvino:int8").runtime) == "openvino:float32"
    noted(monkeypatch, model, choice.RuntimeChoice("openvino", "float32"), 0.9)
    found = predict_runtime(model, "openvino:int8")
    assert str(found.runtime) == "torch"
    assert "0.9700" in found.why


def test_what_the_processor_lacks_is_an_error(model, monkeypatch):
    monkeypatch.setattr(openvino, "best_precision", lambda: "float32")
    monkeypatch.setattr(openvino, "multiplies_int8", lambda: False)
    for asked in ("openvino:bf16", "openvino:int8"):
        with pytest.raises(ConfigurationError, match="this processor"):
            predict_runtime(model, asked)
    assert str(predict_runtime(model, "openvino").runtime) == "openvino:float32"


def test_packages_that_are_lacking_are_an_error(model, monkeypatch):
    for package in ("onnxruntime", "onnx", "onnxscript"):
        pytest.importorskip(package)
    assert str(predict_runtime(model, "onnx").runtime) == "onnx"
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(MissingExtraError, match=r"'onnxscript'.*qdrant-embed\[onnx\]"):
        predict_runtime(model, "onnx")
    noted(monkeypatch, model, onnx.CONVERTER.choice, 1.0)
    assert str(predict_runtime(model, "onnx").runtime) == "onnx", "it was exported before"
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match="'onnxruntime'"):
        predict_runtime(model, "onnx")


def test_openvino_that_is_not_installed_is_an_error_where_it_was_asked_for(model, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(requests, "core", requests.Once(requests._make_core))
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtraError, match="pip install 'openvino'"):
        predict_runtime(model, "openvino")


def test_a_key_that_is_not_set_is_an_error(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="export OPENAI_API_KEY="):
        predict_runtime(resolve("openai-small"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    assert str(predict_runtime(resolve("openai-small")).runtime) == "api"
