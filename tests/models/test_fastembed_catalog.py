"""What is taken of fastembed's own objects, without fastembed."""

from types import SimpleNamespace

from tokenizers import Tokenizer, models, pre_tokenizers

from qdrant_embed.models import fastembed_catalog


def test_its_tokenizer_stays_as_it_was_and_counts_without_truncation_and_padding(monkeypatch):
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=64)
    theirs = SimpleNamespace(model=SimpleNamespace(tokenizer=tokenizer))
    monkeypatch.setattr(fastembed_catalog, "load", lambda _: theirs)
    counter = fastembed_catalog.FastembedModels().counter(SimpleNamespace(name="tiny"))
    assert counter.count("a " * 20) == 20
    assert len(tokenizer.encode("a").ids) == 64
    assert tokenizer.truncation["max_length"] == 4
