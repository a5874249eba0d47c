"""Which of our presets run without torch, by their architectures."""

from qdrant_embed.models.catalog import our_models
from qdrant_embed.runtimes.families.known_families import FAMILIES, family_of

NEED_TORCH = {"qwen2_vl": "the text side of a model that sees images"}


def test_all_dense_presets_that_can_be_loaded_but_one_are_of_a_known_family():
    dense = [model for model in our_models() if model.get("kind", "dense") == "dense" and not model.get("unloadable")]
    stated = {model["architecture"] for model in dense if model.get("architecture")}
    assert stated - set(FAMILIES) == set(NEED_TORCH)


def test_presets_ask_for_no_attention_that_their_family_is_not_built_with():
    for model in our_models():
        family = family_of(str(model.get("architecture")))
        assert family is None or model.get("attention", family.attentions[0]) in family.attentions, model["name"]


def test_a_family_names_the_types_that_it_is_found_by():
    for kind in FAMILIES:
        family = family_of(kind)
        assert family is not None
        assert kind in family.model_types
