"""Parts of other packages: a runtime, a chunker, a reranker and an engine that touch no file of this library."""

import sys

import pytest

from qdrant_embed import Collection, Document, Recipe, load_embedder
from qdrant_embed.chunking import CHUNKERS, ChunkLimit, chunk_document, make_chunker
from qdrant_embed.errors import ConfigurationError, UnknownNameError, UnsupportedByEngineError
from qdrant_embed.reranking import RERANKERS
from qdrant_embed.runtimes import RUNTIMES
from qdrant_embed.store import Engine, WrappedEngine, open_engine
from qdrant_embed.testing import check_chunker, check_embedder, check_engine, check_reranker
from qdrant_embed.testing.conformance.chunkers import LIMITS
from qdrant_embed.tokens import WordTokens
from tests.support.tiny_models import save_static_model

TEXTS = {"gates.txt": "The gates open at six.", "cod.txt": "Cod is landed at pier two.", "keys.txt": "Keys rotate."}
CHUNKER = '''
from qdrant_embed.types import Span


class OneWordEach:
    """Makes a chunk of every word, long words in parts."""

    def __init__(self, counter, limit):
        self.most = limit.tokens

    def spans(self, text):
        start = 0
        for place, character in enumerate(text + " "):
            if character.isspace():
                if start < place:
                    yield Span(start, place)
                start = place + 1
            elif place - start == self.most:
                yield Span(start, place)
                start = place
'''
RERANKER = '''
from dataclasses import replace

from qdrant_embed.reranking import Reranker


class ShortFirst(Reranker):
    """Ranks by the length of a passage, in lines of so many characters."""

    depth = 20

    def __init__(self, context, argument):
        self.line = int(argument or 1)

    def rerank(self, query, hits):
        scored = [replace(hit, score=-float(len(hit.text) // self.line)) for hit in hits]
        return sorted(scored, key=lambda hit: -hit.score)
'''
RUNTIME = '''
import re
import zlib
from functools import cache

import numpy as np

from qdrant_embed.runtimes import ExternalModels, RuntimeSpec, TextRuntime

SPEC = RuntimeSpec(
    target="word_sums:WordSums",
    reads_texts=True,
    precisions=("float32", "bf16"),
    external_models="word_sums:Sizes",
    names_models=True,
    prediction="word_sums:predict",
)
OF_TOKENS = RuntimeSpec(target="word_sums:WordSums")
NO_SPEC = object()


class Sizes(ExternalModels):
    """Models whose names are their dimensions."""

    def describe(self, name, values):
        return {"dim": int(values["api_model"]), "max_tokens": 4096}


def predict(resolved, precision):
    return precision or "float32", ""


class WordSums(TextRuntime):
    """Adds up a random vector for each word."""

    takes_threads = True

    def __init__(self, resolved, precision=""):
        self.dim, self.precision = resolved.preset.dim, precision or "float32"

    def sentence(self, batch):
        return np.stack([self.sum_of(text) for text in batch.texts])

    def sum_of(self, text):
        words = ["", *re.findall("[a-z0-9]+", text.lower())]
        return np.sum([vector_of(word, self.dim) for word in words], axis=0, dtype=np.float32)


@cache
def vector_of(word, dim):
    return np.random.default_rng(zlib.crc32(word.encode())).standard_normal(dim)
'''


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that installs a package of one module as pip would lay it out, seen by registries anew."""
    modules = []

    def installed(module, code, group, offered):
        (tmp_path / f"{module}.py").write_text(code)
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n" + "\n".join(offered))
        modules.append(module)

    monkeypatch.syspath_prepend(tmp_path)
    for registry in (CHUNKERS, RERANKERS, RUNTIMES):
        monkeypatch.setattr(registry, "_discovered", False)
        monkeypatch.setattr(registry, "_targets", dict(registry._targets))
    yield installed
    for module in modules:
        sys.modules.pop(module, None)


@pytest.fixture
def chunker(install):
    install("one_word_each", CHUNKER, "qdrant_embed.chunkers", ["one-word-each = one_word_each:OneWordEach"])
    return "one-word-each"


@pytest.fixture
def runtime(install):
    offered = ["word-sums = word_sums:SPEC", "of-tokens = word_sums:OF_TOKENS", "no-spec = word_sums:NO_SPEC"]
    install("word_sums", RUNTIME, "qdrant_embed.runtimes", offered)
    return "word-sums"


@pytest.fixture
def reranker(install):
    install("short_first", RERANKER, "qdrant_embed.rerankers", ["short-first = short_first:ShortFirst"])
    return "short-first"


def documents():
    return [Document(text=text, source=source) for source, text in TEXTS.items()]


# A chunker


def test_the_suite_runs_over_a_chunker(chunker):
    without_overlap = [limit for limit in LIMITS if not limit.overlap]
    check_chunker(lambda counter, limit: make_chunker(chunker, counter, limit), WordTokens(), limits=without_overlap)
    cut = make_chunker(chunker, WordTokens(), ChunkLimit(tokens=8))
    assert [chunk.text for chunk in chunk_document(documents()[0], cut)] == TEXTS["gates.txt"].split()


def test_an_unknown_chunker_is_named_with_those_that_are_known():
    with pytest.raises(UnknownNameError, match="markdown"):
        make_chunker("markdwon", WordTokens(), ChunkLimit(tokens=8))


def test_a_collection_takes_a_chunker(chunker, make_collection):
    collection = make_collection(chunker=chunker, chunk_tokens=16)
    assert collection.ingest(documents()).chunks == 13
    assert [chunk.text for chunk in collection.chunks("keys.txt")] == ["Keys", "rotate."]


# A runtime


def test_the_suite_runs_over_a_runtime(runtime):
    embedder = load_embedder(f"{runtime}:64")
    check_embedder(embedder)
    assert (embedder.dim, embedder.runtime) == (64, "word-sums:float32")
    assert embedder.fingerprint["model"] == "word-sums:64"


def test_a_collection_takes_a_runtime(runtime, make_collection):
    collection = make_collection(model=f"{runtime}:64")
    collection.ingest(documents())
    assert collection.search("where is cod landed?", mode="dense")[0].source == "cod.txt"


def test_a_runtime_is_given_texts_of_a_model_with_a_folder_too(runtime, tmp_path):
    embedder = load_embedder(save_static_model(tmp_path / "model"), runtime=runtime)
    check_embedder(embedder)
    assert embedder.runtime == "word-sums:float32"


def test_a_runtime_that_reads_something_else_than_its_spec_says_is_refused(runtime, tmp_path):
    embedder = load_embedder(save_static_model(tmp_path / "model"), runtime="of-tokens")
    with pytest.raises(ConfigurationError, match=r"'of-tokens' .*WordSums.*runtimes\.TokenRuntime.*reads_texts=False"):
        embedder.embed_queries(["w1"])


def test_what_a_runtime_cannot_do_is_known_by_its_spec(runtime):
    with pytest.raises(ConfigurationError, match=r"'late' does not suit .* the runtime 'word-sums' gives none"):
        load_embedder(f"{runtime}:64", window="late")
    with pytest.raises(ConfigurationError, match=r"layers=2 makes no sense .*\(runtime word-sums\)"):
        load_embedder(f"{runtime}:64", layers=2)
    with pytest.raises(ConfigurationError, match="choose one of word-sums, word-sums:float32, word-sums:bf16"):
        load_embedder(f"{runtime}:64", runtime="word-sums:int8")
    with pytest.raises(ConfigurationError, match=r"the runtime 'no-spec' names object.*it must name a RuntimeSpec"):
        load_embedder("hashing", runtime="no-spec")


def test_two_packages_with_one_name_are_told_apart(install):
    install("other", "", "qdrant_embed.runtimes", ["torch = other:SPEC"])
    with pytest.raises(ConfigurationError, match=r"two packages .*'torch': qdrant_embed\.runtimes.* and other:SPEC"):
        list(RUNTIMES)


# A reranker


def test_the_suite_runs_over_a_reranker(reranker, make_collection):
    collection = make_collection()
    collection.ingest([*documents(), Document(text="The gates close at ten.", source="more.txt")])
    check_reranker(collection.parts.reranker(f"{reranker}:8"), "gates", collection.search("gates"))


def test_a_collection_takes_a_reranker(reranker, make_collection):
    collection = make_collection()
    collection.ingest(documents())
    assert [hit.source for hit in collection.search("pier", rerank=reranker)] == ["keys.txt", "gates.txt", "cod.txt"]
    with pytest.raises(UnknownNameError, match="Did you mean 'short-first'"):
        collection.search("pier", rerank="shortfirst")


# An engine


class Recorder(WrappedEngine):
    """Keeps the names of the methods that were called."""

    def __init__(self):
        super().__init__(open_engine(":memory:"))
        self.called, self.closed = [], 0

    def forward(self, method, *arguments, **named):
        self.called.append(method.__name__)
        return super().forward(method, *arguments, **named)

    def close(self):
        self.closed += 1
        super().close()


def test_the_suite_runs_over_an_engine():
    recorder = Recorder()
    check_engine(recorder)
    assert {"upsert", "facet", "query_points", "update_collection_aliases"} <= set(recorder.called)


def test_a_collection_takes_an_engine_and_leaves_it_open():
    recorder = Recorder()
    with Collection.open("harbour", at=recorder, recipe=Recipe(model="hashing")) as collection:
        collection.ingest(documents())
    with Collection.open("harbour", at=recorder) as again:
        assert again.search("where is cod landed?")[0].source == "cod.txt"
    assert [found.name for found in Collection.list(at=recorder)] == ["harbour"]
    assert {"upsert", "query_batch_points"} <= set(recorder.called)
    assert recorder.closed == 0


def test_an_engine_says_what_it_lacks_and_an_attachment_is_kept_with_its_metadata():
    recorder, recipe = Recorder(), Recipe(model="hashing", compression="itq")
    with pytest.raises(UnsupportedByEngineError, match="engine in memory has no codes"):
        Collection.open("codes", at=recorder, recipe=Recipe(model="hashing", compression="int8"))
    with Collection.open("rotated", at=recorder, recipe=recipe) as collection:
        collection.ingest(documents())
        first = collection.search("cod", mode="dense")
    with Collection.open("rotated", at=recorder) as again:
        assert again.search("cod", mode="dense") == first
    assert recorder.load_attachment("rotated")
    assert recorder.disk_sizes("rotated") is None


def test_an_engine_that_lacks_a_method_is_refused_when_it_is_made():
    class Half(Engine):
        def get_collections(self):
            """Return nothing."""

    with pytest.raises(TypeError, match="abstract"):
        Half()
    with pytest.raises(ConfigurationError, match=r"cannot open a dict as a location; expected .* or an Engine"):
        Collection.open("x", at={})
