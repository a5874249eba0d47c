"""Values of `qdrant_client` as those of Qdrant Edge, and back."""
