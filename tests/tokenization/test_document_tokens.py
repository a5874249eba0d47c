"""Tokens and characters of a document: every token in the span that holds its middle."""

import pytest

from qdrant_embed import load_embedder
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.tokenization.document_tokens import frame
from tests.support.tiny_models import save_tiny_model


def tokens_of(tokenizer, text, spans, prompt=""):
    framed = frame(tokenizer, text, prompt)
    return [[framed.offsets[place].tolist() for place in range(*tokens)] for tokens in framed.tokens_of(spans)]


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory):
    """Return a tokenizer of each kind by its name."""
    found = {}
    for architecture, kind in (("bert", "wordpiece"), ("roberta", "bytes"), ("xlm-roberta", "unigram")):
        folder = save_tiny_model(tmp_path_factory.mktemp(kind), architecture)
        found[kind] = load_embedder(folder).token_counter.tokenizer
    return found


@pytest.mark.parametrize("kind", ["wordpiece", "bytes", "unigram"])
def test_white_space_at_the_ends_is_the_outer_chunks_and_left_out_text_is_nobodys(tokenizers, kind):
    text = "\n\n \tgates of keys and harbours open \n\n"
    framed = frame(tokenizers[kind], text, "")
    assert framed.tokens_of([(4, len(text.rstrip()))]) == [(0, len(framed.ids))]
    (first, last) = framed.tokens_of([(text.index("keys"), text.index("keys") + 4)])[0]
    assert 0 < first < last < len(framed.ids)


@pytest.mark.parametrize("kind", ["wordpiece", "bytes", "unigram"])
@pytest.mark.parametrize(
    "text",
    ["The gates open.\r\n\r\nKeys are rotated.", "पत्र 🏗️🏗 crane 👩‍🔧 four", "a\u0301e\u0301 — liman açılır", "x" * 40],
)
def test_tokens_are_each_in_one_of_the_spans_that_cover_a_text(tokenizers, kind, text):
    middle = len(text) // 2
    for border in (1, middle, middle + 1, len(text) - 1):
        framed = frame(tokenizers[kind], text, "")
        (first, one), (other, last) = framed.tokens_of([(0, border), (border, len(text))])
        assert first == 0 and last == len(framed.ids)
        assert other in (one, one - 1), "only a token around a span without any is in two"


def test_a_token_across_a_border_belongs_where_its_middle_is(tokenizers):
    text = "abcd efgh"
    framed = frame(tokenizers["wordpiece"], text, "")
    long = next(place for place, (start, end) in enumerate(framed.offsets.tolist()) if end - start >= 1)
    start, end = framed.offsets[long].tolist()
    assert framed.tokens_of([(0, start + (end - start - 1) // 2 + 1), (end, len(text))])[0][1] >= long + 1


def test_all_tokens_of_an_emoji_go_to_the_span_that_has_it(tokenizers):
    text = "ab 🏗 cd"
    inside = tokens_of(tokenizers["bytes"], text, [(0, 3), (3, 4), (4, len(text))])[1]
    assert inside and all(start <= 3 < end or (start, end) == (3, 4) for start, end in inside)


def test_prompt_tokens_stand_before_the_text_and_its_offsets_are_its_own(tokenizers):
    framed = frame(tokenizers["bytes"], "Crane four.", "query: ")
    assert framed.offsets[0].tolist()[0] == 0
    assert framed.offsets[-1].tolist()[1] == len("Crane four.")
    whole = tokenizers["bytes"].encode("query: Crane four.", add_special_tokens=False).ids
    assert [*framed.head, *framed.ids, *framed.tail] == whole


def test_a_span_without_a_token_of_its_own_takes_the_one_around_it(tokenizers):
    framed = frame(tokenizers["wordpiece"], "gates    open", "")
    (_, gates), (first, last), _ = framed.tokens_of([(0, 5), (6, 7), (9, 13)])
    assert (first, last) == (gates - 1, gates)


def test_a_text_that_stands_twice_in_its_prompt_cannot_be_pooled_late(tokenizers):
    with pytest.raises(ConfigurationError, match="several times in one prompt"):
        frame(tokenizers["bytes"], "x", "{text} again: {text}")
