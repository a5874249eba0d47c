"""Prompts joined to texts that were tokenized before, beside prompt and text tokenized together."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qdrant_embed.long_context import WindowStrategy
from qdrant_embed.tokenization.prompt_boundary import prompt_boundary
from qdrant_embed.tokenization.sequences import TokenSequencer
from qdrant_embed.tokens import HuggingFaceTokens, encodable
from tests.support.tiny_models import ARCHITECTURES, build_tokenizer, save_transformer

PROMPTS = ("query: ", "search_document: ", "Represent this sentence for searching relevant passages: ")
TRICKY = "aäé '-#.\n[]<>▁\u0301\u200d"
TEXTS = ["Crane four", "# Keys\n\n- a lost key", "[MASK] </s> <pad>", "\u0301accent", " spaced", "", "統一", "👍🏽 up"]


def tokens_of(architecture):
    return HuggingFaceTokens(build_tokenizer(ARCHITECTURES[architecture], "right", 64)._tokenizer)


@pytest.fixture(scope="module", params=["bert", "xlm-roberta"], ids=["wordpiece", "unigram"])
def tokens(request):
    return tokens_of(request.param)


@given(text=st.text(st.characters() | st.sampled_from(TRICKY), max_size=12), prompt=st.sampled_from(PROMPTS))
@example(text="<pad>", prompt="query: ")
@example(text="[SEP] key", prompt="query: ")
@settings(max_examples=200, deadline=None)
def test_apart_is_the_same_as_together(tokens, text, prompt):
    boundary = prompt_boundary(tokens.tokenizer, prompt)
    assert boundary is not None
    if boundary.fits(text):
        together = tokens.tokenizer.encode(encodable(prompt + text), add_special_tokens=False)
        ids, prompted = boundary.join(tokens.ids_batch([text])[0])
        assert ids == together.ids
        assert prompted == sum(end <= len(prompt) for _, end in together.offsets)


@pytest.mark.parametrize(
    ("architecture", "prompt"),
    [("qwen3", "query: "), ("roberta", "query: "), ("bert", "query:"), ("bert", "query:  "), ("bert", "query:\n")],
)
def test_where_a_token_may_reach_over_the_boundary_there_is_none(architecture, prompt):
    assert prompt_boundary(tokens_of(architecture).tokenizer, prompt) is None


def test_a_token_that_is_not_seen_in_the_raw_text_leaves_no_boundary():
    from tokenizers import AddedToken

    tokenizer = tokens_of("bert").tokenizer
    assert prompt_boundary(tokenizer, "query: ") is not None
    tokenizer.add_tokens([AddedToken("harbour", lstrip=True)])
    assert prompt_boundary(tokenizer, "query: ") is None


@pytest.mark.parametrize("architecture", ["bert", "xlm-roberta", "qwen3"])
def test_what_the_chunker_has_tokenized_is_used_again_and_changes_nothing(tmp_path, architecture, monkeypatch):
    folder = save_transformer(tmp_path, architecture)
    sequencer = TokenSequencer(HuggingFaceTokens.from_file(folder / "tokenizer.json"), folder, 24)
    prompt, strategy, long = "passage: ", WindowStrategy(), "Crane four lifts twelve tons. " * 9
    counted = TokenSequencer(HuggingFaceTokens.from_file(folder / "tokenizer.json"), folder, 24)
    counted.token_counter.count_batch([*TEXTS, long])
    monkeypatch.setattr("qdrant_embed.tokenization.sequences.prompt_boundary", lambda *_: None)
    wanted = sequencer.cut([*TEXTS, long], prompt, strategy)
    monkeypatch.undo()
    asked = []
    if architecture != "qwen3":
        monkeypatch.setattr(type(counted.token_counter), "ids_batch", _only_known(counted.token_counter, asked))
    found = counted.cut([*TEXTS, long], prompt, strategy)
    assert [(cut.windows, [list(sequence.ids) for sequence in cut.sequences], cut.length) for cut in found] == [
        (cut.windows, [list(sequence.ids) for sequence in cut.sequences], cut.length) for cut in wanted
    ]
    apart = [text for text in (*TEXTS, long) if architecture != "qwen3" and wanted_apart(counted, text)]
    assert asked == apart


def wanted_apart(sequencer, text):
    return prompt_boundary(sequencer.token_counter.tokenizer, "passage: ").fits(text)


def _only_known(tokens, asked):
    """Let token ids be had of texts only that were tokenized before."""
    known = dict(tokens._recent)

    def ids_batch(_, texts):
        asked.extend(texts)
        return [known[text] for text in texts]

    return ids_batch


@pytest.mark.parametrize("prompt", ["query: ", "query: {text} ."])
def test_a_broken_character_behind_a_prompt_loses_no_text(tmp_path, prompt):
    folder = save_transformer(tmp_path, "bert")
    sequencer = TokenSequencer(HuggingFaceTokens.from_file(folder / "tokenizer.json"), folder, 24)
    broken, mended = sequencer.cut(["\ud83d key", "\ufffd key"], prompt, WindowStrategy())
    np.testing.assert_array_equal(broken.sequences[0].ids, mended.sequences[0].ids)
