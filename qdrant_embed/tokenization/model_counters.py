"""Counting tokens for models whose weights, and perhaps tokenizer, are elsewhere."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.models.external_models import external_models
from qdrant_embed.models.presets import Preset
from qdrant_embed.tokens import EstimatedTokens, HuggingFaceTokens, TiktokenTokens, TokenCounter

log = logging.getLogger(__name__)

_TIKTOKEN = "tiktoken:"
_CACHE_VARIABLES = ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR")
_ENCODINGS_AT = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"
"""Where tiktoken loads an encoding from; the hash of this address is the file's name in its cache."""


def counter_of(preset: Preset) -> TokenCounter:
    """Return what counts the tokens of a model whose files are not read here.

    That is the tokenizer that the preset names, `tiktoken:NAME` or the path of a `tokenizer.json`, else the one that
    its runtime knows, else an estimate. Nothing is downloaded: an encoding that tiktoken has not cached is replaced by
    the estimate too, with one warning.

    :raises ConfigurationError: The preset names a tokenizer that is not there.
    """
    external = None if preset.tokenizer else external_models(preset.runtime)
    counter = external.counter(preset) if external else None
    return _counter(preset.tokenizer) if counter is None else counter


def special_tokens_of(preset: Preset, counter: TokenCounter) -> int:
    """Return how many tokens are added to each text: what the preset says, else what the tokenizer would add."""
    if preset.special_tokens or not isinstance(counter, HuggingFaceTokens):
        return preset.special_tokens
    return int(counter.tokenizer.num_special_tokens_to_add(is_pair=False))


@lru_cache(maxsize=32)
def _counter(tokenizer: str) -> TokenCounter:
    if not tokenizer:
        return EstimatedTokens()
    if tokenizer.startswith(_TIKTOKEN):
        return _tiktoken(tokenizer.removeprefix(_TIKTOKEN))
    path = Path(tokenizer).expanduser()
    path = path / "tokenizer.json" if path.is_dir() else path
    if not path.is_file():
        raise ConfigurationError(
            f"tokenizer = {tokenizer!r} is no file; give the path of a tokenizer.json or of its folder, or "
            "tiktoken:NAME, or leave it out for an estimate."
        )
    return HuggingFaceTokens.from_file(path)


def _tiktoken(encoding: str) -> TokenCounter:
    for variable, folder in _tiktoken_caches():
        if (folder / _cached_as(encoding)).is_file():
            with _variable(variable, folder):
                return TiktokenTokens(encoding)
    log.warning(
        "tokens are estimated, about a fifth too many: tiktoken has no copy of %r. To count exactly, let it fetch one "
        "once: python -c \"import tiktoken; tiktoken.get_encoding('%s')\"",
        encoding,
        encoding,
    )
    return EstimatedTokens()


def _cached_as(encoding: str) -> str:
    return hashlib.sha1(_ENCODINGS_AT.format(encoding).encode()).hexdigest()  # noqa: S324 - a file name of tiktoken's


def _tiktoken_caches() -> Iterator[tuple[str, Path]]:
    """Yield the folders that may hold encodings: tiktoken's own cache, then the one that comes with LlamaIndex."""
    stated = next((variable for variable in _CACHE_VARIABLES if variable in os.environ), "")
    if stated:
        yield stated, Path(os.environ[stated])
    else:
        yield _CACHE_VARIABLES[0], Path(tempfile.gettempdir()) / "data-gym-cache"
    found = find_spec("llama_index")
    for place in (found.submodule_search_locations or ()) if found else ():
        yield _CACHE_VARIABLES[0], Path(place) / "core" / "_static" / "tiktoken_cache"


@contextmanager
def _variable(name: str, folder: Path) -> Iterator[None]:
    """Let tiktoken, which asks only the environment, read from a folder."""
    before = os.environ.get(name)
    os.environ[name] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
