"""A Model Context Protocol server over the collections of one location.

`Settings` says which collections, and what clients may do with them; `serve_stdio` and `serve_http` run until they are
stopped; `make_server` returns the SDK's server, to be mounted in an app of yours or tried with the SDK's own client.
"""

from qdrant_embed_mcp.open_collections import OpenCollections, Settings
from qdrant_embed_mcp.server import make_server
from qdrant_embed_mcp.serving import serve_http, serve_stdio

__version__ = "0.1.0"

__all__ = ["OpenCollections", "Settings", "__version__", "make_server", "serve_http", "serve_stdio"]
