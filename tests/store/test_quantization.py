from types import SimpleNamespace

import pytest

from qdrant_embed.compression import Compression
from qdrant_embed.errors import UnsupportedByEngineError
from qdrant_embed.store.client.engine import ClientEngine
from qdrant_embed.store.quantization import require_engine


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
