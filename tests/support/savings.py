"""What spares all tests of a run seconds of the processor, in every folder of tests, and changes no answer.

It is a plug-in and no fixtures: looking up ten of them took longer than many a test.
"""

import copy
import gc
import ssl
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from functools import cache
from types import SimpleNamespace

import pytest

from tests.support.spare_reader import SparingWorker, end_spare_processes

ATOMS = frozenset((str, int, float, bool, type(None)))
MANY_MODULES = 40
"""Those that have to be new before it is told again what lasts."""


@contextmanager
def own_sockets():
    """Keep sockets in a directory that goes with this run: processes that tests kill leave theirs."""
    with tempfile.TemporaryDirectory() as short, pytest.MonkeyPatch.context() as patch:  # `tmp_path` is too long for it
        patch.setenv("XDG_RUNTIME_DIR", short)
        yield


def copied(value):
    """Copy a payload, as `deepcopy` does, in a fifth of its time."""
    kind = type(value)
    if kind is dict:
        return {name: copied(inner) for name, inner in value.items()}
    if kind is list:
        return [copied(inner) for inner in value]
    return value if kind in ATOMS else copy.deepcopy(value)


@contextmanager
def shared_by_clients():
    """Let clients share what each reads anew: the schemas of its requests, and certificates that no server here has.

    The engine in memory reads a field's name once, and not for each point, and copies payloads quickly; and requests to
    a server on this machine share connections, as those to any other server do: to open one takes as long as the
    request.
    """
    import httpx
    from qdrant_client.embed import type_inspector
    from qdrant_client.local import payload_value_extractor as extractor

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("qdrant_client.local.local_collection.deepcopy", copied)
        patch.setattr(extractor, "parse_json_path", cache(extractor.parse_json_path))
        patch.setattr("qdrant_client.qdrant_remote.httpx", SimpleNamespace(Limits=lambda **_: httpx.Limits()))
        patch.setattr("qdrant_client.embed.type_inspector.ModelSchemaParser", cache(type_inspector.ModelSchemaParser))
        patch.setattr("ssl.create_default_context", cache(ssl.create_default_context))
        yield


@contextmanager
def quick_searches_for_garbage():
    """Let a conversion's search for garbage pass over what outlived the one before: each takes longer than the model.

    What it is for is found all the same, since it is younger.
    """

    def collect():
        gc.collect()
        gc.freeze()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("qdrant_embed.runtimes.conversion.convert.gc", SimpleNamespace(collect=collect))
        yield


@contextmanager
def spare_readers(parts):
    """Let ingests use one reading process after another, where the tests are not about these processes."""
    with pytest.MonkeyPatch.context() as patch:
        if "worker" not in parts:
            patch.setattr("qdrant_embed.reading.reader.Worker", SparingWorker)
        yield


@contextmanager
def needed_indexes(parts):
    """Make the payload indexes alone that a server of strict limits gets too, where tests are not about any of them.

    The others change no answer. Each is two megabytes of files in a folder, which take much of the processor's time;
    as does a trial whether there is room for them. Tests of copies and of the embedded engine are about collections as
    a whole, and have those that are needed.
    """
    from qdrant_embed.store.filters import field_indexes

    with pytest.MonkeyPatch.context() as patch:
        if "test_room.py" not in parts:
            patch.setattr("qdrant_embed.store.edge.room._can_allocate", lambda *_: True)
        if {"copies", "edge"} & parts or not {"store", "retrieval"} & parts:
            every = field_indexes.INDEXED_FIELDS
            needed = {field: every[field] for field in field_indexes.NEEDED_FIELDS}
            patch.setattr(field_indexes, "INDEXED_FIELDS", needed)
        yield


@contextmanager
def vectors_read_on_demand(parts):
    """Let folders map vectors as they are read, and not all as they are opened: a handful lies in 32 MiB of holes.

    Tests of the embedded engine have it as it is.
    """
    import qdrant_edge as edge

    params = edge.EdgeVectorParams
    with pytest.MonkeyPatch.context() as patch:
        if "edge" not in parts:
            patch.setattr(edge, "EdgeVectorParams", lambda **given: params(**{"memory": edge.Memory.Cold, **given}))
        yield


class Savings:
    """The plug-in: some are there from the first test to the last, some depend on the file that is run."""

    def __init__(self):
        self._run, self._file = ExitStack(), ExitStack()
        self._path, self._lasting = None, 0

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item):
        if self._path is None:
            for of_the_run in (own_sockets, shared_by_clients, quick_searches_for_garbage):
                self._run.enter_context(of_the_run())
        if item.path != self._path:
            self._turn_to(item.path, item.config.rootpath)
        return (yield)

    def _turn_to(self, path, root):
        self._file.close()
        self._path = path
        parts = set(path.relative_to(root).parts)  # what the folders above are called says nothing
        for of_the_file in (spare_readers, needed_indexes, vectors_read_on_demand):
            self._file.enter_context(of_the_file(parts))
        if len(sys.modules) > self._lasting + MANY_MODULES:
            # A full search for garbage takes longer than most tests once torch is loaded.
            gc.collect(1)
            gc.freeze()
            self._lasting = len(sys.modules)

    def pytest_sessionfinish(self):
        self._file.close()
        self._run.close()
        end_spare_processes()
