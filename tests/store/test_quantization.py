import re
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


@pytest.mark.parametrize(
    ("compression", "version", "since", "nearest"),
    [
        ("turbo8", "1.18.3", "1.20", "uint8"),
        ("turbo16", "1.19.0", "1.20", "float16"),
        ("256d+turbo8+rotate+binary+query8+rescore16", "1.18.3", "1.20", "256d+float16+rotate+binary+query8+rescore16"),
        ("float32+turbo8+rescore2", "1.19.0", "1.20", "int8+rescore2"),
        ("float16+turbo4+rescore2", "1.17.1", "1.18", "float16+int8+rescore2"),
        ("turbo8+turbo4", "1.17.1", "1.20", "float16+int8"),
        ("turbo1.5", "1.16.0", "1.18", "binary1.5"),
    ],
)
def test_what_a_server_lacks_is_refused_with_the_nearest_it_has(compression, version, since, nearest):
    expected = rf"came with Qdrant {since}; this server is {version}\. The nearest .* is '{re.escape(nearest)}'\."
    with pytest.raises(UnsupportedByEngineError, match=expected):
        require_engine(server(version), Compression.parse(compression))
    require_engine(server(version), Compression.parse(nearest))


@pytest.mark.parametrize(
    ("compression", "version"),
    [("turbo8", "1.20.3"), ("turbo16", "nightly"), ("turbo4", "1.18.0"), ("binary+rescore4", "1.16.0")],
)
def test_servers_that_have_it_are_asked(compression, version):
    require_engine(server(version), Compression.parse(compression))


@pytest.mark.parametrize("compression", ["int8", "binary+rescore4", "turbo8", "float32+turbo4+rescore2"])
def test_the_engine_in_memory_would_ignore_codes(compression):
    with pytest.raises(
        UnsupportedByEngineError, match=r"in memory has no (codes|turboquant|stored turbo8): it would take the"
    ):
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
