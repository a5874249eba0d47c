"""What is kept with a collection, and what is too large for that."""

import pytest

from qdrant_embed.compression import Compression
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.store.attachments import SERVER_BYTES, require_room
from qdrant_embed.store.create import create
from qdrant_embed.store.layout import VectorLayout


class Server:
    """A server that must not be asked for anything."""

    def _is_local(self):
        return False


class Local:
    """Stands for a folder, which takes whatever fits the disk."""


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
    require_room(Local(), Compression.parse(compression), dim)
    if fits:
        require_room(Server(), Compression.parse(compression), dim)
        return
    with pytest.raises(ConfigurationError, match=r"a server takes 32\. Keep fewer dimensions \(.*up to '2368d' fit"):
        require_room(Server(), Compression.parse(compression), dim)
    assert SERVER_BYTES > 4 * 2368 * 2368 * 4 / 3


def test_a_collection_is_not_even_made_then():
    layout = VectorLayout(dim=4096, distance="cosine", compression=Compression.parse("itq"))
    with pytest.raises(ConfigurationError, match="4096 x 4096 numbers"):
        create(Server(), "harbour", layout, {})
