"""Which window strategies suit a model: the same answer in errors, for each kind of model, and of an embedder."""

import re

import pytest

from qdrant_embed import load_embedder
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.long_context import CUTS, METHODS
from qdrant_embed.models.long_context_support import supported_windows
from qdrant_embed.models.resolve import resolve
from tests.support.tiny_models import save_static_model

LEARNED = ("gp:TOKENS", "rp:TOKENS", "pi:TOKENS")


def test_an_averaging_model_takes_all_and_its_ways_to_be_stretched(save_model):
    assert load_embedder(save_model()).supported_windows == (*CUTS, *LEARNED)
    assert load_embedder("minilm").supported_windows == (*CUTS, *LEARNED)


@pytest.mark.parametrize("pooling", ["cls", "lasttoken", "max", "weightedmean"])
def test_models_that_do_not_average_are_not_read_late(save_model, pooling):
    folder = save_model(pooling)
    legal = supported_windows(resolve(folder))
    assert legal == ("error", "truncate", "pcw", "windows", *LEARNED)
    reason = f"pools by {pooling!r}, so that such averages are no vectors of it. Choose one of {', '.join(legal)}."
    with pytest.raises(ConfigurationError, match=re.escape(reason)):
        load_embedder(folder, window="late")
    with pytest.raises(ConfigurationError, match=re.escape(f"Choose one of {', '.join(legal)}.")):
        load_embedder(folder, window="ntk:4096")
    with pytest.raises(ConfigurationError, match="the window strategy 'late' does not suit"):
        load_embedder(folder, window="pi:4096+late")


def test_models_with_layers_behind_the_pooling_are_not_read_late(save_model):
    with pytest.raises(ConfigurationError, match=r"with layers of its own behind it.*windows, gp:TOKENS"):
        load_embedder(save_model(dense=16), window="late")


@pytest.mark.parametrize("name", ["hashing", "openai-small", "static"])
def test_what_is_named_instead_is_legal_itself(name, tmp_path):
    model = save_static_model(tmp_path) if name == "static" else name
    legal = load_embedder(model).supported_windows
    assert "late" not in legal and not [word for word in legal if word.partition(":")[0] in METHODS]
    for window in ("late", "pi:900000", "pi:900000+late"):
        with pytest.raises(ConfigurationError, match=f"does not suit .* Choose one of {', '.join(legal)}\\.$"):
            load_embedder(model, window=window)
    for window in legal:
        load_embedder(model, window=window)


def test_windows_longer_than_the_model_name_a_way_to_stretch_it_only_where_there_is_one(save_model):
    folder = save_model()
    with pytest.raises(ConfigurationError, match=r"more than the 24 .* at most late:24, or stretch .* pi:128\+late:64"):
        load_embedder(folder, window="late:64")
    assert load_embedder(folder, window="pi:128+late:64").max_tokens == 128
    with pytest.raises(ConfigurationError, match=r"more than the \d+ .* give at most windows:\d+\.$"):
        load_embedder("hashing", window="windows:900000")
