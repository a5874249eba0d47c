"""`extend`: a folder of documents and a model go in, a model that reads longer texts comes out, and is used."""

import pytest

from qdrant_embed import load_embedder
from tests.support.tiny_models import SENTENCES

QUICK = ("--steps", "2", "--batch", "2", "--sample-tokens", "32")


@pytest.fixture
def corpus(tmp_path):
    """Return a folder of texts with one file that cannot be read."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for at in range(4):
        (folder / f"{at}.md").write_text(" ".join(SENTENCES[at:] + SENTENCES[:at]) * 2)
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 but nothing else")
    return folder


@pytest.mark.filterwarnings("default::qdrant_embed.errors.UnreadableWarning")
def test_the_folder_that_is_written_reads_as_much_as_was_asked(cli, tiny, corpus, tmp_path):
    answer = cli("extend", tiny, "--to", "128", "--corpus", corpus, *QUICK, "--json")
    assert answer.code == 0, answer.err
    made = answer.json
    assert (made["folder"], made["tokens"]) == (f"{tiny.name}-128", 128)
    assert made["passages"] >= 2 and -1 <= made["cosine_before"] <= 1 and -1 <= made["cosine_after"] <= 1
    assert "broken.pdf is left out" in answer.err and "2/2 loss" in answer.err
    assert load_embedder(tmp_path / made["folder"]).max_tokens == 128
    assert cli("ingest", corpus, "--exclude", "*.pdf", "--model", made["folder"], "--json").json["embedded"] > 0


def test_it_says_what_was_made_and_what_to_type(cli, tiny, corpus):
    words = ("extend", tiny, "--to", "128", "--corpus", corpus / "0.md", "--out", "longer", "--method", "rp", *QUICK)
    answer = cli(*words)
    assert answer.code == 0, answer.err
    assert "written: longer reads 128 tokens" in " ".join(answer.err.split())
    assert "use it: qdrant-embed ingest … --model longer" in answer.err
    again = cli(*words)
    assert again.code == 1 and "exists; name a folder that does not" in " ".join(again.err.split())


def test_what_cannot_be_extended_is_refused(cli, tiny, corpus):
    answer = cli("extend", tiny, "--to", "64", "--corpus", corpus)
    assert answer.code == 1 and "give a longer target than 64" in " ".join(answer.err.split())
    assert cli("extend", tiny, "--to", "128", "--corpus", corpus / "missing").code == 2
