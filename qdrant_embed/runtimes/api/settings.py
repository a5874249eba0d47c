"""What an API model is told by its preset."""

from __future__ import annotations

from dataclasses import dataclass

from qdrant_embed.errors import UnknownNameError
from qdrant_embed.models.presets import Preset
from qdrant_embed.models.resolve import ResolvedModel
from qdrant_embed.runtimes.api.keys import Key
from qdrant_embed.runtimes.api.providers import PROTOCOLS, Protocol

BATCH_TOKENS = 100_000
"""Tokens of one request where the preset says nothing; each of the APIs takes at least that many."""
CONCURRENCY = 4
ATTEMPTS = 6
TIMEOUT = 60.0
FIRST_WAIT = 0.5
LONGEST_WAIT = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """How to reach a model behind an API, and how hard to try.

    :param address: Where to post to.
    :param model: The model's name there.
    :param dim: Dimensions of a whole vector.
    :param asks_dim: Whether the server can be asked for fewer dimensions.
    :param timeout: Seconds for one request.
    :param attempts: Tries of one request before it counts as failed.
    :param first_wait: Seconds before the second try; each further wait is twice as long, up to `longest_wait`.
    :param longest_wait: Seconds; a server that asks for a longer wait is not waited for.
    :param requests_per_window: Requests that may go out in `window` seconds, 0 for any number.
    :param tokens_per_window: Tokens that may go out in `window` seconds, 0 for any number.
    """

    protocol: Protocol
    address: str
    model: str
    key: Key
    dim: int
    asks_dim: bool = False
    timeout: float = TIMEOUT
    attempts: int = ATTEMPTS
    first_wait: float = FIRST_WAIT
    longest_wait: float = LONGEST_WAIT
    concurrency: int = CONCURRENCY
    requests_per_window: int = 0
    tokens_per_window: int = 0
    window: float = 60.0
    batch_texts: int = 64
    batch_tokens: int = BATCH_TOKENS


def settings_of(preset: Preset) -> ApiSettings:
    """Return what a preset says of its server, defaults filled in.

    :raises ConfigurationError: It names no protocol, or the server's address nowhere.
    """
    if preset.api not in PROTOCOLS:
        raise UnknownNameError("api", preset.api, PROTOCOLS)
    protocol = PROTOCOLS[preset.api]
    return ApiSettings(
        protocol=protocol,
        address=protocol.address(preset.endpoint),
        model=preset.api_model or preset.source or preset.name,
        key=Key(preset.key_variable),
        dim=preset.dim,
        asks_dim=preset.server_dims,
        timeout=preset.timeout or TIMEOUT,
        attempts=preset.attempts or ATTEMPTS,
        concurrency=preset.concurrency or CONCURRENCY,
        requests_per_window=preset.requests_per_minute,
        tokens_per_window=preset.tokens_per_minute,
        batch_texts=preset.batch_texts or protocol.batch_texts,
        batch_tokens=preset.batch_tokens or BATCH_TOKENS,
    )


def predict(resolved: ResolvedModel, precision: str) -> tuple[str, str]:
    """Return that the server will be asked; see `RuntimeSpec.prediction`.

    :raises ConfigurationError: Its key is not set.
    """
    settings_of(resolved.preset).key.value()
    return precision, ""
