"""Collections on a Qdrant server, through `qdrant_client`."""
