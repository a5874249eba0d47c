"""What a folder does not have."""

from __future__ import annotations

from qdrant_embed.errors import UnsupportedByEngineError
from qdrant_embed.servers.features import Feature


def unsupported(feature: str) -> UnsupportedByEngineError:
    """Return the error for a feature that Qdrant Edge does not have."""
    return UnsupportedByEngineError(
        f"the embedded engine of a folder has no {feature}; a Qdrant server has. "
        "Start one and open the collection there: at='http://localhost:6333'."
    )


def lacked_by_folder(feature: Feature) -> str:
    """Say why a feature is not to be had in a folder; empty if it is."""
    return "a folder is one shard in one copy" if feature == "server options" else ""
