import os
import sys

import pytest

from qdrant_embed import Collection, diagnostics
from qdrant_embed.native import Once
from qdrant_embed.runtimes.openvino import requests
from tests.support.tiny_models import save_tiny_model


def by_name(answer):
    return {finding["name"]: finding for finding in answer.json["findings"]}


def test_it_says_what_is_installed_and_what_will_be_used(cli, ingested):
    answer = cli("doctor", "--model", "hashing", "--json")
    found = by_name(answer)
    assert answer.code == 0
    assert answer.json["healthy"] is True
    assert found["qdrant-client"]["status"] == "ok"
    assert "documents" in found["./qdrant_data"]["detail"]
    assert "256 dimensions" in found["vectors"]["detail"]
    assert found["device"]["detail"].startswith(("CPU", "GPU"))


def test_it_names_the_window_strategies_that_suit_the_model(cli):
    detail = by_name(cli("doctor", "--model", "hashing", "--json"))["window"]["detail"]
    assert detail.endswith("longer ones by pcw; suits it: error, truncate, pcw, windows")


def test_the_page_marks_with_words_and_fits_80_columns(cli):
    page = cli("doctor", "--model", "hashing").out
    assert "✓ ok" in page
    assert "– absent" in page
    assert "qdrant-embed ingest PATH" in page
    assert max(map(len, page.splitlines())) <= 80


def test_a_missing_package_is_a_problem_with_its_remedy(cli, monkeypatch):
    monkeypatch.setitem(diagnostics.NEEDED, "no-such-package", "a test")
    answer = cli("doctor", "--model", "hashing", "--json")
    assert answer.code == 1
    assert by_name(answer)["no-such-package"]["advice"] == "pip install no-such-package"


def test_an_unknown_model_is_a_problem(cli):
    answer = cli("doctor", "--model", "hashin", "--json")
    assert answer.code == 1
    assert "Did you mean 'hashing'" in by_name(answer)["hashin"]["detail"]


@pytest.mark.parametrize(("offline", "status"), [("1", "problem"), ("0", "absent")])
def test_weights_that_are_not_here_are_a_problem_only_offline(cli, monkeypatch, tmp_path, offline, status):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", offline)
    found = by_name(cli("doctor", "--model", "nobody/nothing", "--json"))["nobody/nothing"]
    assert found["status"] == status
    assert found["advice"] == "qdrant-embed models fetch nobody/nothing"


def test_who_holds_a_folder_is_said(shell, pages, ingested):
    with Collection.open("documents", at=pages.parent / "qdrant_data"):
        answer = shell("doctor", "--model", "hashing", "--json")
    assert answer.returncode == 0
    assert f"in process {os.getpid()} (" in answer.stdout
    assert "open through the process that holds it" in answer.stdout


def test_keys_are_never_shown(cli, monkeypatch):
    monkeypatch.setenv("QDRANT_API_KEY", "very-secret")
    answer = cli("doctor", "--at", "http://localhost:1", "--model", "hashing", "--json")
    assert by_name(answer)["QDRANT_API_KEY"]["detail"] == "set"
    assert "very-secret" not in answer.out + answer.err
    assert by_name(answer)["http://localhost:1"]["status"] == "problem"


def test_a_problem_is_never_called_healthy(cli):
    answer = cli("doctor", "--model", "nope")
    assert answer.code == 1
    assert "Nothing to improve" not in answer.out
    assert "qdrant-embed models" in answer.out


def test_an_api_without_its_key_is_a_problem(cli, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    answer = cli("doctor", "--model", "openai-small", "--json")
    assert answer.code == 1
    found = by_name(answer)["runtime"]
    assert (found["status"], found["advice"]) == ("problem", "export OPENAI_API_KEY=…")
    monkeypatch.setenv("OPENAI_API_KEY", "very-secret")
    answer = cli("doctor", "--model", "openai-small", "--json")
    assert by_name(answer)["runtime"]["status"] == "ok"
    assert "very-secret" not in answer.out + answer.err


@pytest.mark.parametrize(
    ("runtime", "package", "install"),
    [("onnx", "onnxruntime", "qdrant-embed[onnx]"), ("openvino", "openvino", "openvino")],
)
def test_a_runtime_that_is_not_installed_is_a_problem(cli, monkeypatch, tmp_path, runtime, package, install):
    folder = save_tiny_model(tmp_path / "model")
    monkeypatch.setenv("QDRANT_EMBED_RUNTIME", runtime)
    monkeypatch.setattr(requests, "core", Once(requests._make_core))
    monkeypatch.setitem(sys.modules, package, None)
    answer = cli("doctor", "--model", folder, "--json")
    assert answer.code == 1
    found = by_name(answer)["runtime"]
    assert (found["status"], found["advice"]) == ("problem", f"pip install '{install}'")


def test_what_runs_a_model_is_said(cli, monkeypatch, tmp_path):
    folder = save_tiny_model(tmp_path / "model")
    monkeypatch.setenv("QDRANT_EMBED_RUNTIME", "torch")
    found = by_name(cli("doctor", "--model", folder, "--json"))["runtime"]
    assert (found["status"], found["detail"]) == ("ok", "torch: QDRANT_EMBED_RUNTIME says so")
