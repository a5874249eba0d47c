"""Fixtures that every part uses: real-looking pages, collections over each local engine, and tiny models."""

import gc
import json
import os
import shutil
import signal
import warnings
from pathlib import Path
from zlib import crc32

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

from qdrant_embed.store.location import open_engine
from tests.support.cpu_seconds import CpuSeconds
from tests.support.few_messages import FewMessages
from tests.support.plain_bert import MAX_TOKENS, WIDTH, save_transformer
from tests.support.saved_once import saved_once
from tests.support.savings import Savings
from tests.support.shallow_minilm import save_shallow_minilm

settings.register_profile("fixed", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fuzz", settings.get_profile("fixed"), derandomize=False, max_examples=500, print_blob=True)
settings.load_profile("fixed")  # a test that is green is green again; no example depends on how busy a machine is

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("QDRANT_EMBED_RUNTIME", "torch")  # exact, and quick to load; tests of `auto` unset it
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")  # the same numbers everywhere; name a GPU to test on it (test_gpu.py)

collect_ignore = ["smoke"]  # run by test_core_alone.py, in a process of its own

IN_MEMORY, LEAST_FREE = Path("/dev/shm"), 8 * 2**30
if IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free >= LEAST_FREE:
    # A collection is many small files that are synced to the disk, which takes as long as all else in many tests.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))

PAGES = {
    "index.md": "# Harbour handbook\n\nThis handbook tells how the harbour works.\n\n"
    "## Opening hours\n\nThe gates open at six in the morning and close at ten at night.\n",
    "guide/keys.md": "# Keys\n\n## Rotation\n\nMaster keys are rotated every ninety days by the harbour master.\n\n"
    "## Loss\n\nA lost key is reported to the night watch within one hour.\n",
    "guide/cranes.md": "# Cranes\n\nCrane four lifts at most twelve tons.\n\n"
    "## Maintenance\n\nThe cables are inspected every Tuesday before the first shift.\n",
    "notes/fish.txt": "Herring is landed at pier two.\n\nCod is landed at pier seven, and weighed there.\n",
}

SEARCHES_FOR_GARBAGE = 20_000, 20, 20
"""When Python looks for garbage, in objects and rounds: by its defaults for one second of the processor in fifteen."""


def pytest_configure(config):
    """Count and spare CPU seconds, also in folders that are none of this one's; let Ctrl-C end what tests start."""
    for plugin in (CpuSeconds(), FewMessages(), Savings()):
        config.pluginmanager.register(plugin)
    gc.set_threshold(*SEARCHES_FOR_GARBAGE)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts `make test &`; children would inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Send files to workers one by one, as `--dist loadfile` does, but keep those together that load PyTorch."""
    from tests.support.torch_files import TorchOnFewWorkers

    return TorchOnFewWorkers(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Look for no garbage while tests are found, for the modules that they import last."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory):
    """Return a folder that all workers of a run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session", autouse=True)
def conversions(run_folder):
    """Keep converted models in one folder for all workers, which wait for each other; return the folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QDRANT_EMBED_CACHE", str(run_folder / "conversions"))
        yield run_folder / "conversions"


@pytest.fixture(scope="session")
def shallow_minilm(run_folder):
    """Return the packaged MiniLM with one of its layers, one folder for all workers, so that they share conversions."""
    with FileLock(run_folder / "shallow.lock"):
        folder = run_folder / "shallow"
        return folder if folder.exists() else save_shallow_minilm(folder)


@pytest.fixture(scope="session")
def embeddings(run_folder):
    """Return where vectors of the guide's pages are kept, so that each of their chunks is embedded once in a run."""
    return run_folder / "embeddings.sqlite"


@pytest.fixture
def engine_kind(request):
    """Return `memory`, or for a few tests, drawn from their names, `folder`, or `server` for those marked `anywhere`.

    That all give the same answers is what the engine suite says (tests/store/test_engine.py). A folder takes three
    times the processor's time, most of it the system's: a collection is 250 megabytes of holes. Tests with the mark
    `folder` are all in folders; those marked `anywhere` are all on the server that QDRANT_URL names.
    """
    anywhere = request.node.get_closest_marker("anywhere")
    if request.node.get_closest_marker("folder"):
        return "folder"
    if anywhere and "QDRANT_URL" in os.environ:
        return "server"
    drawn = crc32(request.node.name.encode()) % 40
    return "folder" if drawn < 4 else "server" if anywhere and drawn >= 35 else "memory"


@pytest.fixture
def server_version():
    """Return the version that a stand-in plays; parametrized where another is meant."""
    return "1.18.3"


@pytest.fixture
def server_url(server_version):
    """Return the URL of a server: of a real one where QDRANT_URL names it, which is left as it was; else a stand-in."""
    url = os.environ.get("QDRANT_URL")
    if not url:
        from tests.support.server_stand_in import StandIn

        with StandIn(server_version) as server:
            yield server.url
        return
    engine = open_engine(url)
    before = {found.name for found in engine.get_collections().collections}
    yield url
    for found in engine.get_collections().collections:
        if found.name not in before:
            engine.delete_collection(found.name)
    engine.close()


@pytest.fixture
def location(engine_kind, request, tmp_path):
    """Return a location on the embedded engine, on `QdrantClient(":memory:")`, or on a server."""
    if engine_kind == "server":
        return request.getfixturevalue("server_url")
    return ":memory:" if engine_kind == "memory" else tmp_path / "qdrant_data"


@pytest.fixture
def pages(tmp_path):
    """Write the harbour's pages and return their folder."""
    folder = tmp_path / "harbour"
    for name, text in PAGES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def make_collection(location):
    """Return a function that opens (and at the end closes) collections, at `location` unless told otherwise."""
    from qdrant_embed import Collection, Recipe

    opened = []

    def make(name="harbour", *, at=None, **recipe):
        settings = {"model": "hashing", **recipe}
        collection = Collection.open(name, at=at or location, recipe=Recipe(**settings))
        opened.append(collection)
        return collection

    yield make
    for collection in opened:
        collection.close()


@pytest.fixture
def collection(make_collection):
    """Return an empty collection of short chunks."""
    return make_collection(chunk_tokens=24)


@pytest.fixture(scope="session")
def plain_folder(tmp_path_factory):
    """Return a transformers folder without modules.json."""
    return save_transformer(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="session")
def onnx_folder(plain_folder, tmp_path_factory):
    """Return the tiny BERT as fastembed wants it: an ONNX file beside tokenizer files that state the longest input."""
    import torch
    from transformers import BertModel

    pytest.importorskip("onnx")
    folder = tmp_path_factory.mktemp("onnx")
    for name in ("tokenizer.json", "tokenizer_config.json", "config.json"):
        shutil.copy(plain_folder / name, folder / name)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**config, "model_max_length": MAX_TOKENS}))
    bert = BertModel.from_pretrained(plain_folder, attn_implementation="eager").eval()

    class States(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.bert = bert

        def forward(self, input_ids, attention_mask):
            # A mask that is ready to be added is taken as it is, whatever the length.
            added = (1.0 - attention_mask[:, None, None, :].float()) * -1e9
            return self.bert(input_ids=input_ids, attention_mask=added).last_hidden_state

    names = ["input_ids", "attention_mask"]
    example = tuple(torch.ones(2, 8, dtype=torch.int64) for name in names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the older export is deprecated, and needs no package of its own
        torch.onnx.export(
            States(),
            example,
            str(folder / "model.onnx"),
            input_names=names,
            output_names=["last_hidden_state"],
            dynamic_axes={name: {0: "batch", 1: "tokens"} for name in [*names, "last_hidden_state"]},
            dynamo=False,
        )
    return folder


@pytest.fixture(scope="session")
def save_model(plain_folder, tmp_path_factory):
    """Return a function that saves a sentence-transformers folder around the tiny BERT."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer

    @saved_once
    def save(folder, pooling="mean", *, dense=0, normalize=True, include_prompt=True, **settings):
        import torch

        torch.manual_seed(11)
        modules = [Transformer(str(plain_folder), max_seq_length=MAX_TOKENS)]
        modules.append(Pooling(WIDTH, pooling, include_prompt=include_prompt))
        width = modules[-1].pooling_output_dimension
        modules += [Dense(width, dense)] if dense else []
        modules += [Normalize()] if normalize else []
        model = SentenceTransformer(modules=modules, device="cpu", **settings)
        model.save_pretrained(str(folder), create_model_card=False)
        return folder

    return lambda *given, **named: save(tmp_path_factory.mktemp("model"), *given, **named)


@pytest.fixture(scope="session")
def prompted_folder(save_model):
    """Return a model with a prompt for queries and another for documents."""
    return save_model(prompts={"query": "query : ", "document": "passage : "})


@pytest.fixture(scope="session")
def reference():
    """Return a function that loads a folder with sentence-transformers itself."""
    from sentence_transformers import SentenceTransformer

    return lambda folder: SentenceTransformer(str(folder), device="cpu", local_files_only=True)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Start a stand-in for the hub, which the hub's client asks, and give it an empty cache; return it."""
    from huggingface_hub import close_session

    from tests.support.hub_stand_in import HubStandIn

    with HubStandIn() as stand_in:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", stand_in.url)
        template = f"{stand_in.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr("qdrant_embed.models.hub.transfer.SECONDS_BETWEEN", 0.0)
        monkeypatch.setenv("QDRANT_EMBED_CACHE", str(tmp_path / "cache"))
        yield stand_in
        close_session()
