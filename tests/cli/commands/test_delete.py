import pytest


def count(cli):
    return cli("info", "--collection", "documents", "--json").json["documents"]


def test_documents_go_by_source(cli, ingested):
    answer = cli("delete", "--source", "guide/*", "--yes", "--json")
    assert answer.json["deleted"] > 0
    assert count(cli) == 2


def test_it_asks_first_and_no_means_no(cli, ingested):
    answer = cli("delete", "--root", "harbour", typed="n\n")
    assert answer.code == 1
    assert f"Remove from 'documents' {ingested['chunks']} chunks?" in answer.err
    assert count(cli) == 4
    assert cli("delete", "--root", "harbour", typed="y\n").code == 0
    assert count(cli) == 0


def test_what_matches_nothing_is_said(cli, ingested):
    answer = cli("delete", "--source", "guide")
    assert answer.code == 0
    assert "removed 0 chunks" in answer.out
    assert "nothing matched" in answer.err


@pytest.mark.filterwarnings("always::qdrant_embed.errors.FilterWarning")
def test_a_field_that_no_document_has_is_warned_of_once(cli, ingested):
    for words in ((), ("--yes",), ("--dry-run",)):
        answer = cli("delete", "--filter", "sorce=guide", *words)
        assert (answer.code, answer.err.count("has a field 'sorce'")) == (0, 1)
    assert count(cli) == 4


def test_all_removes_the_collection_and_its_recipe(cli, ingested):
    assert cli("delete", "--all", "--yes").code == 0
    assert cli("info", "--json").json["collections"] == []


def test_all_asks_first_says_how_much_and_can_be_rehearsed(cli, ingested):
    chunks = ingested["chunks"]
    answer = cli("delete", "--all", typed="n\n")
    assert (answer.code, f"Remove the collection 'documents' with all its {chunks} chunks?" in answer.err) == (1, True)
    assert f"would remove {chunks} chunks" in cli("delete", "--all", "--dry-run").out
    assert count(cli) == 4
    answer = cli("delete", "--all", "--yes", "--json").json
    assert (answer["matched"], answer["deleted"]) == (chunks, chunks)


def test_a_server_that_cannot_be_reached_is_an_error_and_nothing_on_stdout(cli):
    for words in (["--dry-run"], ["--yes", "--json"]):
        answer = cli("delete", "--all", *words, "--at", "http://127.0.0.1:9")
        assert (answer.code, answer.out) == (1, "")


@pytest.mark.parametrize("words", [(), ("--all", "--source", "x")])
def test_what_to_delete_must_be_said_clearly(cli, ingested, words):
    assert cli("delete", "--yes", *words).code == 2
    assert count(cli) == 4


def test_chunks_go_by_a_filter(cli, ingested):
    there = cli("delete", "--filter", "source=guide/*", "--dry-run", "--json").json
    assert (there["dry_run"], there["deleted"]) == (True, 0)
    assert there["matched"] > 0
    assert "would remove" in cli("delete", "--filter", "source=guide/*", "--dry-run").out
    assert count(cli) == 4
    answer = cli(
        "delete", "--filter", "source=guide/*", "--filter", '{"source": {"not": "guide/keys.md"}}', "-y", "--json"
    )
    assert 0 < answer.json["deleted"] < there["matched"]
    assert count(cli) == 3


def test_one_chunk_is_no_plural(cli, ingested):
    assert "1 chunk?" in cli("delete", "--source", "index.md", typed="n\n").err
