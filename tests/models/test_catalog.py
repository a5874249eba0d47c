"""What is known of models, without loading one."""

import pytest

from qdrant_embed import describe_model, list_models
from qdrant_embed.errors import UnknownNameError


def preset(folder, text):
    (folder / "mine.toml").write_text(text)
    return folder / "mine.toml"


def test_models_are_listed_by_name_and_narrowed_down(tmp_path):
    names = [model["name"] for model in list_models()]
    assert names == sorted(names)
    assert [model["name"] for model in list_models("hashed")] == ["hashing"]
    mine = preset(tmp_path, "[models.mine]\nabout = 'A <b>harbour</b>.'\ndim = 8\nlanguages = ['de']\n")
    assert "mine" in [model["name"] for model in list_models(language="de", dim=8, presets=mine)]
    assert "mine" not in [model["name"] for model in list_models(language="fr", presets=mine)]


def test_a_list_draws_itself_and_lets_no_markup_through(tmp_path):
    listed = list_models("harbour", presets=preset(tmp_path, "[models.mine]\nabout = 'A <b>harbour</b>.'\ndim = 8\n"))
    assert str(listed).splitlines() == ["model  dims  tokens  about", "mine      8       –  A <b>harbour</b>."]
    assert "<td>A &lt;b&gt;harbour&lt;/b&gt;.</td>" in listed._repr_html_()


def test_a_description_says_where_each_value_was_read():
    found = describe_model("hashing")
    assert found.weights.here
    assert found.values["dim"] == 256
    assert found.as_dict()["values"]["dim"] == {"value": 256, "origin": "preset hashing.toml", "read_in": ""}
    assert "preset hashing.toml" in str(found)
    assert "weights: none needed" in str(found).splitlines()
    assert "<td>preset hashing.toml</td>" in found._repr_html_()


def test_an_unknown_model_is_named_with_near_ones():
    with pytest.raises(UnknownNameError, match="Did you mean 'hashing'"):
        describe_model("hashin")
