"""Let another program write a collection, and print what it wrote: `python record.py cocoindex > cocoindex.json`.

Runs in an environment that has that program; vectors are looked up in `table.json`. Nothing of ours is imported.
"""

import asyncio
import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

TABLE = json.loads((Path(__file__).parent / "table.json").read_text())
WIDTH = 256


def mcp_server_qdrant():
    from mcp_server_qdrant.embeddings.base import EmbeddingProvider
    from mcp_server_qdrant.qdrant import Entry, QdrantConnector

    class Table(EmbeddingProvider):
        async def embed_documents(self, documents):
            return [TABLE["vectors"][one] for one in documents]

        async def embed_query(self, query):
            return TABLE["vectors"][query]

        def get_vector_name(self):
            return "fast-hashing"

        def get_vector_size(self):
            return WIDTH

    async def write():
        connector = QdrantConnector(":memory:", None, "notes", Table())
        for text, metadata in TABLE["entries"]:
            await connector.store(Entry(content=text, metadata=metadata))
        client = connector._client
        points, _ = await client.scroll("notes", limit=100, with_vectors=True)
        return points, await client.get_collection("notes")

    return asyncio.run(write()), ("mcp-server-qdrant", "qdrant-client")


def qdrant_client_mixin():
    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType
    from qdrant_client import QdrantClient

    TextEmbedding.add_custom_model(
        model="tables/hashing", pooling=PoolingType.MEAN, normalization=True, dim=WIDTH,
        sources=ModelSource(url="http://localhost/none"),
    )  # fmt: skip

    class Table(QdrantClient):
        def _embed_documents(self, documents, **named):
            for text in documents:
                yield text, TABLE["vectors"][text]

    client = Table(":memory:")
    client._embedding_model_name = "tables/hashing"
    texts, metadata = zip(*TABLE["entries"], strict=True)
    client.add("notes", documents=texts, metadata=[one or {} for one in metadata], ids=[1, 2, 3, 40])
    points, _ = client.scroll("notes", limit=100, with_vectors=True)
    return (points, client.get_collection("notes")), ("qdrant-client", "fastembed")


def cocoindex():
    os.environ["COCOINDEX_DISABLE_USAGE_TRACKING"] = "1"
    import cocoindex as coco
    import numpy as np
    from cocoindex.connectors import qdrant
    from cocoindex.resources.schema import VectorSchema
    from qdrant_client import QdrantClient

    client, key = QdrantClient(":memory:"), coco.ContextKey("qdrant")

    @coco.fn
    async def main():
        vector = qdrant.QdrantVectorDef(schema=VectorSchema(dtype=np.dtype(np.float32), size=WIDTH))
        schema = await qdrant.CollectionSchema.create({"embedding": vector})
        target = await qdrant.mount_collection_target(key, "notes", schema)
        for number, (text, metadata) in enumerate(TABLE["entries"], 1):
            place = {"filename": f"{number}.md", "chunk_start": 0, "chunk_end": len(text)}
            target.declare_point(
                qdrant.PointStruct(
                    id=number,
                    vector={"embedding": TABLE["vectors"][text]},
                    payload={"text": text, **place, **(metadata or {})},
                )
            )

    with TemporaryDirectory() as folder:

        @coco.lifespan
        def life(builder):
            builder.settings.db_path = Path(folder) / "state"
            builder.provide(key, client)
            yield

        coco.App(coco.AppConfig(name="Notes"), main).update_blocking()
        points, _ = client.scroll("notes", limit=100, with_vectors=True)
        return (points, client.get_collection("notes")), ("cocoindex", "qdrant-client")


def kept(points, info, packages):
    params = info.config.params.model_dump(mode="json", exclude_none=True)
    return {
        "written_by": {name: version(name) for name in packages},
        "params": {name: params[name] for name in ("vectors", "sparse_vectors") if params.get(name)},
        "points": [
            {
                "id": point.id,
                "payload": point.payload,
                "vector": {name: [round(one, 6) for one in row] for name, row in point.vector.items()},
            }
            for point in points
        ],
    }


WRITERS = {"mcp_server_qdrant": mcp_server_qdrant, "qdrant_client_mixin": qdrant_client_mixin, "cocoindex": cocoindex}

if __name__ == "__main__":
    found, packages = WRITERS[sys.argv[1]]()
    sys.stdout.write(json.dumps(kept(*found, packages), separators=(",", ":")) + "\n")
