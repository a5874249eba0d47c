"""Folders that hold a model for machines without torch: what is in them, what they give, when they are refused."""

import gc
import json
import os
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from qdrant_embed import Collection, Document, Recipe, load_embedder, prepare_model
from qdrant_embed.errors import ConfigurationError, ModelError, RecipeMismatchError
from qdrant_embed.models.fingerprint import model_fingerprint
from qdrant_embed.models.resolve import resolve
from qdrant_embed.runtimes.choice import least_cosine
from qdrant_embed.runtimes.preparation.bf16_weights import to_bf16, write_bf16
from tests.support import forks
from tests.support.tiny_adapters import save_tiny_adapter
from tests.support.tiny_models import edit_json, save_static_model, save_tiny_model

TEXTS = ["Crane four lifts at most twelve tons.", "keys", "The gates of the harbour open at six in the morning."]
WITHOUT = (
    "import sys\n"
    "class Forbidden:\n"
    "    def find_spec(self, name, path=None, target=None):\n"
    "        if name.split('.')[0] in {'torch', 'transformers', 'sentence_transformers', 'huggingface_hub'}:\n"
    "            raise ModuleNotFoundError(name, name=name)\n"
    "sys.meta_path.insert(0, Forbidden())\n"
    "import socket\n"
    "def refuse(*args, **options): raise SystemExit('the network was asked')\n"
    "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
    "import json, numpy as np\n"
    "from qdrant_embed import load_embedder\n"
    "embedder = load_embedder(sys.argv[1])\n"
    "print(json.dumps([embedder.runtime, embedder.embed_documents(json.loads(sys.argv[2])).tolist()]))\n"
)


@pytest.fixture(autouse=True)
def by_openvino(monkeypatch):
    """Let `auto` choose, as it does for users."""
    monkeypatch.delenv("QDRANT_EMBED_RUNTIME")


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """Return a tiny BERT, which is built without torch."""
    prompts = {"query": "query: ", "document": "passage: "}
    return save_tiny_model(tmp_path_factory.mktemp("bert") / "model", "bert", prompts=prompts)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """Return a tiny model of an architecture that torch alone knows."""
    return save_tiny_model(tmp_path_factory.mktemp("gemma2") / "model", "gemma2")


@pytest.fixture(scope="module")
def prepared(bert, foreign, tmp_path_factory):
    """Return a function that prepares each model once in each precision, and gives what was said and a copy of it."""
    made, models = {}, {"bert": bert, "foreign": foreign}

    def prepare(model="bert", precision="float32"):
        key = model, precision
        if key not in made:
            made[key] = prepare_model(models[model], tmp_path_factory.mktemp("prepared") / "model", precision=precision)
        copy = tmp_path_factory.mktemp("copy") / "model"
        shutil.copytree(made[key].folder, copy)
        return replace(made[key], folder=copy)

    return prepare


def in_core(folder):
    """Return runtime and vectors of a process in which torch and the network are forbidden."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = forks.run("-c", WITHOUT, folder, json.dumps(TEXTS), env=env)
    assert done.returncode == 0, done.stderr
    runtime, vectors = json.loads(done.stdout)
    return runtime, np.array(vectors, np.float32)


def cosines(folder, source):
    given, wanted = load_embedder(folder), load_embedder(source, runtime="torch")
    return np.sum(given.embed_documents(TEXTS) * wanted.embed_documents(TEXTS), axis=1)


@pytest.mark.parametrize("precision", ["float32", "bf16", "int8"])
def test_a_built_model_is_prepared_in_each_precision(bert, prepared, precision):
    made = prepared(precision=precision)
    assert made.made
    assert made.worst > (0.98 if precision == "int8" else 0.9995)
    assert cosines(made.folder, bert).min() > (0.98 if precision == "int8" else 0.9995)
    with safe_open(made.folder / "model.safetensors", "np") as weights:
        kinds = {weights.get_slice(name).get_dtype() for name in weights.keys()}  # noqa: SIM118 - no mapping
    assert kinds == ({"F32"} if precision == "float32" else {"F32", "BF16"})
    assert load_embedder(made.folder).fingerprint == load_embedder(bert).fingerprint


def test_a_core_installation_loads_it_without_a_network(prepared):
    made = prepared(precision="bf16")
    runtime, vectors = in_core(made.folder)
    assert runtime.startswith("openvino:")
    assert np.allclose(vectors, load_embedder(made.folder).embed_documents(TEXTS), atol=1e-3)


def test_an_architecture_that_needs_torch_is_prepared_where_it_is(foreign, prepared):
    made = prepared("foreign", "bf16")
    assert not list(made.folder.glob("*.safetensors.index.json")) + list(made.folder.glob("model.safetensors"))
    runtime, vectors = in_core(made.folder)
    assert runtime.startswith("openvino:")
    wanted = load_embedder(foreign, runtime="torch").embed_documents(TEXTS)
    assert np.sum(vectors * wanted, axis=1).min() > 0.999
    assert load_embedder(made.folder).fingerprint == load_embedder(foreign).fingerprint


def test_states_of_tokens_come_out_of_a_traced_model_too(foreign, prepared):
    given = load_embedder(prepared("foreign", "bf16").folder, window="late")
    wanted = load_embedder(foreign, window="late", runtime="torch")
    spans = [(0, 20), (20, 37)]
    assert np.sum(given.embed_late(TEXTS[0], spans) * wanted.embed_late(TEXTS[0], spans), axis=1).min() > 0.999


def test_a_traced_model_is_read_as_it_was_prepared_or_refused(prepared):
    folder = prepared("foreign", "bf16").folder
    for options in ({"runtime": "torch"}, {"layers": 1}):
        with pytest.raises(ConfigurationError, match="as it was prepared"):
            load_embedder(folder, **options).embed_documents(TEXTS)


def test_the_modules_behind_a_traced_model_are_in_its_graph(tmp_path):
    source = save_tiny_model(tmp_path / "gemma2", "gemma2", pooling="lasttoken", dense=[16])
    assert cosines(prepare_model(source, tmp_path / "model").folder, source).min() > 0.9995


def test_a_table_of_words_is_copied(tmp_path):
    source = save_static_model(tmp_path / "table")
    made = prepare_model(source, tmp_path / "model")
    given, wanted = load_embedder(made.folder), load_embedder(source)
    assert np.array_equal(given.embed_documents(TEXTS), wanted.embed_documents(TEXTS))
    assert given.fingerprint == wanted.fingerprint


def test_what_a_preset_knows_goes_along(bert, tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text(f'[models.mine]\nsource = "{bert}"\nquery_prompt = "ask: "\ndims = [16]\nmax_tokens = 48\n')
    made = prepare_model("mine", tmp_path / "model", presets=mine)
    given, wanted = load_embedder(made.folder), load_embedder("mine", presets=mine)
    assert given.fingerprint == wanted.fingerprint
    assert (given.preset.query_prompt, given.preset.dims, given.max_tokens) == ("ask: ", (16,), 48)
    assert given.origins["query_prompt"] == "prepared.json"


def test_a_prepared_folder_is_left_alone_and_another_one_made_anew(bert, tmp_path):
    target = tmp_path / "model"
    assert prepare_model(bert, target).made
    assert not prepare_model(bert, target).made
    assert prepare_model(bert, target, precision="bf16").made
    (target / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match=r"tokenizer\.json in .* is not as it was prepared.*models prepare .* --to"):
        load_embedder(target)
    assert prepare_model(bert, target, precision="bf16").made
    assert load_embedder(target).dim == 32
    assert [path.name for path in tmp_path.iterdir()] == ["model"], "nothing unfinished is left"


def test_a_folder_of_another_format_says_what_to_type(bert, prepared, tmp_path):
    target = prepared().folder
    manifest = target / "prepared.json"
    values = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**values, "format": 99}))
    with pytest.raises(ModelError, match=r"in format 99 by qdrant-embed .*models prepare .* --to"):
        load_embedder(target)
    manifest.write_text(json.dumps({"format": 1, "surprise": 1}))
    with pytest.raises(ModelError, match=r"prepared\.json is damaged"):
        load_embedder(target)
    assert prepare_model(bert, target).made


def test_a_copy_is_compared_once_and_what_lacks_is_said(prepared, tmp_path):
    target = prepared().folder
    copy = tmp_path / "copy"
    shutil.copytree(target, copy, copy_function=shutil.copyfile)
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
    assert load_embedder(copy).dim == 32
    (copy / "1_Pooling" / "config.json").unlink()
    with pytest.raises(ModelError, match=r"1_Pooling/config\.json in .* not as it was prepared"):
        load_embedder(copy)


def test_on_another_machine_vectors_are_measured_by_those_of_the_original(prepared, tmp_path, monkeypatch):
    target = prepared().folder
    measured = []
    monkeypatch.setattr("qdrant_embed.runtimes.openvino.stored_graphs.machine", lambda: "another")
    monkeypatch.setenv("QDRANT_EMBED_CACHE", str(tmp_path / "cache"))
    from qdrant_embed.runtimes.conversion import convert

    compare = convert.compare
    monkeypatch.setattr(convert, "compare", lambda *given: measured.append(compare(*given)) or measured[-1])
    assert load_embedder(target).embed_documents(TEXTS).shape == (3, 32)
    assert 0.999 < measured[0].worst < 1.0


def test_where_nothing_can_be_kept_it_runs_all_the_same(bert, prepared, tmp_path, monkeypatch):
    target = prepared().folder
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("QDRANT_EMBED_CACHE", str(tmp_path / "file"))
    assert load_embedder(target).embed_documents(TEXTS).shape == (3, 32)
    with pytest.raises(ModelError, match="QDRANT_EMBED_CACHE"):
        load_embedder(bert, runtime="openvino").embed_documents(TEXTS)


def test_rounded_weights_are_enough_where_numbers_are_computed_in_float32(prepared, bert):
    rounded, whole = (resolve(prepared(precision=precision).folder) for precision in ("bf16", "float32"))
    assert least_cosine(rounded, "float32") == least_cosine(whole, "bf16") < least_cosine(whole, "float32")
    assert least_cosine(resolve(bert), "float32") == least_cosine(whole, "float32")


def test_int8_is_refused_by_a_processor_that_lacks_it(prepared, monkeypatch):
    target = prepared(precision="int8").folder
    monkeypatch.setattr("qdrant_embed.runtimes.openvino.runtime.multiplies_int8", lambda: False)
    with pytest.raises(ConfigurationError, match="VNNI"):
        load_embedder(target).embed_documents(TEXTS)
    assert load_embedder(target, runtime="openvino").embed_documents(TEXTS).shape == (3, 32)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("hashing", "needs no files"),
        ("openai-small", "run by a server"),
    ],
)
def test_what_has_nothing_to_prepare_says_so(tmp_path, name, told):
    with pytest.raises(ConfigurationError, match=told):
        prepare_model(name, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_places_that_are_taken_or_cannot_be_written_are_refused(bert, tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigurationError, match="is a file"):
        prepare_model(bert, tmp_path / "file")
    with pytest.raises(ConfigurationError, match="holds other things"):
        prepare_model(bert, tmp_path / "full")
    with pytest.raises(ModelError, match="could not be written"):
        prepare_model(bert, tmp_path / "file" / "inside")
    with pytest.raises(ConfigurationError, match="precision='fp4' is none"):
        prepare_model(bert, tmp_path / "empty", precision="fp4")
    assert prepare_model(bert, tmp_path / "empty").made


def test_an_interruption_leaves_nothing(bert, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("qdrant_embed.runtimes.preparation.folder_graphs.measured", interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepare_model(bert, tmp_path / "models" / "one")
    assert list((tmp_path / "models").iterdir()) == []


def test_numbers_are_rounded_to_the_nearest_of_bf16():
    values = np.array([1.0, 1.00390625, 1.01171875, -3.1415927, 1e-40, np.inf, -np.inf, np.nan], np.float32)
    wide = (to_bf16(values).astype(np.uint32) << 16).view(np.float32)
    assert wide[:3].tolist() == [1.0, 1.0, 1.015625], "ties go to even"
    assert abs(wide[3] - values[3]) < 2**-7
    assert np.isinf(wide[5:7]).all()
    assert np.isnan(wide[7])


def test_weights_all_of_bf16_outlive_what_read_them(bert, tmp_path):
    """A graph shares memory with the file that its weights are in."""
    narrow = tmp_path / "narrow"
    shutil.copytree(bert, narrow)
    write_bf16(bert / "model.safetensors", narrow / "model.safetensors")
    from qdrant_embed.runtimes import first_batch
    from qdrant_embed.runtimes.openvino.requests import Requests, compiled
    from qdrant_embed.runtimes.openvino.runtime import graph_of

    model, _ = graph_of(resolve(narrow), pooled=False)
    gc.collect()
    assert np.isfinite(Requests(compiled(model, "f32")).infer(first_batch())).all()
    assert model_fingerprint(resolve(narrow).files) != model_fingerprint(resolve(bert).files)
    save_file({"odd": np.zeros((3, 3), np.float32), "rest": np.zeros(5, np.float32)}, tmp_path / "odd.safetensors")
    write_bf16(tmp_path / "odd.safetensors", tmp_path / "written.safetensors")
    with safe_open(tmp_path / "written.safetensors", "np") as weights:
        assert weights.get_slice("odd").get_dtype() == "BF16"


@pytest.mark.parametrize("prepared_first", [False, True])
def test_a_collection_of_the_one_opens_with_the_other(bert, prepared, tmp_path, prepared_first):
    made = prepared(precision="bf16")
    first, second = (str(bert), str(made.folder))[:: -1 if prepared_first else 1]
    place = tmp_path / "data"
    with Collection.open("notes", at=place, recipe=Recipe(model=first)) as notes:
        notes.ingest([Document(text=text, source=f"{number}.md") for number, text in enumerate(TEXTS)])
    with Collection.open("notes", at=place, recipe=Recipe(model=second)) as notes:
        assert (notes.recipe.model, notes.recipe.model_at) == (first, second)
        assert notes.ingest([Document(text=TEXTS[0], source="0.md"), Document(text="new", source="9.md")]).embedded == 1
        assert notes.search("crane", k=1)[0].text == TEXTS[0]
    with pytest.raises(RecipeMismatchError, match="model"):
        Collection.open("notes", at=place, recipe=Recipe(model="hashing"))


def test_a_name_may_be_kept_for_a_model_that_stands_elsewhere(prepared):
    recipe = Recipe(model="minilm", model_at=str(prepared().folder))
    with Collection.open("notes", at=":memory:", recipe=recipe) as notes:
        assert notes.recipe.as_dict()["model"] == "minilm"
        assert "model_at" not in notes.recipe.as_dict()
        assert notes.ingest([Document(text=TEXTS[0], source="0.md")]).embedded == 1


def test_an_adapter_is_in_the_graph_that_is_prepared(bert, tmp_path):
    adapter = save_tiny_adapter(tmp_path / "adapter", bert, ("query", "value"))
    edit_json(adapter / "adapter_config.json", base_model_name_or_path=str(bert))
    made = prepare_model(adapter, tmp_path / "model")
    assert not list(made.folder.glob("*.safetensors")) or (made.folder / "graphs").is_dir()
    assert cosines(made.folder, adapter).min() > 0.9995
    assert load_embedder(made.folder).fingerprint == load_embedder(adapter).fingerprint


@pytest.mark.parametrize("values", [{"runtime": "api", "endpoint": "http://127.0.0.1:9"}, {"tokenizer": "/etc/hosts"}])
def test_a_folder_that_would_have_texts_read_elsewhere_is_refused(prepared, values):
    folder = prepared().folder
    manifest = json.loads((folder / "prepared.json").read_text())
    (folder / "prepared.json").write_text(json.dumps({**manifest, "values": {**manifest["values"], **values}}))
    with pytest.raises(ModelError, match="not written by prepare_model"):
        load_embedder(folder)
