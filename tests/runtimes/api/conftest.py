"""A sender whose waits are tiny, and a server for it to ask."""

import pytest

from qdrant_embed.runtimes.api.dispatch import Sender
from qdrant_embed.runtimes.api.keys import Key
from qdrant_embed.runtimes.api.providers import PROTOCOLS
from qdrant_embed.runtimes.api.settings import ApiSettings

DIM = 16


@pytest.fixture
def make_settings():
    def make(endpoint, *, api="openai", key="", **changes):
        protocol = PROTOCOLS[api]
        usual = {
            "timeout": 5.0,
            "first_wait": 0.005,
            "longest_wait": 2.0,
            "batch_texts": 8,
            "model": "harbour-1",
            "dim": DIM,
        }
        return ApiSettings(protocol=protocol, address=protocol.address(endpoint), key=Key(key), **{**usual, **changes})

    return make


@pytest.fixture
def make_sender(make_settings):
    made = []

    def make(endpoint, **changes):
        made.append(Sender(make_settings(endpoint, **changes)))
        return made[-1]

    yield make
    for sender in made:
        sender.close()


@pytest.fixture
def send():
    """Return a function that sends texts, each counted as one token per four letters."""

    def call(sender, texts, *, kind="document", dim=DIM):
        return sender.send(texts, [1 + len(text) // 4 for text in texts], kind=kind, dim=dim)

    return call
