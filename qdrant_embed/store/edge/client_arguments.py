"""Arguments of `QdrantClient` that mean nothing in a folder: `None` is what stores written for a client hand over."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache, wraps
from typing import Any, TypeVar

from qdrant_client import QdrantClient

from qdrant_embed.store.edge.lacking_features import unsupported

Class = TypeVar("Class", bound=type)


def takes_client_arguments(kind: Class) -> Class:
    """Let the methods of a class take whatever the client's of the same names take, as long as it is None.

    Anything but None raises `UnsupportedByEngineError`: nothing that was asked for is ignored.
    """
    for name, method in list(vars(kind).items()):
        if not name.startswith("_") and callable(method) and hasattr(QdrantClient, name):
            setattr(kind, name, _tolerant(method))
    return kind


def _tolerant(method: Callable[..., Any]) -> Callable[..., Any]:
    own = frozenset(inspect.signature(method).parameters)

    @wraps(method)
    def call(*arguments: Any, **named: Any) -> Any:
        for name in named.keys() - own:
            if name not in _known(method.__name__):
                continue  # the method's own TypeError names it
            if named.pop(name) is not None:
                raise unsupported(f"{name} in {method.__name__}")
        return method(*arguments, **named)

    return call


@cache
def _known(name: str) -> frozenset[str]:
    """Return the parameters of a method of the client."""
    return frozenset(inspect.signature(getattr(QdrantClient, name)).parameters) - {"self", "kwargs"}
