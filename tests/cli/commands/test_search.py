import json
from pathlib import Path
from typing import get_args

import pytest
import typer
from typer.testing import CliRunner

from qdrant_embed.cli.app import app
from qdrant_embed.cli.commands.search import Mode, parse_filters
from qdrant_embed.retrieval import searcher as library
from qdrant_embed.store.location import open_engine
from tests.conftest import PAGES
from tests.support.foreign_writers import plain


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Ingest the harbour's pages by the command line, which is done once for all tests."""
    place = tmp_path_factory.mktemp("written")
    for name, text in PAGES.items():
        (place / "harbour" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "harbour" / name).write_text(text)
    words = ["ingest", str(place / "harbour"), "--at", str(place / "qdrant_data"), "--model", "hashing"]
    answer = CliRunner().invoke(app, words)
    assert answer.exit_code == 0, answer.output
    return place / "qdrant_data"


@pytest.fixture
def ingested(pages, written, tmp_path):
    """Let the default place, beside the pages, lead to what was ingested, which searches leave as it is."""
    (tmp_path / "qdrant_data").symlink_to(written)


def test_hits_as_json(cli, ingested):
    answer = cli("search", "cables of the cranes", "-k", "2", "--json").json
    assert (answer["query"], answer["k"], answer["mode"]) == ("cables of the cranes", 2, "hybrid")
    assert len(answer["hits"]) == 2
    best = answer["hits"][0]
    assert best["source"] == "guide/cranes.md"
    text = (Path("harbour") / best["source"]).read_text()
    assert text[best["start"] : best["end"]] == best["text"]


def test_hits_as_a_table_of_80_columns(cli, ingested):
    answer = cli("search", "where is cod weighed?", "-k", "1")
    assert "notes/fish.txt" in answer.out
    assert max(map(len, answer.out.splitlines())) <= 80
    assert answer.err == ""


def test_filters_narrow_the_search(cli, ingested):
    def sources(*words):
        return {hit["source"] for hit in cli("search", "harbour keys cranes cod", *words, "--json").json["hits"]}

    assert sources("--filter", "source=guide/*") == {"guide/keys.md", "guide/cranes.md"}
    assert sources("--filter", "source=guide/*", "--filter", '{"source": {"not": "guide/keys.md"}}') == {
        "guide/cranes.md"
    }


def test_nothing_found_is_no_error(cli, ingested):
    answer = cli("search", "zeppelin", "--mode", "bm25", "--json")
    assert (answer.code, answer.json["hits"]) == (0, [])
    assert "nothing found" in cli("search", "zeppelin", "--mode", "bm25").out


def test_min_score(cli, ingested):
    assert cli("search", "cod", "--mode", "dense", "--min-score", "0.999", "--json").json["hits"] == []


def test_a_place_without_collections_is_not_made_by_looking(cli):
    answer = cli("search", "anything")
    assert answer.code == 1
    assert "qdrant-embed ingest PATH" in answer.err
    assert not Path("qdrant_data").exists()


def test_an_unknown_collection_is_named_with_those_that_exist(cli, ingested):
    answer = cli("search", "anything", "--collection", "documnts")
    assert answer.code == 1
    assert "documnts" in answer.err
    assert "documents" in answer.err


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ([], None),
        (["page=3"], {"page": 3}),
        (["source=guide/*"], {"source": "guide/*"}),
        (["version='3'"], {"version": "'3'"}),
        (['version="3"'], {"version": "3"}),
        (["author=null"], {"author": None}),
        (["draft=true"], {"draft": True}),
        (["formula=a=b"], {"formula": "a=b"}),
        (['{"page": {"gte": 3}}'], {"page": {"gte": 3}}),
        (["a=1", "a=2"], {"all": [{"a": 1}, {"a": 2}]}),
    ],
)
def test_filters_as_typed(typed, meant):
    assert parse_filters(typed) == meant


@pytest.mark.parametrize("typed", ["page", "=3", "page>=3", "source!=a.md", '{"page": ', "[1]"])
def test_what_is_no_filter(typed):
    with pytest.raises(typer.BadParameter, match="JSON"):
        parse_filters([typed])


def test_a_filter_typed_wrongly_is_a_usage_error(cli):
    assert cli("search", "x", "--filter", "nonsense").code == 2


def test_a_filter_that_means_nothing_is_an_error_of_the_library(cli, ingested):
    answer = cli("search", "x", "--filter", json.dumps({"page": {"about": 3}}))
    assert answer.code == 1
    assert "known: gt, gte, lt, lte, eq, not, words, phrase" in answer.err


def test_modes_are_those_of_the_library():
    assert {mode.value for mode in Mode} == set(get_args(library.Mode))


def test_a_file_is_no_location(cli, pages):
    answer = cli("search", "anything", "--at", pages / "index.md")
    assert answer.code == 1
    assert "is a file; a location is a folder" in answer.err


def test_several_words_are_one_question(cli, ingested):
    answer = cli("search", "cables", "of", "the", "cranes", "-k", "1", "--json").json
    assert answer["query"] == "cables of the cranes"
    assert answer["hits"] == cli("search", "cables of the cranes", "-k", "1", "--json").json["hits"]


@pytest.mark.parametrize("words", [(), (" ",), ("keys", "--queries", "-")])
def test_a_question_or_a_file_of_them(cli, ingested, words):
    assert cli("search", *words).code == 2


@pytest.mark.parametrize("place", ["questions.txt", "-"])
def test_many_questions_in_one_process(cli, ingested, place):
    questions = ["cables of the cranes", "where is cod weighed?", "Größe \u202e"]
    typed = "\ufeff" * (place != "-") + "\n\n".join(questions) + "\n"
    Path("questions.txt").write_text(typed, encoding="utf-8")
    answer = cli("search", "--queries", place, "-k", "2", typed=typed)
    lines = [json.loads(line) for line in answer.out.splitlines()]
    assert [line["query"] for line in lines] == questions
    assert lines[0]["hits"] == cli("search", questions[0], "-k", "2", "--json").json["hits"]
    assert "\u202e" not in answer.out


def test_a_file_of_questions_that_is_not_there(cli, ingested):
    answer = cli("search", "--queries", "nope.txt")
    assert (answer.code, "cannot be read" in answer.err) == (2, True)


def test_pages(cli, ingested):
    first, second = (
        cli("search", "keys and cranes", "-k", "2", "--offset", offset, "--json").json["hits"] for offset in ("0", "2")
    )
    assert first + second == cli("search", "keys and cranes", "-k", "4", "--json").json["hits"]


def test_long_passages_are_cut_around_what_is_marked(cli, tmp_path):
    (tmp_path / "long.txt").write_text("filler words " * 90 + "the zeppelin lands " + "filler words " * 90)
    cli("ingest", "long.txt", "--model", "hashing", "--chunk-tokens", "500")
    cut, whole = cli("search", "zeppelin", "-k", "1").out, cli("search", "zeppelin", "-k", "1", "--full").out
    assert "zeppelin" in cut
    assert "…" in cut
    assert len(cut) < 1500 < len(whole)


def test_the_folder_is_named_where_there_are_several(cli, tmp_path):
    for folder in ("alpha", "beta"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "README.md").write_text(f"# The {folder}\n\nWords about {folder}.\n")
    cli("ingest", "alpha", "--model", "hashing")
    assert "alpha: README.md" not in cli("search", "words").out
    cli("ingest", "beta")
    for folder in ("alpha", "beta"):
        assert f"{folder}: README.md" in cli("search", "words").out


NAMES = ["esc\x1b[31mred.pdf", "rlo\u202egpj.pdf", "iso\u2066x.pdf", "two\nlines.pdf", "[bold]x.pdf"]


@pytest.mark.parametrize("words", [(), ("--quiet",), ("--json",), ("--dry-run",)])
def test_names_of_files_do_not_act(cli, tmp_path, words):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_text("x")
        (folder / name.replace(".pdf", ".md")).write_text("# A title \x1b[2J\u202e\n\nSome text \x9b31m of it.\n")
    answer = cli("ingest", "in", "--model", "hashing", *words)
    shown = answer.out + answer.err
    shown += cli("search", "text").out + cli("search", "text", "--json").out + cli("info", "-c", "documents").out
    assert not [letter for letter in shown if letter in "\x1b\x9b\u202e\u2066\r"]
    assert not any(line.strip().startswith("lines.pdf") for line in shown.splitlines())


def test_one_passage_of_each_document_and_longer_ones(cli, ingested):
    hits = cli("search", "cod", "-k", 3, "--group-by", "document", "--json").json["hits"]
    assert len({hit["source"] for hit in hits}) == len(hits) > 1
    plain = cli("search", "cod", "-k", 1, "--json").json["hits"][0]
    longer = cli("search", "cod", "-k", 1, "--expand", 9, "--json").json["hits"][0]
    assert longer["id"] == plain["id"]
    assert longer["end"] - longer["start"] == len(longer["text"]) >= len(plain["text"])
    assert cli("search", "cod", "--expand", "chapter").code == 1
    assert cli("search", "cod", "--group-by", "page").code == 2


def test_what_something_else_wrote_is_attached(cli, tmp_path):
    engine = open_engine(tmp_path / "qdrant_data")
    plain(engine, "notes")
    engine.close()
    refused = cli("search", "gates", "-c", "notes")
    assert refused.code == 1
    assert "--attach MODEL" in " ".join(refused.err.split())
    found = cli(
        "search", "when do the gates open", "-c", "notes", "--attach", "hashing", "--filter", "year=2024", "--json"
    )
    assert [(hit["id"], hit["source"]) for hit in found.json["hits"]] == [("7", "gates.md")]
    wrong = cli("search", "gates", "-c", "notes", "--attach", "minilm")
    assert (wrong.code, "256 dimensions, those of 'minilm' 384" in " ".join(wrong.err.split())) == (1, True)
    assert "none is guessed" in " ".join(cli("search", "gates", "-c", "notes", "--attach", "auto").err.split())
    told = cli("info", "-c", "notes", "--attach", "none", "--json").json
    assert (told["chunks"], told["layout"]["text"], told["layout"]["ids"]) == (4, "text", "int")
    page = cli("info", "-c", "notes", "--attach", "hashing").out
    assert "in 100% of the points" in page
    assert "cosine 1.0000" in page
    assert max(map(len, page.splitlines())) <= 80
