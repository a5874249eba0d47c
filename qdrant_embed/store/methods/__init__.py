"""What an engine is asked: what `QdrantClient` is, and what searches need, in a few values of their own.

`qdrant_client` takes half of the time in which a first search is answered. So searches, and the opening of a
collection, ask by `SearchMethods`, whose values need none of it. They stand on the methods of a client, and a folder's
engine answers them by itself.

Files, in reading order: client_methods, ranking_request, client_requests, search_methods.
"""
