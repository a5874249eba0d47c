"""What every preset has to say, and that it says where it was read."""

import re

import pytest

from qdrant_embed.errors import ModelError, UnknownNameError
from qdrant_embed.long_context import CUTS, METHODS
from qdrant_embed.models.preset_files import read_presets
from qdrant_embed.models.resolve import preset_values, resolve
from qdrant_embed.runtimes.api.settings import settings_of

PRESETS = {name: entry.values for name, entry in read_presets().items()}
API = sorted(name for name, values in PRESETS.items() if values.get("runtime") == "api")
UNLOADABLE = sorted(name for name, values in PRESETS.items() if values.get("unloadable"))
OWN_SERVERS = {"tei", "infinity", "vllm", "ollama"}
UNLICENSED = OWN_SERVERS | {"peg", "multi-qa-mpnet", "genc-phi1.5"}
"""Models whose license was not found, and servers whose model is not known."""


def said_by(name):
    """Yield what a preset has to say → whether it does."""
    values, sources = PRESETS[name], PRESETS[name]["sources"]
    yield "a plain name", re.fullmatch(r"[a-z0-9.\-]+", name)
    yield "about", values["about"].endswith(".")
    yield "sources", sources["all"]
    yield "license", values.get("license") or values.get("license_note") or name in UNLICENSED
    yield "source", values.get("source") or values.get("api")
    yield "windows", set(values.get("windows", [])) <= {*CUTS, *METHODS}
    yield "the usual strategy, which must suit every model", "pcw" in values.get("windows", ["pcw"])
    yield "smaller dims", all(size < values["dim"] for size in values.get("dims", []))
    yield "a distance for its length", values.get("normalize", True) or values["distance"] == "dot"


def test_a_preset_is_complete_and_says_where_it_was_read():
    names = sorted(set(PRESETS) - {"hashing"})
    assert [(name, what) for name in names for what, said in said_by(name) if not said] == []


def test_a_revision_is_a_commit_or_left_out():
    revisions = {name: values.get("revision", "") for name, values in PRESETS.items()}
    assert {name: text for name, text in revisions.items() if not re.fullmatch(r"([0-9a-f]{40})?", text)} == {}


def test_matryoshka_sizes_and_depths_are_read_somewhere():
    stated = [(name, key) for name in PRESETS for key in ("dims", "depths", "tasks") if PRESETS[name].get(key)]
    for name, key in stated:
        values = PRESETS[name]
        assert values["sources"].get(key) or values["sources"]["all"], (name, key)
        assert key == "tasks" or values[key] == sorted(values[key]), (name, key)


@pytest.mark.parametrize("name", UNLOADABLE)
def test_a_model_that_cannot_be_loaded_says_so_before_anything_is_fetched(name, monkeypatch):
    monkeypatch.setattr("qdrant_embed.models.resolve.fetch", lambda *_, **__: pytest.fail("something was fetched"))
    with pytest.raises(ModelError, match="cannot be loaded: it ") as caught:
        resolve(name)
    instead = [other for other in PRESETS if other != name and re.search(rf"\b{re.escape(other)}\b", str(caught.value))]
    assert instead, "an error says what to use instead"


@pytest.mark.parametrize("name", sorted(set(API) - OWN_SERVERS))
def test_an_api_model_knows_its_server(name):
    settings = settings_of(resolve(name).preset)
    assert settings.address.startswith(("https://", "http://localhost"))
    assert settings.dim == PRESETS[name]["dim"]
    assert settings.key.variable or settings.address.startswith("http://localhost")
    assert settings.asks_dim == bool(PRESETS[name].get("dims"))


@pytest.mark.parametrize("name", sorted(OWN_SERVERS))
def test_a_server_of_ones_own_needs_what_only_its_owner_knows(name, tmp_path):
    mine = tmp_path / "mine.toml"
    with pytest.raises(ModelError, match=r"which model its server runs[^$]*api_model = "):
        resolve(name)
    mine.write_text(f"[models.{name}]\ndim = 384\nmax_tokens = 512\n")
    with pytest.raises(ModelError, match="which model its server runs"):
        resolve(name, mine)
    mine.write_text(f'[models.{name}]\napi_model = "some/model"\n')
    with pytest.raises(ModelError, match="state dim"):
        resolve(name, mine)
    mine.write_text(f'[models.{name}]\napi_model = "some/model"\ndim = 384\nmax_tokens = 512\n')
    settings = settings_of(resolve(name, mine).preset)
    assert (settings.model, settings.dim) == ("some/model", 384)
    assert settings.address.endswith("/embeddings")


def test_a_research_license_is_noted():
    assert "non-commercial" in PRESETS["nemotron-8b"]["license_note"]
    assert "non-commercial" in PRESETS["jina-v3"]["license_note"]


def test_a_users_file_lies_over_ours(tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text('[models.jina-v2-base-en]\nsource = "me/jina-rebuilt"\n')
    values, origin = preset_values("jina-v2-base-en", mine)
    assert values["dim"] == 768
    assert "unloadable" not in values, "what was wrong with our weights is not wrong with the user's"
    assert str(mine) in origin


def test_the_id_of_a_source_means_its_preset(monkeypatch, tmp_path):
    asked = []

    def fetch(source, revision, **_):
        asked.append((source, revision))
        raise ModelError("no network")

    monkeypatch.setattr("qdrant_embed.models.resolve.fetch", fetch)
    with pytest.raises(ModelError, match="no network"):
        resolve(PRESETS["bge-small-en"]["source"])
    assert asked == [(PRESETS["bge-small-en"]["source"], PRESETS["bge-small-en"]["revision"])]


def test_an_unknown_name_is_answered_with_near_ones():
    with pytest.raises(UnknownNameError, match=r"Did you mean 'kalm-v2'.*qdrant-embed models") as caught:
        resolve("kalm-2")
    assert len(str(caught.value)) < 300
