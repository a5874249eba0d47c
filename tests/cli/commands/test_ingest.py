import os
import subprocess
import sys
from pathlib import Path

import pytest

import qdrant_embed
from qdrant_embed import Collection, IngestReport, ReadOptions, Recipe
from qdrant_embed.cli import parameters
from qdrant_embed.collection import DEFAULT_LOCATION
from qdrant_embed.ingest import Failure
from qdrant_embed.ingest.monitoring.report import combined
from qdrant_embed.runtimes.conversion import convert
from tests.support.tiny_encoders import save_colbert, save_splade
from tests.support.tiny_models import SENTENCES


def test_the_shortest_command_line_ingests_and_finds(cli, pages):
    assert cli("ingest", pages, "--model", "hashing").code == 0
    assert "guide/keys.md" in cli("search", "how often are master keys rotated?").out


def test_json_is_the_report_and_all_of_stdout(ingested):
    assert set(IngestReport().as_dict()) < set(ingested)
    assert ingested["documents"] == 4
    assert ingested["embedded"] == ingested["chunks"] > 0
    assert (ingested["collection"], ingested["at"]) == ("documents", "./qdrant_data")
    assert ingested["failed"] == []


def test_a_second_run_embeds_nothing_and_needs_no_flags(cli, pages, ingested):
    again = cli("ingest", pages, "--json").json
    assert (again["embedded"], again["reused"]) == (0, ingested["chunks"])


def test_fields_get_their_index_when_a_collection_is_made_and_later(cli, pages):
    assert cli("ingest", pages, "--model", "hashing", "--index", "team", "--index", "year=integer", "--quiet").code == 0
    assert cli("ingest", pages, "--index", "city=keyword", "--dry-run", "--quiet").code == 0
    with Collection.open("documents", at=DEFAULT_LOCATION) as docs:
        assert docs.recipe.index == {"team": "keyword", "year": "integer"}
    assert cli("ingest", pages, "--index", "city", "--index", "team", "--quiet").code == 0
    with Collection.open("documents", at=DEFAULT_LOCATION) as docs:
        assert docs.recipe.index == {"team": "keyword", "year": "integer", "city": "keyword"}
    assert "cannot index 'team' as 'words'" in cli("ingest", pages, "--index", "team=words").err


def test_the_summary_names_every_failure_with_its_reason(cli, pages):
    (pages / "broken.pdf").write_bytes(b"%PDF-1.7 but nothing else")
    answer = cli("ingest", pages, "--model", "hashing")
    assert answer.code == 3
    assert "failed" in answer.out
    line = next(line for line in answer.out.splitlines() if line.startswith("broken.pdf"))
    assert len(line.split(maxsplit=1)[1].strip()) > 5
    assert max(map(len, answer.out.splitlines())) <= 80


def test_quiet_prints_failures_only_and_on_stderr(cli, pages):
    (pages / "broken.pdf").write_bytes(b"%PDF-1.7 but nothing else")
    answer = cli("ingest", pages, "--model", "hashing", "--quiet")
    assert (answer.code, answer.out) == (3, "")
    assert "broken.pdf" in answer.err
    (pages / "broken.pdf").unlink()
    level = convert.log.level
    answer = cli("ingest", pages, "--quiet")
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    assert convert.log.level == level, "the program that ran the command logs what it did"


def test_several_paths_are_added_up(cli, pages):
    answer = cli("ingest", pages / "guide", pages / "notes", "--model", "hashing", "--json")
    assert (answer.code, answer.json["documents"]) == (0, 3)
    assert cli("info", "--collection", "documents", "--json").json["roots"] == ["guide", "notes"]


def test_a_misspelled_path_is_said_before_anything_is_made(cli, pages):
    answer = cli("ingest", pages, "nowhere", "--model", "hashing")
    assert answer.code == 1
    assert "nowhere" in answer.err
    assert not Path("qdrant_data").exists()


def test_a_glob_without_a_match_is_said_before_a_model_is_loaded(cli, pages):
    answer = cli("ingest", f"{pages}/**/*.xyz", "--model", "there-is-no-such-model")
    assert answer.code == 1
    assert "no file matches '**/*.xyz'" in answer.err
    assert not Path("qdrant_data").exists()


def test_paths_are_judged_by_the_roots_of_the_collection(cli, pages):
    """Without knowing them, the first would look like a root of its own inside the second."""
    assert cli("ingest", pages, "--model", "hashing").code == 0
    again = cli("ingest", pages / "guide", pages, "--json")
    assert (again.code, again.json["embedded"]) == (0, 0), again.err
    assert cli("info", "--collection", "documents", "--json").json["roots"] == ["harbour"]


def test_another_recipe_is_refused_with_what_to_type(cli, pages, ingested):
    answer = cli("ingest", pages, "--chunk-tokens", "64", "--window", "pcw")
    assert answer.code == 1
    assert "chunk_tokens: the collection has None, you gave 64" in answer.err
    assert "window:" not in answer.err
    assert "another --collection" in answer.err


def test_flags_that_agree_with_the_stored_recipe_are_welcome(cli, pages, ingested):
    assert cli("ingest", pages, "--model", "hashing", "--overlap", "0").code == 0


def test_recipe_flags_reach_the_recipe(cli, pages):
    flags = {"model": "hashing", "chunker": "sentences", "chunk_tokens": 64, "overlap": 8, "window": "truncate",
             "compression": "128d+float16", "language": "german"}  # fmt: skip
    words = [word for name, value in flags.items() for word in ("--" + name.replace("_", "-"), value)]
    words[words.index("128d+float16")] = "128d!+float16"
    answer = cli("ingest", pages, *words)
    assert answer.code == 0, answer.err
    stored = cli("info", "-c", "documents", "--json").json["recipe"]
    assert stored == flags | {"compression": "128d!+float16"}


def test_file_flags_reach_the_reader(cli, pages):
    (pages / "large.txt").write_text("word " * 300_000)
    words = ("--include", "*.md", "--include", "*.txt", "--exclude", "notes/", "--max-file-mb", "0.5", "--root", "port")
    answer = cli("ingest", pages, "--model", "hashing", *words, "--json")
    assert answer.code == 3
    assert [failure["source"] for failure in answer.json["failed"]] == ["large.txt"]
    assert answer.json["documents"] == 4
    assert answer.json["skipped_reasons"] == {"excluded": 1}
    assert cli("info", "-c", "documents", "--json").json["roots"] == ["port"]


def test_a_dry_run_counts_as_the_real_one_and_leaves_nothing(cli, pages):
    (pages / "broken.pdf").write_bytes(b"%PDF-1.7 but nothing else")
    dry = cli("ingest", pages, "--model", "hashing", "--dry-run", "--json")
    assert not Path("qdrant_data").exists()
    real = cli("ingest", pages, "--model", "hashing", "--json")
    assert dry.code == real.code == 3
    same = ("documents", "chunks", "tokens", "failed", "skipped")
    assert {name: dry.json[name] for name in same} == {name: real.json[name] for name in same}
    assert (dry.json["embedded"], dry.json["reused"], dry.json["dry_run"]) == (0, 0, True)


@pytest.mark.parametrize(
    "words",
    [
        ("--window", "pi:128+truncate", "--chunker", "document"),
        ("--window", "pi:512+windows:32", "--chunker", "document"),
        ("--window", "late"),
        ("--window", "pi:512+late"),
    ],
)
def test_a_dry_run_counts_long_texts_as_the_real_one(cli, pages, tiny, words):
    words_of_all = " ".join(SENTENCES).split()
    lines = [" ".join(words_of_all[first : first + 12]) for first in range(25)]
    (pages / "long.txt").write_text("\n\n".join(lines))
    flags = ("--model", tiny, *words, "--json")
    dry, real = (cli("ingest", pages, *flags, *more).json for more in (["--dry-run"], []))
    counts = ("documents", "chunks", "truncated", "windowed", "extended", "late")
    assert {name: dry[name] for name in counts} == {name: real[name] for name in counts}
    assert dry["truncated"] + dry["windowed"] + dry["extended"] >= 1


@pytest.mark.parametrize(
    ("model", "window"), [("hashing", "truncate"), ("tiny", "pcw"), ("hashing", "windows"), ("tiny", "error")]
)
def test_a_dry_run_counts_texts_beyond_the_model_as_the_real_one(cli, tmp_path, tiny, model, window):
    folder = tmp_path / "files"
    folder.mkdir()
    for name in ("long.txt", "same.txt"):
        (folder / name).write_text(" ".join(SENTENCES * 40))
    (folder / "short.txt").write_text(SENTENCES[0])
    flags = ("--model", tiny if model == "tiny" else model, "--window", window, "--chunker", "document", "--json")
    dry, real = (cli("ingest", folder, *flags, *more).json for more in (["--dry-run"], []))
    counts = ("documents", "chunks", "tokens", "truncated", "windowed", "extended", "failed")
    assert {name: dry[name] for name in counts} == {name: real[name] for name in counts}


def test_a_dry_run_uses_the_stored_recipe(cli, pages):
    cli("ingest", pages, "--model", "hashing", "--chunk-tokens", "16")
    chunks = cli("info", "-c", "documents", "--json").json["chunks"]
    assert cli("ingest", pages, "--dry-run", "--json").json["chunks"] == chunks
    assert cli("ingest", pages, "--dry-run", "--model", "minilm").code == 1


@pytest.mark.parametrize("compression", ["int8+rescore2", "center+itq+binary", "bits"])
def test_a_dry_run_goes_through_with_what_only_a_folder_can_store(cli, pages, tmp_path, compression):
    flags = ("--model", "hashing", "--compression", compression, "--at", tmp_path / "new")
    dry, real = (cli("ingest", pages, *flags, *more, "--json").json for more in (["--dry-run"], []))
    assert dry["chunks"] == real["chunks"] > 0
    assert cli("ingest", pages, "--model", "hashing", "--compression", "int9", "--dry-run").code == 1


def test_a_dry_run_says_so(cli, pages):
    answer = cli("ingest", pages, "--model", "hashing", "--dry-run")
    assert "dry run, nothing was embedded or stored" in answer.out
    assert "next:" not in answer.err


@pytest.mark.model
def test_a_dry_run_counts_tokens_as_the_model_does(cli, pages):
    dry = cli("ingest", pages, "--model", "minilm", "--dry-run", "--json").json
    real = cli("ingest", pages, "--model", "minilm", "--json").json
    assert (dry["chunks"], dry["tokens"]) == (real["chunks"], real["tokens"])
    assert "keys.md" in cli("search", "how frequently does the lock change?", "-k", "1").out


def test_defaults_in_the_help_are_those_of_the_library():
    assert parameters.DEFAULT_LOCATION == DEFAULT_LOCATION
    assert Recipe().model == parameters.DEFAULT_MODEL
    assert ReadOptions().max_file_bytes == parameters.MAX_FILE_MB * 2**20
    assert ReadOptions().file_timeout == parameters.FILE_TIMEOUT


def test_reports_add_up():
    first = IngestReport(documents=2, skipped=1, skipped_reasons={"hidden": 1}, seconds=1.0, stage_seconds={"read": 1})
    failed = (Failure("a.pdf", "encrypted"),)
    second = IngestReport(
        documents=3, skipped=2, skipped_reasons={"hidden": 1, "binary": 1}, failed=failed, stage_seconds={"read": 2}
    )
    both = combined([first, second])
    assert (both.documents, both.skipped, both.failed, both.seconds) == (5, 3, failed, 1.0)
    assert both.skipped_reasons == {"binary": 1, "hidden": 2}
    assert both.stage_seconds == {"read": 3}
    every_count = {name for name, value in IngestReport().as_dict().items() if value == 0}
    ones = IngestReport(**dict.fromkeys(every_count, 1))
    assert combined([ones, ones]) == IngestReport(**dict.fromkeys(every_count, 2))


def test_models_beside_the_dense_one_are_flags_and_are_kept(cli, pages, tmp_path):
    splade = save_splade(tmp_path / "splade")
    colbert = save_colbert(tmp_path / "colbert", expansion={"strategy": "fixed", "length": 32})
    first = cli("ingest", pages, "--model", "hashing", "--sparse", splade, "--multivector", colbert, "--json")
    assert first.json["embedded"] > 0
    assert cli("ingest", pages, "--json").json["embedded"] == 0
    for mode in ("sparse", "multivector"):
        hits = cli("search", "how often are master keys rotated?", "--mode", mode, "--json").json["hits"]
        assert len(hits) == first.json["chunks"] == 4
    refused = cli("ingest", pages, "--sparse", colbert)
    assert refused.code != 0
    assert "sparse" in refused.err


@pytest.mark.skipif(os.name != "posix", reason="descriptors are closed by the shell")
def test_closed_standard_streams_do_not_matter(tmp_path):
    (tmp_path / "a.html").write_text("<p>The gates open at six.</p>")
    command = f'"{sys.executable}" -m qdrant_embed ingest a.html --at q -m hashing <&- >&- 2>&-'
    environment = {**os.environ, "PYTHONPATH": str(Path(qdrant_embed.__file__).parents[1])}
    done = subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, env=environment, timeout=120)
    assert done.returncode == 0
    with Collection.open("documents", at=tmp_path / "q") as collection:
        assert collection.count() == 1


@pytest.mark.parametrize("limit", ["inf", "1e30"])
def test_limits_without_end(cli, limit):
    Path("a.html").write_text("<p>The gates open at six.</p>")
    assert cli("ingest", "a.html", "--at", "q", "-m", "hashing", "--timeout", limit, "--max-file-mb", limit).code == 0


def test_a_time_limit_that_is_no_number_is_refused(cli):
    Path("a.txt").write_text("The gates open at six.")
    answer = cli("ingest", "a.txt", "--at", "q", "-m", "hashing", "--timeout", "nan")
    assert answer.code == 1
    assert "--timeout nan reads nothing" in answer.err
