"""What messages tell Python's users to set is told as flags and commands."""

import pytest

from qdrant_embed.cli.parameters import forget_place, in_flags

SAID = [
    ("say so with root='docs'; e.g. root='my docs-2'.", "say so with --root docs; e.g. --root 'my docs-2'."),
    ("prune=True with a glob; give patterns: include=…", "--prune with a glob; give patterns: --include …"),
    ("chunk_tokens=3 is too small", "--chunk-tokens 3 is too small"),
    ("leave it out: exclude=('sub/',).", "leave it out: --exclude sub/."),
    ("keeps some: Recipe(…, compression='float16').", "keeps some: --compression float16."),
    ("both: Recipe(window='windows', chunk_tokens=5).", "both: --window windows --chunk-tokens 5."),
    ("type: collection.delete('a/*', root='x (1)') (qdrant-embed delete --root 'x (1)' --source 'a/*').",
     "type: qdrant-embed delete --root 'x (1)' --source 'a/*'."),
    ("remove: Collection.drop('a', at=…) (qdrant-embed delete --all) and", "remove: qdrant-embed delete --all and"),
    ("it has 3,145,728 bytes, the limit is 1,048,576: ReadOptions.max_file_bytes",
     "it has 3 MB, the limit is 1 MB: --max-file-mb"),
    ("file_timeout=nan reads nothing; give a positive number, math.inf for no limit.",
     "--timeout nan reads nothing; give a positive number, inf for no limit."),
    ("max_file_bytes=-1048576.0 reads nothing; give a positive number, math.inf for no limit.",
     "--max-file-mb -1 reads nothing; give a positive number, inf for no limit."),
    ("the folder 'root=docs' and a-root='x' and /root='x'", "the folder 'root=docs' and a-root='x' and /root='x'"),
]  # fmt: skip


@pytest.mark.parametrize(("python", "typed"), SAID)
def test_arguments_and_calls_are_named_as_they_are_typed(python, typed):
    forget_place()  # another test's command may have named one
    assert in_flags(python) == typed


def test_a_raised_error_names_flags(cli, pages):
    (pages / "a" / "harbour").mkdir(parents=True)
    (pages / "a" / "harbour" / "page.md").write_text("Fish.")
    assert cli("ingest", pages, "--model", "hashing").code == 0
    answer = cli("ingest", pages, "--prune", f"{pages}/*.md")
    assert (answer.code, "root=" in answer.err, "prune=" in answer.err, "--prune with the glob" in answer.err) == (
        1, False, False, True
    )  # fmt: skip


def test_what_an_error_tells_to_delete_is_of_the_collection_that_was_asked_for(cli, pages, tmp_path):
    there = ("--at", tmp_path / "its own", "--collection", "my notes", "--model", "hashing")
    assert cli("ingest", pages / "guide", *there).code == 0
    answer = cli("ingest", pages, *there)
    told = " ".join(answer.err.split())
    assert answer.code == 1
    assert f"qdrant-embed delete --root guide --collection 'my notes' --at '{tmp_path / 'its own'}'" in told
    assert "collection.delete" not in told
    usual = cli("ingest", pages / "guide", "--model", "hashing", "--at", tmp_path / "q")
    assert (usual.code, cli("ingest", pages, "--at", tmp_path / "q").code) == (0, 1)
