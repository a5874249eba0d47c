"""Models behind an API.

Files, in reading order: batches, errors, keys, connection, providers, rate_limit, responses, settings, retry,
dispatch, runtime.
"""

from qdrant_embed.runtimes.api.runtime import ApiRuntime

__all__ = ["ApiRuntime"]
