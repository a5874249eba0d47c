from types import SimpleNamespace

import pytest

from qdrant_embed.compression import Compression
from qdrant_embed.errors import ConfigurationError, UnsupportedByEngineError
from qdrant_embed.store.client.engine import ClientEngine
from qdrant_embed.store.create import create
from qdrant_embed.store.layout import VectorLayout
from qdrant_embed.store.location import open_engine
from qdrant_embed.store.quantization import SERVER_BYTES, require_engine, require_room

FOLDER, SERVER = SimpleNamespace(shared=False), SimpleNamespace(shared=True, lacks=lambda feature: "")
"""A place that takes whatever fits the disk, and one that must not be asked for anything more."""


def server(version):
    return ClientEngine(SimpleNamespace(info=lambda: SimpleNamespace(version=version), _client=object()), place="there")


@pytest.mark.parametrize("compression", ["turbo8", "turbo16", "float32+turbo4+rescore2"])
@pytest.mark.parametrize("version", ["1.16.0", "1.9.2", "0.11.1-dev"])
def test_a_server_without_turbo_quantization_is_told_apart_before_it_is_asked(compression, version):
    with pytest.raises(UnsupportedByEngineError, match=f"came with Qdrant 1.18; this server is {version}"):
        require_engine(server(version), Compression.parse(compression))


@pytest.mark.parametrize("version", ["1.18.0", "1.20.3", "2.0", "nightly"])
def test_other_servers_are_asked(version):
    require_engine(server(version), Compression.parse("turbo8"))


def test_other_codes_need_no_version():
    require_engine(server("0.9"), Compression.parse("binary+rescore4"))


@pytest.mark.parametrize("compression", ["int8", "binary+rescore4", "turbo8", "float32+turbo4+rescore2"])
def test_the_engine_in_memory_would_ignore_codes(compression):
    with pytest.raises(UnsupportedByEngineError, match=r"in memory has no (codes|turboquant): it would take the"):
        require_engine(open_engine(":memory:"), Compression.parse(compression))
    require_engine(open_engine(":memory:"), Compression.parse("256d+float16"))


@pytest.mark.parametrize(
    ("compression", "dim", "fits"),
    [
        ("itq", 1024, True),
        ("itq", 2048, True),
        ("itq", 4096, False),
        ("rotate+float16", 4096, False),
        ("center+float16", 4096, True),
        ("full+bits+learned256+rescore20", 4096, True),
        ("full+bits+learned4096+rescore20", 4096, False),
    ],
)
def test_a_matrix_that_fits_no_request_is_refused(compression, dim, fits):
    require_room(FOLDER, Compression.parse(compression), dim)
    if fits:
        require_room(SERVER, Compression.parse(compression), dim)
        return
    with pytest.raises(ConfigurationError, match=r"a server takes 32\. Keep fewer dimensions \(.*up to '2368d' fit"):
        require_room(SERVER, Compression.parse(compression), dim)
    assert SERVER_BYTES > 4 * 2368 * 2368 * 4 / 3


def test_a_collection_is_not_even_made_then():
    layout = VectorLayout(dim=4096, distance="cosine", compression=Compression.parse("itq"))
    with pytest.raises(ConfigurationError, match="4096 x 4096 numbers"):
        create(SERVER, "harbour", layout, {})
