"""Which bytes give which answers: every compression on Cranfield and on real sentences, in the embedded engine."""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.common import data, save
from benchmarks.compression.sentences import vectors as sentence_vectors
from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.calibration.drawing import draw
from qdrant_embed.calibration.grid import default_grid
from qdrant_embed.calibration.report import Calibration
from qdrant_embed.calibration.run import CalibrateOptions, walk
from qdrant_embed.calibration.truth import exact, interval
from qdrant_embed.compression import Compression, Transform
from qdrant_embed.compression.codes import hyperplanes, nearest_by_hamming, pack_signs
from qdrant_embed.compression.learned import CodeTraining, train_code

HERE = Path(__file__).parent
QUESTIONS, K = 300, 10
TARGET = 0.99
EXTRA = ("binary+query8+rescore", "binary+query8", "binary+rescore32", "centre+itq+binary+query8+rescore32",
         "turbo2+rescore4", "opq+pq16")  # fmt: skip


def read_jsonl(path: Path) -> list[dict]:
    """Read one JSON value a line."""
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def split(cache: Path | None, most: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Return sentence vectors to search, and held-out ones to search with."""
    _, found = sentence_vectors(cache)
    order = np.random.default_rng(0).permutation(len(found))
    found = found[order[: most or len(order)]].astype(np.float32)
    return found[QUESTIONS:], found[:QUESTIONS]


def sentences(cache: Path | None, most: int | None) -> dict:
    """Measure the grid on real sentences, and what `calibrate` would choose for a target of 0.99."""
    stored, asked = split(cache, most)
    truth = exact(stored, asked, K, "cosine")
    quick = most is not None
    grid = [] if quick else default_grid(stored.shape[1], [], compare_by="cosine")
    names = ("float32", "binary", "itq+binary", "centre+itq+binary+query8", "turbo1", "bits", "bits+itq")
    grid = grid or [Compression.parse(text) for text in names]
    grid += [Compression.parse(text) for text in (EXTRA[:2] if quick else EXTRA)]
    trials = walk(grid, truth, progress=lambda text, done, count: print(f"{done + 1}/{count} {text}", flush=True))
    found = Calibration(
        collection="sentences", vectors=len(stored), dim=stored.shape[1], questions=len(asked), k=K, target=TARGET,
        most_bytes=None, trials=tuple(trials), ndcg={},
    )  # fmt: skip
    draw(found, HERE / "results" / f"{'quick-' if quick else ''}sentences.png")
    return {**found.as_dict(), "differences": differences(trials, truth)}


def differences(trials: list, truth) -> list[dict]:
    """Return what rotated one-bit codes gain over plain signs of as many bytes, question by question, no rescoring."""
    recalls = {trial.setting: truth.recall(trial.found) for trial in trials}
    pairs = [
        ("itq+binary", "binary"), ("rotate+binary", "binary"), ("itq+binary+query8", "binary+query8"),
        ("centre+itq+binary+query8", "binary+query8"), ("centre+itq+binary+query8", "binary"),
        ("centre+itq+binary+query8", "turbo1"), ("bits+itq", "bits"), ("bits+centre+itq", "bits"),
    ]  # fmt: skip
    rows = []
    for one, other in pairs:
        if one in recalls and other in recalls:
            gained = recalls[one] - recalls[other]
            low, high = interval(gained)
            rows.append({"setting": one, "over": other, "gained": round(float(gained.mean()), 4),
                         "low": round(low, 4), "high": round(high, 4)})  # fmt: skip
    return rows


def cranfield(quick: bool) -> dict:
    """Calibrate Cranfield with its own questions and judgements, through the public API."""
    folder = data("cranfield")
    texts = (
        (item["_id"], f"{item.get('title', '')}. {item['text']}".strip(". "))
        for item in read_jsonl(folder / "corpus.jsonl")
    )
    judged: dict[str, dict[str, float]] = {}
    for line in (folder / "qrels" / "test.tsv").read_text().splitlines()[1:]:
        query, document, grade = line.split("\t")
        judged.setdefault(query, {})[document] = max(0.0, float(grade))
    asked = [query for query in read_jsonl(folder / "queries.jsonl") if query["_id"] in judged]
    settings = ("float32", "binary", "centre+itq+binary+query8", "bits") if quick else ()
    with tempfile.TemporaryDirectory() as temporary:  # noqa: SIM117 - the folder outlives the collection
        with Collection.open("cranfield", at=temporary, recipe=Recipe(model="minilm")) as collection:
            collection.ingest(Document(text=text, source=key) for key, text in texts if text)
            options = CalibrateOptions(
                k=K, target_recall=TARGET, settings=settings, judgements=[judged[query["_id"]] for query in asked],
                progress=lambda text, done, count: print(f"{done + 1}/{count} {text}", flush=True),
            )  # fmt: skip
            found = collection.calibrate([query["text"] for query in asked], options=options)
            draw(found, HERE / "results" / f"{'quick-' if quick else ''}cranfield.png")
            return {**found.as_dict(), "capacity": str(collection.capacity())}


def cranfield_vectors() -> tuple[np.ndarray, np.ndarray]:
    """Return MiniLM vectors of Cranfield's abstracts and questions."""
    from qdrant_embed import load_embedder

    model, folder = load_embedder("minilm"), data("cranfield")
    documents = [f"{item.get('title', '')}. {item['text']}".strip(". ") for item in read_jsonl(folder / "corpus.jsonl")]
    questions = [query["text"] for query in read_jsonl(folder / "queries.jsonl")]
    return model.embed_documents([text for text in documents if text]), model.embed_queries(questions)


def learned(cache: Path | None, most: int | None) -> dict:
    """Measure shortlists on both sets."""
    quick = most is not None
    return {
        "cranfield": shortlists(*cranfield_vectors(), quick=quick),
        "sentences": shortlists(*split(cache, most), quick=quick),
    }


def shortlists(stored: np.ndarray, asked: np.ndarray, *, quick: bool) -> dict:
    """Measure a shortlist of 200 by 64 bits, ranked by real vectors: learned bits beside random hyperplanes."""
    truth = exact(stored, asked, K, "cosine")
    began = time.perf_counter()
    trained = train_code(stored, CodeTraining(bits=64, steps=300 if quick else 1500))
    seconds = time.perf_counter() - began
    random = Transform(dim=stored.shape[1], matrix=hyperplanes(stored.shape[1], 64))
    rows = {}
    for name, transform in (("learned", trained), ("random hyperplanes", random)):
        codes = pack_signs(transform.rotate(stored), transform.thresholds)
        queries = pack_signs(transform.rotate(asked), transform.thresholds)
        for shortlist in (200, 1000):
            found = []
            for code, query in zip(queries, asked, strict=True):
                places, _ = nearest_by_hamming(code, codes, shortlist)
                found.append(places[np.argsort(-(stored[places] @ query))[:K]])
            recalls = truth.recall(found)
            low, high = interval(recalls)
            rows[f"{name}, {shortlist}"] = {
                "recall": round(float(recalls.mean()), 4),
                "low": round(low, 4),
                "high": round(high, 4),
            }
    return {"vectors": len(stored), "bits": 64, "train_s": round(seconds, 1), "shortlists": rows}


def peer(cache: Path | None, most: int | None) -> dict:
    """Measure sentence-transformers' own binary quantization of the same vectors, compared exactly, no rescoring."""
    from sentence_transformers.util.quantization import quantize_embeddings

    stored, asked = split(cache, most)
    truth = exact(stored, asked, K, "cosine")
    codes, queries = (np.asarray(quantize_embeddings(part, "ubinary"), np.uint8) for part in (stored, asked))
    recalls = truth.recall([nearest_by_hamming(query, codes, K)[0].tolist() for query in queries])
    low, high = interval(recalls)
    same = bool((codes == pack_signs(stored)).all())
    return {
        "recall": round(float(recalls.mean()), 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "bytes": codes.shape[1],
        "same_bits_as_ours": same,
    }


def main() -> None:
    """Run the parts asked for and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["cranfield", "sentences", "learned", "peer"])
    parser.add_argument("--quick", action="store_true", help="few vectors and settings; results are named quick-…")
    parser.add_argument("--cache", type=Path, help="a .npy file to keep the sentence vectors in")
    given = parser.parse_args()
    (HERE / "results").mkdir(exist_ok=True)
    most = 5000 if given.quick else None
    runs = {
        "cranfield": lambda: cranfield(given.quick),
        "sentences": lambda: sentences(given.cache, most),
        "learned": lambda: learned(given.cache, most),
        "peer": lambda: peer(given.cache, most),
    }
    for part in given.parts:
        began = time.perf_counter()
        results = runs[part]()
        name = f"quick-{part}" if given.quick else part
        save(HERE, name, {**results, "run_s": round(time.perf_counter() - began, 1)})
        print(name, {key: value for key, value in results.items() if key != "trials"}, flush=True)


if __name__ == "__main__":
    main()
