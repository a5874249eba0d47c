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


def test_all_removes_the_collection_and_its_recipe(cli, ingested):
    assert cli("delete", "--all", "--yes").code == 0
    assert cli("info", "--json").json["collections"] == []


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
