"""What the README, the guide and the reference tell people to type works: every block is run as it stands there.

A page's blocks run in order, in an empty folder that holds a few pages of the guide as `docs/`. A block that cannot be
run has the line `<!-- not run: why -->` before it.
"""

import os
import re
import runpy
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.cli import app
from tests.calibration.footprints import count_in_a_fork

PROJECT = Path(__file__).parents[1]
README = PROJECT / "README.md"
PAGES = sorted([README, *PROJECT.glob("integrations/*/README.md"), *(PROJECT / "docs").rglob("*.md")])
FENCE = re.compile(
    r"(?:<!-- not run: (?P<why>.+?) -->\n)?^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    language: str
    code: str
    line: int


def blocks_of(page, *, run=True):
    text = page.read_text()
    for found in FENCE.finditer(text):
        if (found["why"] is None) == run:
            yield Block(found["language"], found["code"], text[: found.start("code")].count("\n"))


def commands_of(page):
    """Return the `qdrant-embed` lines of a page's shell blocks."""
    lines = [line for block in blocks_of(page) if not block.language for line in block.code.splitlines()]
    return [line for line in lines if line.startswith("qdrant-embed ")]


def named(page):
    return str(page.relative_to(PROJECT))


WITH_PYTHON = [page for page in PAGES if any(block.language == "python" for block in blocks_of(page))]
WITH_COMMANDS = [page for page in PAGES if commands_of(page)]


COPIED = (
    "index.md",
    "guide/chunking.md",
    "guide/first-steps.md",
    "guide/ingesting.md",
    "guide/locations.md",
    "guide/searching.md",
    "reference/payload.md",
)
"""The pages that a reader has as `docs/`: those that blocks name or find, and enough to calibrate a collection of."""


@pytest.fixture
def reader(tmp_path, monkeypatch, embeddings):
    """Put a reader into an empty folder with short pages of the guide as `docs/`."""
    for page in COPIED:
        (tmp_path / "docs" / page).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / "docs" / page, tmp_path / "docs" / page)
    monkeypatch.setenv("QDRANT_EMBED_EMBEDDINGS", str(embeddings))
    count_in_a_fork(monkeypatch)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def knowledge(reader):
    """Return the names that the guide takes for granted after its first page: `docs`, and LlamaIndex's `my_llm`."""
    from llama_index.core.llms import MockLLM

    with Collection.open("the readers", at=reader / "readers_data", recipe=Recipe(model="hashing")) as docs:
        docs.ingest("docs/")
        docs.ingest([Document(text="The timeouts of tokens.", source="a", metadata={"team": "security", "year": 2026})])
        yield {"docs": docs, "my_llm": MockLLM()}


@pytest.mark.model
@pytest.mark.parametrize("page", [page for page in WITH_PYTHON if page != README], ids=named)
def test_the_python_of_a_page_runs(page, knowledge, capsys):
    names = dict(knowledge)
    for block in blocks_of(page):
        if block.language == "python":
            # The empty lines make a traceback name the page's own line.
            exec(compile("\n" * block.line + block.code, named(page), "exec"), names)
    for value in names.values():
        if isinstance(value, Collection):
            value.close()


@pytest.mark.model
def test_the_python_of_the_readme_answers(reader, capsys):
    (block,) = [block for block in blocks_of(README) if block.language == "python"]
    assert len([line for line in block.code.splitlines() if line.strip()]) <= 20
    names = {}
    exec(compile(block.code, "README.md", "exec"), names)
    said = capsys.readouterr().out
    assert names["report"].documents == len(list((reader / "docs").rglob("*.md")))
    assert names["report"].failed == ()
    assert "guide/ingesting.md" in said
    assert [hit.source for hit in names["hits"]] == ["policy"]
    assert [hit.id for hit in names["around"]] == [names["hits"][0].id]
    assert type(names["retriever"]).__name__ == "QdrantEmbedRetriever"


@pytest.mark.model
@pytest.mark.parametrize("page", WITH_COMMANDS, ids=named)
def test_the_commands_of_a_page_run(page, reader):
    for line in commands_of(page):
        words = shlex.split(line, comments=True)[1:]
        done = CliRunner().invoke(app, words, prog_name="qdrant-embed")
        assert done.exit_code == 0, f"{line}\n{done.output}"
        if words[0] == "search":
            assert ".md" in done.stdout, line


def test_there_is_something_to_run():
    assert {named(page) for page in WITH_PYTHON} >= {
        "README.md",
        "docs/guide/first-steps.md",
        "docs/guide/searching.md",
    }
    assert {named(page) for page in WITH_COMMANDS} >= {"README.md", "docs/guide/first-steps.md"}
    left_out = {named(page): len(list(blocks_of(page, run=False))) for page in PAGES}
    assert {page: count for page, count in left_out.items() if count} == {
        "README.md": 1,
        "docs/guide/agents.md": 1,
        "docs/guide/api-models.md": 1,
        "docs/guide/attaching.md": 1,
        "docs/guide/compression.md": 3,
        "docs/guide/evaluating.md": 1,
        "docs/guide/exploring.md": 3,
        "docs/guide/first-steps.md": 1,
        "docs/guide/installing.md": 3,
        "docs/guide/locations.md": 1,
        "docs/guide/models.md": 2,
        "docs/guide/offline.md": 4,
        "docs/reference/command-line.md": 1,
    }


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_named_in_passing_exist(page):
    import typer

    commands = typer.main.get_command(app).commands
    for name in re.findall(r"`qdrant-embed (?:--\w+ )*([a-z][\w-]*)", page.read_text()):
        assert name in commands


@pytest.mark.parametrize("page", [*PAGES, PROJECT / "CONTRIBUTING.md"], ids=named)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
        assert target.startswith("https://") or (page.parent / target).exists(), target


@pytest.mark.model
def test_the_demo_answers_and_says_what_to_type_next(reader, monkeypatch, capsys):
    (reader / "examples").mkdir()
    shutil.copy(PROJECT / "examples/demo.py", reader / "examples")
    monkeypatch.setenv("COLUMNS", "100")
    for embedded in (r"[1-9]\d* embedded", r"\b0 embedded"):
        runpy.run_path("examples/demo.py", run_name="__main__")
        said = capsys.readouterr().out
        assert re.search(embedded, said)
    for source in ("guide/ingesting.md", "guide/searching.md", "guide/locations.md"):
        assert source in said
    program = Path(sys.executable).with_name("qdrant-embed")
    for place in (os.path.relpath(program), str(program)):  # however deep the folder is that this runs in
        said = said.replace(place, ".venv/bin/qdrant-embed")
    assert '  .venv/bin/qdrant-embed search "your question" --collection guide\n' in said
    assert max(map(len, said.splitlines())) <= 100
