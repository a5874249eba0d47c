"""Which runtime is taken where, as a table; nothing is loaded."""

import pytest

from qdrant_embed.errors import ConfigurationError, UnknownNameError
from qdrant_embed.long_context import WindowStrategy
from qdrant_embed.models.long_context_support import with_extension
from qdrant_embed.models.resolve import resolve
from qdrant_embed.runtimes import choice
from qdrant_embed.runtimes.choice import RuntimeChoice, choose
from tests.support.tiny_models import save_static_model, save_tiny_model


@pytest.fixture(scope="module")
def models(save_model, tmp_path_factory):
    static = save_static_model(tmp_path_factory.mktemp("static"))
    return {"bert": resolve(str(save_model())), "static": resolve(str(static)), "hashing": resolve("hashing")}


@pytest.fixture
def machine(monkeypatch):
    """Return a function that makes the machine another one."""

    def make(processor="x86_64", *, gpu=False, lacks=(), largest=2**32, variable=None):
        monkeypatch.setattr(choice, "_has_gpu", lambda: gpu)
        monkeypatch.setattr("platform.machine", lambda: processor)
        monkeypatch.setattr(choice, "may_have_gpu", lambda: gpu)
        monkeypatch.setattr(choice, "is_installed", lambda name: name not in lacks)
        monkeypatch.setattr(choice, "_LARGEST_CONVERTED", largest)
        monkeypatch.delenv(choice.RUNTIME_VARIABLE, raising=False)
        if variable:
            monkeypatch.setenv(choice.RUNTIME_VARIABLE, variable)

    return make


@pytest.mark.parametrize(
    ("model", "settings", "runtime", "why"),
    [
        ("bert", {}, "openvino", "fastest on x86"),
        ("bert", {"processor": "AMD64"}, "openvino", "fastest on x86"),
        ("bert", {"gpu": True}, "torch", "there is a GPU"),
        ("bert", {"processor": "aarch64"}, "torch", "aarch64, not x86"),
        ("bert", {"largest": 1000}, "torch", "not converted unasked"),
        ("bert", {"lacks": ["openvino"]}, "torch", "openvino is not installed"),
        ("bert", {"lacks": ["torch"]}, "openvino", "torch is not installed"),
        ("bert", {"lacks": ["torch"], "processor": "aarch64"}, "openvino", "torch is not installed"),
        ("bert", {"lacks": ["torch"], "gpu": True}, "openvino", "torch is not installed"),
        ("bert", {"lacks": ["torch", "openvino"]}, "torch", "neither torch nor openvino is installed"),
        ("bert", {"variable": "onnx"}, "onnx", "QDRANT_EMBED_RUNTIME says so"),
        ("bert", {"variable": "openvino:int8", "gpu": True}, "openvino:int8", "QDRANT_EMBED_RUNTIME says so"),
        ("static", {}, "static", "preset says so"),
        ("static", {"variable": "openvino"}, "static", "preset says so"),
        ("hashing", {"variable": "onnx"}, "hashing", "preset says so"),
    ],
)
def test_auto_takes_the_fastest_that_the_machine_has(models, machine, model, settings, runtime, why):
    machine(**settings)
    found = choose(models[model])
    assert str(found.runtime) == runtime
    assert why in found.why
    assert found.forced == (why.endswith("says so"))
    lacking = settings.get("lacks")
    assert bool(found.advice) == (lacking == ["openvino"] or bool(lacking and settings.get("gpu")))


def test_what_is_asked_for_comes_before_everything(models, machine):
    machine(gpu=True, variable="onnx")
    found = choose(models["bert"], "openvino:bf16")
    assert found.runtime == RuntimeChoice("openvino", "bf16")
    assert found.forced


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ("onyx", UnknownNameError, "onnx"),
        ("torch:int8", ConfigurationError, "choose one of torch, torch:float32, torch:bf16"),
        ("static:bf16", ConfigurationError, "choose one of static"),
    ],
)
def test_what_does_not_exist_is_refused_wherever_it_is_asked_for(models, machine, asked, error, message):
    machine(variable=asked)
    for ask in (lambda: choose(models["bert"], asked), lambda: choose(models["bert"])):
        with pytest.raises(error, match=message):
            ask()


@pytest.mark.parametrize("asked", ["torch", "torch:bf16", "onnx", "openvino", "openvino:int8"])
def test_a_table_is_averaged_by_nothing_but_its_own_runtime(models, asked):
    with pytest.raises(ConfigurationError, match=r"is a table of vectors.* Leave the runtime out, or give 'static'"):
        choose(models["static"], asked)
    assert choose(models["static"], "static").runtime == RuntimeChoice("static")


def test_a_model_that_is_stretched_further_than_is_tried_runs_in_float32_or_by_torch(machine, monkeypatch, tmp_path):
    built, traced = (
        with_extension(resolve(str(save_tiny_model(tmp_path / kind, kind))), WindowStrategy.parse("pi:128"))
        for kind in ("bert", "phi3")
    )
    machine()
    assert str(choose(built).runtime) == "openvino"
    monkeypatch.setattr(choice, "_LONGEST_TRIED", 32)
    assert str(choose(built).runtime) == str(choose(built, "openvino:float32").runtime) == "openvino:float32"
    assert "no text longer than 64 tokens is tried" in choose(built).why
    assert str(choose(built, "torch").runtime) == str(choose(traced).runtime) == "torch"
    with pytest.raises(ConfigurationError, match="give the runtime openvino:float32, not openvino:bf16"):
        choose(built, "openvino:bf16")
    with pytest.raises(ConfigurationError, match="give the runtime torch, not openvino:float32"):
        choose(traced, "openvino:float32")
    machine(variable="openvino:int8")
    assert str(choose(built).runtime) == "openvino:float32"
    machine(gpu=True)
    assert str(choose(built).runtime) == "torch"
