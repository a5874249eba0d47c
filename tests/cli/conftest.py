"""The command line, run inside the test's process and as a process of its own."""

import json
import os
from functools import cache
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import qdrant_embed
from qdrant_embed.cli import app
from tests.support import forks
from tests.support.tiny_models import save_tiny_model

HERE = {**os.environ, "PYTHONPATH": str(Path(qdrant_embed.__file__).parents[1]), "COLUMNS": "80"}
"""An environment in which a process of its own finds the library under test, wherever it runs."""


@pytest.fixture(scope="session", autouse=True)
def one_command():
    """Let typer look through the functions of all commands once, and not again for each command line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.testing._get_command", cache(typer.main.get_command))
        yield


class Answer:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def cli(tmp_path, monkeypatch):
    """Return a function that runs a command in an empty folder and gives exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*words, typed=""):
        result = CliRunner().invoke(app, [str(word) for word in words], input=typed, prog_name="qdrant-embed")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def shell(tmp_path):
    """Return a function that runs a command as a process of its own, in the same folder."""

    def run(*words, **environment):
        return forks.run("-m", "qdrant_embed", *words, cwd=tmp_path, env={**HERE, **environment})

    return run


@pytest.fixture
def start(tmp_path):
    """Return a function that starts a process with the given streams, to be watched while it runs."""

    def run(*words, **streams):
        return forks.Fork("-m", "qdrant_embed", *words, cwd=tmp_path, env=HERE, **streams)

    return run


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Return the folder of a tiny BERT with a table of 64 positions."""
    return save_tiny_model(tmp_path_factory.mktemp("models") / "tiny", "bert", max_tokens=64)


@pytest.fixture
def ingested(cli, pages):
    """Ingest the harbour's pages into the default place."""
    answer = cli("ingest", pages, "--model", "hashing", "--json")
    assert answer.code == 0, answer.err
    return answer.json
