"""One-bit codes by themselves: what a rotation gains, what learned codes shortlist, and what a peer reaches."""

import time
from dataclasses import replace
from functools import partial

import numpy as np

from benchmarks.compression.nearest import hyperplanes, nearest_by_hamming, nearest_by_weights
from qdrant_embed.calibration.trial import try_settings
from qdrant_embed.compression import Compression, Transform
from qdrant_embed.compression.binary_codes import SignCodes, lowest, pack_signs
from qdrant_embed.evaluation.exact_search import ExactAnswers, exact_search
from qdrant_embed.evaluation.metrics import bootstrap_interval
from qdrant_embed.retrieval.binary.adaptive_rescoring import CONSIDERED, rescore_in_rounds
from qdrant_embed.training.learned_codes import CodeTraining, train_code

K, SHORTLIST, BITS = 10, 200, (64, 96, 128, 256)
ENGINE_QUESTIONS = 300
ROTATED = ("center", "rotate", "itq", "center+rotate", "center+itq")
ENCODED = {"engine's own query": "binary", "query8": "binary+query8", "bits": "bits"}


def measured(recalls: np.ndarray) -> dict:
    """Return a mean with its bootstrap interval."""
    low, high = bootstrap_interval(recalls)
    return {"recall": round(float(recalls.mean()), 4), "low": round(low, 4), "high": round(high, 4)}


def rotations(stored: np.ndarray, asked: np.ndarray, *, quick: bool) -> dict:
    """Compare rotated signs with plain ones of as many bytes and the same kind of query, without rescoring."""
    truth = exact_search(stored, asked, K, "cosine", normalize=True)
    rows = {}
    for kind, code in ENCODED.items():
        plain = alone(code, truth)
        rows[code] = measured(plain)
        for rotation in ("center+itq",) if quick else ROTATED:
            setting = str(Compression.parse(f"{rotation}+{code}"))
            found = alone(setting, truth)
            low, high = bootstrap_interval(found - plain)
            gained = {"gained": round(float((found - plain).mean()), 4), "from": round(low, 4), "to": round(high, 4)}
            rows[setting] = {**measured(found), "over": code, **gained}
            print(kind, setting, rows[setting], flush=True)
    return {"vectors": len(stored), "questions": len(asked), "settings": rows}


def alone(setting: str, truth: ExactAnswers) -> np.ndarray:
    """Return the recall of each question in the real engine."""
    [trial] = try_settings([Compression.parse(setting)], truth)
    return truth.recall(trial.found)


def learned(stored: np.ndarray, asked: np.ndarray, *, quick: bool) -> dict:
    """Measure shortlists of 200 that the real vectors rank: learned codes beside random hyperplanes of as many bits."""
    truth = exact_search(stored, asked, K, "cosine", normalize=True)
    rows, searched = {}, {}
    for bits in BITS[:1] if quick else BITS:
        began = time.perf_counter()
        training = CodeTraining(bits=bits, steps=100) if quick else CodeTraining(bits=bits)
        trained = train_code(stored, training)
        seconds = round(time.perf_counter() - began, 1)
        random = Transform(dim=stored.shape[1], matrix=hyperplanes(stored.shape[1], bits))
        weighed = Transform(dim=stored.shape[1], matrix=random.matrix, query_matrix=random.matrix)
        as_codes = Transform(dim=trained.dim, mean=trained.mean, matrix=trained.matrix, thresholds=trained.thresholds)
        rows[str(bits)] = {
            "learned, vectors read in rounds": in_rounds_shortlisted(trained, truth),
            "learned": shortlisted(trained, truth),
            "learned, queries rounded too": shortlisted(as_codes, truth),
            "random hyperplanes": shortlisted(random, truth),
            "random hyperplanes, queries not rounded": shortlisted(weighed, truth),
            "train_s": seconds,
        }
        searched |= in_the_engine(trained, truth)
        print(bits, rows[str(bits)], flush=True)
    return {"vectors": len(stored), "questions": len(asked), "shortlist": SHORTLIST, "bits": rows, "searched": searched}


def shortlisted(transform: Transform, truth: ExactAnswers) -> dict:
    """Return the recall of a shortlist by code that the real vectors then rank."""
    codes = pack_signs(transform.rotate(truth.vectors), transform.thresholds)
    weights = transform.weigh(truth.queries)
    asked = pack_signs(transform.rotate(truth.queries), transform.thresholds)
    found = []
    for row, query in enumerate(truth.queries):
        if weights is None:
            places, _ = nearest_by_hamming(asked[row], codes, SHORTLIST)
        else:
            places, _ = nearest_by_weights(weights[row], codes, SHORTLIST)
        found.append(places[np.argsort(-(truth.vectors[places] @ query))[:K]].tolist())
    return measured(truth.recall(found))


def in_rounds_shortlisted(transform: Transform, truth: ExactAnswers) -> dict:
    """Return the recall of as many whole vectors that were chosen in rounds, as searches choose them."""
    held = SignCodes.of(pack_signs(transform.rotate(truth.vectors), transform.thresholds))
    weights = transform.weigh(truth.queries)
    found = []
    for row, query in enumerate(truth.queries):
        scores = held.weighted(weights[row])
        considered = lowest(-scores, CONSIDERED * SHORTLIST)
        read = partial(_read, truth.vectors[considered], query, transform)
        codes = held.take(considered).packed()
        places = considered[rescore_in_rounds(scores[considered], codes, transform.width, SHORTLIST, read)]
        found.append(places[np.argsort(-(truth.vectors[places] @ query))[:K]].tolist())
    return measured(truth.recall(found))


def in_the_engine(transform: Transform, truth: ExactAnswers) -> dict:
    """Return recall and milliseconds of searches: vectors read at once, in rounds, and half as many more at once."""
    few = replace(
        truth,
        queries=truth.queries[:ENGINE_QUESTIONS],
        places=truth.places[:ENGINE_QUESTIONS],
        least=truth.least[:ENGINE_QUESTIONS],
    )
    code = f"full+float16+bits+learned{transform.width}"
    settings = [
        Compression.parse(f"{code}+{rescoring}") for rescoring in ("rescore20", "rescore20+rounds", "rescore30")
    ]
    trials = try_settings(settings, few, transform=transform)
    return {trial.setting: {"recall": round(trial.recall, 4), "p50_ms": round(trial.p50, 2)} for trial in trials}


def _read(vectors: np.ndarray, query: np.ndarray, transform: Transform, places: np.ndarray) -> tuple:
    return places, vectors[places] @ query, transform.weigh(vectors[places])


def peer(stored: np.ndarray, asked: np.ndarray) -> dict:
    """Measure sentence-transformers' binary quantization searched by faiss, and ours of the same bits beside it."""
    from sentence_transformers.util.quantization import quantize_embeddings, semantic_search_faiss

    truth = exact_search(stored, asked, K, "cosine", normalize=True)
    codes = np.asarray(quantize_embeddings(stored, "ubinary"), np.uint8)
    rows = {}
    for name, multiplier in (("no rescoring", 0), ("rescoring 4 by query floats and bits", 4)):
        queries = asked if multiplier else np.asarray(quantize_embeddings(asked, "ubinary"), np.uint8)
        began = time.perf_counter()
        hits, _ = semantic_search_faiss(
            queries, corpus_embeddings=codes, corpus_precision="ubinary", top_k=K, exact=True,
            rescore=bool(multiplier), rescore_multiplier=multiplier or 1,
        )  # fmt: skip
        spent = 1000 * (time.perf_counter() - began) / len(asked)
        recalls = truth.recall([[int(hit["corpus_id"]) for hit in row] for row in hits])
        rows[f"sentence-transformers and faiss, {name}"] = {**measured(recalls), "ms": round(spent, 2)}
    for setting in ("bits", "bits+center+itq", "binary", "binary+query8", "center+rotate+binary+query8", "turbo1"):
        [trial] = try_settings([Compression.parse(setting)], truth)
        rows[setting] = {**measured(truth.recall(trial.found)), "ms": round(trial.p50, 2)}
    same = bool((codes == pack_signs(stored)).all())
    return {"bytes": codes.shape[1], "same_bits_as_ours": same, "questions": len(asked), "rows": rows}
