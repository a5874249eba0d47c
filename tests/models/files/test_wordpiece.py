"""A vocabulary alone, read as transformers reads it, or left to transformers."""

import json

import pytest

from qdrant_embed.models.files.wordpiece import wordpiece_tokenizer

WORDS = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *(
        ".",
        ",",
        "!",
        "'",
        "a",
        "##b",
        "key",
        "##s",
        "cafe",
        "café",
        "Café",
        "naive",
        "東",
        "京",
        "##京",
        "in",
        "n",
        "##o",
    ),
]
TEXTS = (
    "Keys, café! Café NAÏVE naive's ab 東京 東京keys [MASK] [SEP] key[MASK]s\t\x00 unknownword keys.",
    "",
    "a" * 120,
)


@pytest.fixture
def folder(tmp_path):
    def save(settings=None, words=WORDS, **files):
        (tmp_path / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
        (tmp_path / "config.json").write_text('{"model_type": "bert"}')
        if settings is not None:
            (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
        for name, values in files.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(values))
        return tmp_path

    return save


@pytest.mark.parametrize(
    "settings",
    [
        None,
        {"tokenizer_class": "BertTokenizer", "do_lower_case": False, "model_max_length": 512},
        {
            "tokenizer_class": "BertTokenizerFast",
            "strip_accents": False,
            "do_basic_tokenize": True,
            "never_split": None,
        },
        {"tokenizer_class": "DistilBertTokenizer", "tokenize_chinese_chars": False, "strip_accents": True},
        {"tokenizer_class": "BertTokenizer", "added_tokens_decoder": {"4": {"content": "[MASK]", "special": True}}},
    ],
    ids=str,
)
def test_tokens_are_those_of_transformers(folder, settings):
    from transformers import AutoTokenizer

    place = folder(settings)
    ours, theirs = wordpiece_tokenizer(place), AutoTokenizer.from_pretrained(place)
    for text in TEXTS:
        for special in (True, False):
            found = ours.encode(text, add_special_tokens=special)
            wanted = theirs(text, add_special_tokens=special, return_offsets_mapping=True)
            assert found.ids == wanted["input_ids"]
            assert found.offsets == wanted["offset_mapping"]


@pytest.mark.parametrize(
    ("settings", "words", "files"),
    [
        ({"tokenizer_class": "MPNetTokenizer"}, WORDS, {}),
        ({"tokenizer_class": "BertTokenizer", "something_new": 1}, WORDS, {}),
        ({"tokenizer_class": "BertTokenizer", "never_split": ["key"]}, WORDS, {}),
        ({"tokenizer_class": "BertTokenizer", "mask_token": {"content": "[MASK]", "lstrip": True}}, WORDS, {}),
        (
            {"tokenizer_class": "BertTokenizer", "unk_token": "[UNK]"},
            WORDS,
            {"special_tokens_map": {"unk_token": "<u>"}},
        ),
        ({"tokenizer_class": "BertTokenizer"}, WORDS, {"added_tokens": {"[Q]": 40}}),
        ({"tokenizer_class": "BertTokenizer"}, WORDS[1:], {}),
    ],
    ids=str,
)
def test_what_is_not_decided_by_the_vocabulary_is_left_to_transformers(folder, settings, words, files):
    assert wordpiece_tokenizer(folder(settings, words, **files)) is None
