import json
import shutil

import numpy as np
import pytest

from qdrant_embed.long_context import WindowStrategy
from qdrant_embed.tokenization.sequences import TokenSequence, TokenSequencer
from qdrant_embed.tokens import HuggingFaceTokens


def metaspace_folder(folder):
    """Save a tokenizer whose tokens begin with the space before their word, as SentencePiece's do."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    words = ["<pad>", "</s>", "<unk>", "▁query:", "▁one", "▁two", "▁three"]
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"pad_token": {"content": "<pad>", "lstrip": False}, "padding_side": "left"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def make_sequencer(folder, max_tokens):
    return TokenSequencer(HuggingFaceTokens.from_file(folder / "tokenizer.json"), folder, max_tokens)


def test_a_token_that_reaches_from_the_prompt_into_the_text_belongs_to_the_text(tmp_path):
    # "▁one" holds the prompt's last space; were it taken for prompt, the second window would read it again.
    (cut,) = make_sequencer(metaspace_folder(tmp_path), 4).cut(["one two three"], "query: ", WindowStrategy())
    assert cut.length == 3
    assert [sequence.ids for sequence in cut.sequences] == [[3, 4, 5, 1], [3, 5, 6, 1]]


@pytest.mark.parametrize(("most", "length"), [(64, 16), (20, 16), (10, 10), (3, 4)])
def test_a_batch_is_rounded_up_with_padding_as_far_as_the_model_reads(tmp_path, most, length):
    sequences = [TokenSequence([4, 1]), TokenSequence([4, 5, 6, 1])]
    sequencer = make_sequencer(metaspace_folder(tmp_path), most)
    exact, batch = sequencer.batch(sequences), sequencer.batch(sequences, multiple=16)
    assert batch.mask.shape == batch.ids.shape == (2, length)
    for row in range(2):
        np.testing.assert_array_equal(batch.ids[row][batch.mask[row] == 1], exact.ids[row][exact.mask[row] == 1])


@pytest.mark.parametrize(
    ("architecture", "left"), [("qwen3", True), ("modernbert", True), ("bert", False), ("gpt2", False), (None, False)]
)
def test_padding_stands_where_the_tokenizer_wants_it_if_positions_are_rotary(tmp_path, architecture, left):
    folder = metaspace_folder(tmp_path)
    (folder / "config.json").write_text(json.dumps({"model_type": architecture}))
    batch = make_sequencer(folder, 4).batch([TokenSequence([4, 1]), TokenSequence([4, 5, 6, 1])])
    assert batch.ids.tolist() == [[0, 0, 4, 1] if left else [4, 1, 0, 0], [4, 5, 6, 1]]
    assert batch.mask.tolist() == [[0, 0, 1, 1] if left else [1, 1, 0, 0], [1, 1, 1, 1]]


def test_an_empty_text_without_special_tokens_is_still_one_token(tmp_path):
    from tokenizers import Tokenizer

    folder = metaspace_folder(tmp_path)
    bare = Tokenizer.from_file(str(folder / "tokenizer.json"))
    bare.post_processor = None
    bare.save(str(folder / "tokenizer.json"))
    (cut,) = make_sequencer(folder, 4).cut([""], "", WindowStrategy())
    assert [sequence.ids for sequence in cut.sequences] == [[0]]


@pytest.mark.parametrize("saved", [{"truncation": 2, "padding": 9}], ids=["saved truncation and padding"])
def test_what_the_tokenizer_file_says_of_length_is_not_obeyed(tmp_path, plain_folder, saved):
    from tokenizers import Tokenizer

    folder = shutil.copytree(plain_folder, tmp_path / "copy")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(saved["truncation"])
    tokenizer.enable_padding(length=saved["padding"])
    tokenizer.save(str(folder / "tokenizer.json"))
    (cut,) = make_sequencer(folder, 24).cut(["w1 w2 w3 w4"], "", WindowStrategy())
    assert (cut.length, len(cut.sequences[0])) == (4, 6)
