"""fastembed and QdrantClient: `ingest FOLDER AT MODEL`, or `search AT MODEL QUESTION`."""

import sys
from pathlib import Path

from fastembed import TextEmbedding
from qdrant_client import QdrantClient, models

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
LENGTH = 1000


def paragraphs(text: str) -> list[str]:
    """Put paragraphs together to texts of about a thousand characters: a cutter is not part of either library."""
    found = [""]
    for paragraph in text.split("\n\n"):
        if found[-1] and len(found[-1]) + len(paragraph) > LENGTH:
            found.append("")
        found[-1] = f"{found[-1]}\n\n{paragraph}".strip()
    return [text for text in found if text]


def main(wanted: str, *given: str) -> None:
    """Do one half of the job."""
    if wanted == "ingest":
        folder, at, model = given
        pages = [
            (path.name, text) for path in sorted(Path(folder).glob("*.md")) for text in paragraphs(path.read_text())
        ]
        embedder = TextEmbedding(MODEL, specific_model_path=model)
        vectors = embedder.embed([text for _, text in pages])
        client = QdrantClient(path=at)
        client.create_collection("documents", models.VectorParams(size=384, distance=models.Distance.COSINE))
        points = [
            models.PointStruct(id=number, vector=vector.tolist(), payload={"text": text, "source": source})
            for number, ((source, text), vector) in enumerate(zip(pages, vectors, strict=True))
        ]
        client.upsert("documents", points)
        print(len(points))
    else:
        at, model, question = given
        (vector,) = TextEmbedding(MODEL, specific_model_path=model).query_embed(question)
        client = QdrantClient(path=at)
        print([point.payload["source"] for point in client.query_points("documents", vector.tolist(), limit=5).points])
    client.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
