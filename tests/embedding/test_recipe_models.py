"""Models of a recipe, wherever the process stands that names them."""

from pathlib import Path

import pytest

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.embedding.recipe_models import with_absolute_paths
from qdrant_embed.models.preset_files import read_presets
from tests.support.tiny_models import save_word_table


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Return the folder of a table of words, seen from the folder above it."""
    monkeypatch.chdir(tmp_path)
    return save_word_table(tmp_path / "table")


def test_a_folder_named_from_here_is_found_from_everywhere(table, tmp_path, monkeypatch):
    with Collection.open("notes", at=tmp_path / "data", recipe=Recipe(model=table.name)) as notes:
        notes.ingest([Document(text="the harbour at night", source="a.txt")])
        assert notes.recipe.model == str(table)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with Collection.open("notes", at=tmp_path / "data") as notes:
        assert notes.search("harbour", k=1)[0].source == "a.txt"
    with Collection.open("notes", at=tmp_path / "data", recipe=Recipe(model=f"../{table.name}")) as notes:
        assert notes.recipe.model_at == ""


def test_what_is_no_path_stays(table):
    Path("hashing").mkdir()
    Path("self").mkdir()
    for recipe in (Recipe(model="hashing"), Recipe(model="owner/name", multivector="self"), Recipe(sparse="bm42")):
        assert with_absolute_paths(recipe) == recipe
    assert with_absolute_paths(Recipe(model="table", sparse="./table")).sparse == str(table)


def test_a_folder_called_like_the_repository_of_a_preset_is_not_meant(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    repository = str(read_presets()["minilm"].values["source"])
    Path(repository).mkdir(parents=True)
    assert with_absolute_paths(Recipe(model=repository)).model == repository
