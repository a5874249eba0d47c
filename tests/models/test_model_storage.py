"""Models fetched ahead, listed and removed, as Python calls it."""

import pytest

from qdrant_embed import fetch_model, list_local_models, load_embedder, remove_model
from qdrant_embed.errors import ModelError, UnknownNameError
from tests.support.tiny_adapters import save_tiny_adapter
from tests.support.tiny_models import edit_json, save_transformer


@pytest.fixture
def offered(hub, save_model):
    """Offer a model as `someone/model`; return the stand-in for the hub."""
    hub.add("someone/model", save_model())
    return hub


def test_a_fetched_model_loads_without_a_network(offered, monkeypatch):
    states = []
    made = fetch_model("someone/model", progress=states.append)
    assert (
        made.downloaded
        == made.size
        == states[-1].total
        + sum(path.stat().st_size for path in (made.folder / "config.json", made.folder / "modules.json"))
    )
    assert states[-1].done == states[-1].total
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert load_embedder("someone/model").dim == 32
    assert fetch_model("someone/model", verify=True).downloaded == 0


def test_a_revision_is_fetched_and_loaded_by_its_name(offered, save_model):
    older = fetch_model("someone/model").folder.name
    offered.add("someone/model", save_model(dense=16))
    assert fetch_model("someone/model").folder.name == older, "what is here stays"
    assert load_embedder(f"someone/model@{older}").dim == 32
    newer = offered._repositories["someone/model"]["commit"]
    assert load_embedder(f"someone/model@{newer}").dim == 16
    row = next(one for one in list_local_models() if one["name"] == "someone/model")
    assert row["revisions"] == ["main", newer]


def test_an_adapter_brings_the_model_that_it_is_added_to(offered, save_model, tmp_path):
    adapter = save_tiny_adapter(tmp_path / "adapter", save_model(), ("query",))
    edit_json(adapter / "adapter_config.json", base_model_name_or_path="someone/model")
    offered.add("someone/adapter", adapter)
    made = fetch_model("someone/adapter")
    assert [one.name for one in made.repositories] == ["someone/adapter", "someone/model"]
    assert str(made).startswith("someone/adapter: ")


def test_a_model_that_embeds_nothing_is_fetched_too_and_said_to_be_none(hub, tmp_path):
    hub.add("someone/ranker", save_transformer(tmp_path / "ranker", "bert"))
    made = fetch_model("someone/ranker")
    assert "does not say how its token states become one vector" in made.note
    assert made.folder.is_dir()


def test_what_needs_no_files_says_so_and_unknown_names_are_refused(hub):
    assert fetch_model("hashing").repositories == ()
    assert "nothing to download" in str(fetch_model("openai-small"))
    with pytest.raises(UnknownNameError):
        fetch_model("minilmm")


def test_a_removed_model_is_gone_with_what_was_noted_of_it(offered, tmp_path):
    fetch_model("someone/model")
    assert remove_model("someone/model")["removed_bytes"] > 0
    assert list((tmp_path / "hub").glob("models--*")) == []
    with pytest.raises(ModelError, match="is not on this machine"):
        remove_model("someone/model")
    with pytest.raises(ModelError, match="nothing in the hub's cache"):
        remove_model("hashing")
