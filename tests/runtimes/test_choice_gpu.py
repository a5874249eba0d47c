"""Where a GPU is looked for before torch is imported."""

import pytest

from qdrant_embed.runtimes import choice


@pytest.mark.parametrize("sign", ["/dev/nvidiactl", "/dev/kfd", "/dev/dxg"])
def test_each_sign_of_a_gpu_has_torch_asked(monkeypatch, sign):
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("pathlib.Path.exists", lambda path: str(path) == sign)
    assert choice._has_gpu()


def test_without_a_sign_there_is_none(monkeypatch):
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("pathlib.Path.exists", lambda _: False)
    assert not choice._has_gpu()
