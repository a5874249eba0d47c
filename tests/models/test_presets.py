import pickle
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest

import qdrant_embed
from qdrant_embed import list_models, load_embedder
from qdrant_embed.errors import ConfigurationError, ModelError, UnknownNameError
from qdrant_embed.models.preset_files import PRESETS_VARIABLE, read_presets
from qdrant_embed.models.resolve import preset_values

PACKAGE = Path(qdrant_embed.__file__).parent


@pytest.fixture(autouse=True)
def no_presets_of_the_person_who_runs_the_tests(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nothing"))
    monkeypatch.delenv(PRESETS_VARIABLE, raising=False)


def write(folder, text, name="mine.toml"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


@pytest.mark.parametrize("path", sorted((PACKAGE / "presets").glob("*.toml")), ids=lambda path: path.stem)
def test_every_preset_file_is_complete(path):
    for name in tomllib.loads(path.read_text())["models"]:
        values, _ = preset_values(name)
        assert values["about"]
        assert len(values.get("revision", "0" * 40)) == 40, "a branch would be another model tomorrow"


def test_no_model_is_named_in_code():
    sources = {values[1].split("/")[-1] for values in _sources()}
    for path in PACKAGE.rglob("*.py"):
        for source in sources:
            assert source not in path.read_text(), f"{path} names {source}"


def _sources():
    return [(model["name"], model["source"]) for model in list_models() if model.get("source")]


def test_defaults_are_merged_into_each_model(tmp_path):
    path = write(tmp_path, '[defaults]\ndim = 8\nquery_prompt = "q: "\n[models.a]\n[models.b]\ndim = 16\n')
    presets = read_presets(path)
    assert presets["a"].values == {"dim": 8, "query_prompt": "q: "}
    assert presets["b"].values == {"dim": 16, "query_prompt": "q: "}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[models.a]\ncolor = 3\n", "unknown key 'color'; known: about, source, package"),
        ("[models.a]\nname = 'b'\n", "unknown key 'name'"),
        ("[models.a]\ndim = 'wide'\n", "dim = 'wide' is of the wrong kind"),
        ("[models.a]\ndim = true\n", "dim = True is of the wrong kind"),
        ("[models.a]\ndims = [64, 'x']\n", "dims = .* is of the wrong kind"),
        ("[models.a]\npooling = 'avg'\n", "pooling = 'avg'; choose one of mean, cls"),
        ("[models.a]\ndim = -1\n", "dim = -1 is of the wrong kind"),
        ("[models.a]\nsmoothing = 0\n", "smoothing = 0 is of the wrong kind"),
        ("[models.a]\nlanguages = ['en', '']\n", "languages = .* is of the wrong kind"),
        ("[models.a]\nwindows = ['pcw', 'cut']\n", "windows = .*; choose one of error, truncate, pcw"),
        ("[models.a]\nstates = 'top0'\n", "states = 'top0'; choose last, first"),
        ("[models.a]\nquery_template = 'Q: '\n", r"query_template = 'Q: ' has no \{text\}"),
        ("[models.a]\ntask_template = 'Q: '\n", r"task_template = 'Q: ' has no \{task\}"),
        ("[models.a]\n[models.a.tasks]\nx = {side = 'q'}\n", r"tasks.x = .*; give a text, or a table"),
        ("[models.a]\n[models.a.sources]\ndim = 3\n", "say in words where"),
        ("[model.a]\ndim = 3\n", r"unknown tables \['model'\]"),
        ("[models]\na = 3\n", "write tables"),
        ("[models.a\n", "not valid TOML"),
    ],
)
def test_a_wrong_preset_is_refused_and_the_file_named(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(ConfigurationError, match=message) as caught:
        read_presets(path)
    assert str(path) in str(caught.value)


def test_both_spellings_of_license_are_read(tmp_path):
    write(tmp_path, "[models.a]\ndim = 8\nlicence = 'mit'\nlicense_note = 'free'\n")
    values = read_presets(tmp_path)["a"].values
    assert (values["license"], values["license_note"]) == ("mit", "free")


def test_one_model_in_two_files_of_a_folder_is_refused(tmp_path):
    write(tmp_path, "[models.a]\ndim = 8\n", "one.toml")
    write(tmp_path, "[models.a]\ndim = 9\n", "two.toml")
    with pytest.raises(ConfigurationError, match="another file"):
        read_presets(tmp_path)


def test_the_users_files_are_laid_over_ours_value_by_value(tmp_path, monkeypatch):
    usual = write(tmp_path / "config" / "qdrant-embed" / "presets", "[models.hashing]\ndim = 32\nabout = 'usual'\n")
    named = write(tmp_path / "named", "[models.hashing]\ndim = 64\n")
    given = write(tmp_path / "given", "[models.hashing]\nmax_tokens = 99\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv(PRESETS_VARIABLE, str(named.parent))
    embedder = load_embedder("hashing", presets=given)
    assert (embedder.dim, embedder.max_tokens, embedder.preset.about) == (64, 99, "usual")
    assert embedder.preset.runtime == "hashing", "values that the user does not give stay ours"
    assert {embedder.origins[key] for key in ("about", "dim", "max_tokens")} == {str(usual), str(named), str(given)}
    assert embedder.origins["runtime"] == "preset hashing.toml"
    assert embedder.origins["query_prompt"] == "default"


def test_a_source_of_ones_own_drops_the_package_that_brought_ours(tmp_path, save_model):
    folder = save_model()
    mine = write(tmp_path, f"[models.minilm]\nsource = {str(folder)!r}\ndim = 32\nmax_tokens = 24\n")
    embedder = load_embedder("minilm", presets=mine)
    assert embedder.embed_documents(["w1"]).shape == (1, 32)


def test_a_place_that_does_not_exist_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv(PRESETS_VARIABLE, str(tmp_path / "typo"))
    with pytest.raises(ConfigurationError, match=f"{PRESETS_VARIABLE} names .*typo"):
        list_models()


def test_an_unknown_name_lists_near_ones():
    with pytest.raises(UnknownNameError, match=r"unknown model 'hashin'\. Did you mean 'hashing'\?"):
        load_embedder("hashin")
    with pytest.raises(UnknownNameError, match="Did you mean 'hashing'"):
        preset_values("hashin")


def test_describing_looks_for_no_weights(tmp_path):
    path = write(tmp_path, "[models.absent]\nsource = 'nobody/nothing'\ndim = 4\n")
    assert preset_values("absent", path) == ({"source": "nobody/nothing", "dim": 4}, str(path))
    assert [model["dim"] for model in list_models("nobody", presets=path)] == [4]


def test_a_relative_source_begins_at_its_file_wherever_the_model_is_used(tmp_path, save_model, monkeypatch):
    shutil.copytree(save_model(), tmp_path / "models" / "ours")
    (tmp_path / "elsewhere").mkdir()
    write(tmp_path, '[models.mine]\nsource = "models/ours"\n', "mine.toml")
    monkeypatch.chdir(tmp_path)
    pickled = pickle.dumps(load_embedder("mine", presets="mine.toml"))
    monkeypatch.chdir(tmp_path / "elsewhere")
    vectors = load_embedder("mine", presets=tmp_path / "mine.toml").embed_documents(["w1 w2"])
    np.testing.assert_array_equal(pickle.loads(pickled).embed_documents(["w1 w2"]), vectors)
    assert preset_values("mine", "../mine.toml")[0]["source"] == str(tmp_path / "models" / "ours")


@pytest.mark.parametrize("source", ["/no/such/folder", "./no-such-folder"])
def test_a_source_that_is_not_there_is_named_with_its_file(tmp_path, source):
    path = write(tmp_path, f"[models.mine]\nsource = {source!r}\n")
    with pytest.raises(ModelError, match=rf"'mine': the folder .*folder' does not exist; correct source in {path}"):
        load_embedder("mine", presets=path)
    assert "mine" in [model["name"] for model in list_models(presets=path)], "the others are still of use"
