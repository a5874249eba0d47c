"""Tokens of models whose tokenizer is elsewhere."""

import hashlib
import logging
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.long_context import WindowStrategy
from qdrant_embed.models.identity import identity_of
from qdrant_embed.models.presets import Preset
from qdrant_embed.tokenization import model_counters
from qdrant_embed.tokenization.model_counters import counter_of, special_tokens_of
from qdrant_embed.tokens import EstimatedTokens, HuggingFaceTokens, TiktokenTokens, TokenCounter

PROSE = (Path(__file__).parents[2] / "docs/guide/ingesting.md").read_text()
SCRIPTS = "統一 résumé ﷽ Привет, мир! नमस्ते दुनिया 🧪 12345 x=f(y); "
needs_encoding = pytest.mark.skipif(find_spec("llama_index") is None, reason="brings a copy of the encoding")


@pytest.fixture(autouse=True)
def fresh():
    model_counters._counter.cache_clear()


@given(st.text(max_size=200))
def test_the_estimate_keeps_to_the_protocol(text):
    counter = EstimatedTokens()
    assert isinstance(counter, TokenCounter)
    offsets = counter.offsets(text)
    assert len(offsets) == counter.count(text) == counter.count_batch([text])[0]
    assert (offsets[:, 0] < offsets[:, 1]).all()
    assert (np.diff(offsets[:, 0]) >= 0).all()
    covered = np.zeros(len(text), bool)
    for start, end in offsets:
        covered[start:end] = True
    assert all(inside or letter.isspace() for letter, inside in zip(text, covered, strict=True))


@needs_encoding
@pytest.mark.parametrize("encoding", ["cl100k_base", "o200k_base"])
def test_the_estimate_is_rather_too_high_than_too_low(encoding):
    exact, estimate = counter_of(Preset(name="x", tokenizer=f"tiktoken:{encoding}")), EstimatedTokens()
    if isinstance(exact, EstimatedTokens):
        pytest.skip("no copy of the encoding")
    for paragraph in [*PROSE.split("\n\n"), SCRIPTS]:
        assert estimate.count(paragraph) >= exact.count(paragraph)
    assert estimate.count(PROSE) < 1.5 * exact.count(PROSE)


@needs_encoding
def test_a_copy_of_the_encoding_is_found_without_a_network(monkeypatch, tmp_path):
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR", raising=False)
    monkeypatch.setattr(model_counters.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr("requests.get", lambda *arguments, **options: pytest.fail("something was downloaded"))
    counter = counter_of(Preset(name="x", tokenizer="tiktoken:cl100k_base"))
    assert isinstance(counter, TiktokenTokens)
    assert counter.count("Master keys are rotated.") == 5


def test_without_a_copy_tokens_are_estimated_and_it_is_said_once(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(model_counters, "_tiktoken_caches", lambda: iter([("TIKTOKEN_CACHE_DIR", tmp_path)]))
    preset = Preset(name="x", runtime="api", api="openai", api_model="y", tokenizer="tiktoken:cl100k_base")
    with caplog.at_level(logging.WARNING):
        assert isinstance(counter_of(preset), EstimatedTokens)
        counter_of(preset)
    assert len(caplog.records) == 1
    assert "tiktoken.get_encoding('cl100k_base')" in caplog.text
    assert identity_of(preset) == {"model": "openai:y", "tokenizer": "tiktoken:cl100k_base"}


def test_the_folder_that_the_environment_names_is_asked_and_stays_named(monkeypatch, tmp_path):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    assert next(model_counters._tiktoken_caches()) == ("TIKTOKEN_CACHE_DIR", tmp_path)
    with model_counters._variable("TIKTOKEN_CACHE_DIR", tmp_path / "other"):
        assert model_counters.os.environ["TIKTOKEN_CACHE_DIR"].endswith("other")
    assert model_counters.os.environ["TIKTOKEN_CACHE_DIR"] == str(tmp_path)


def test_the_name_in_the_cache_is_tiktokens_own():
    address = "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken"
    assert model_counters._cached_as("cl100k_base") == hashlib.sha1(address.encode()).hexdigest()


def test_a_tokenizer_file_or_its_folder(plain_folder):
    for place in (plain_folder, plain_folder / "tokenizer.json"):
        preset = Preset(name="x", tokenizer=str(place))
        counter = counter_of(preset)
        assert isinstance(counter, HuggingFaceTokens)
        assert counter.count("w1 w2") == 2
        assert special_tokens_of(preset, counter) == 2
    with pytest.raises(ConfigurationError, match=r"tokenizer\.json"):
        counter_of(Preset(name="x", tokenizer="/nowhere"))


@given(text=st.text(min_size=1, max_size=300), room=st.integers(1, 40), name=st.sampled_from(["pcw", "truncate"]))
def test_windows_of_texts_fit_and_cover(text, room, name):
    from qdrant_embed.tokenization.text_windows import TextWindows, cut_counts

    counter = EstimatedTokens()
    (cut,) = TextWindows(counter, room, 0).cut([text], "", WindowStrategy.parse(name))
    assert len(cut.texts) == len(cut.windows)
    assert all(piece in text for piece in cut.texts)
    if room >= 3:  # a character may have three tokens
        assert max(counter.count_batch(list(cut.texts))) <= room
    if name == "pcw":
        assert cut.windows[-1][1] == cut.length
        assert not cut_counts([cut])["truncated"]


def test_templates_count_on_both_sides():
    from qdrant_embed.tokenization.text_windows import TextWindows

    windows = TextWindows(EstimatedTokens(), 40, 2)
    assert windows.room("") == 38
    assert windows.room("say: {text} again: {text}") <= 16
    (cut,) = windows.cut(["w1"], "say: {text} end", WindowStrategy.parse("error"))
    assert cut.texts == ["say: w1 end"]
    with pytest.raises(ConfigurationError, match="leaves no room"):
        windows.room("word " * 50)
