"""The whole flow on real documents: is every text findable, how good are the rankings, what does a second run cost."""

import argparse
import itertools
import json
import random
import re
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.common import data, save, token_bytes
from qdrant_embed import Collection, Document, Recipe

HERE = Path(__file__).parent
PARTS = ("cranfield", "findability", "edits")
TIMED = 10
"""Questions asked one by one to time them."""


def read_jsonl(path: Path) -> list[dict]:
    """Read one JSON value a line."""
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def ranking_quality(name: str, at: Path, given: argparse.Namespace) -> dict:
    """Return nDCG@10 of each mode on a data set in BEIR layout, also ranked again, through the public API."""
    import ir_measures
    from ir_measures import R, nDCG

    folder = data(name)
    corpus = read_jsonl(folder / "corpus.jsonl")
    queries = read_jsonl(folder / "queries.jsonl")
    judgments = [line.split("\t") for line in (folder / "qrels" / "test.tsv").read_text().splitlines()[1:]]
    qrels = [ir_measures.Qrel(query, document, int(grade)) for query, document, grade in judgments]
    judged = {qrel.query_id for qrel in qrels}
    asked = [query for query in queries if query["_id"] in judged]
    measures = [nDCG @ 10, R @ 10]
    recipe = Recipe(model=given.model, multivector=given.multivector)
    with Collection.open(name, at=at, recipe=recipe) as collection:
        texts = ((item["_id"], f"{item.get('title', '')}. {item['text']}".strip(". ")) for item in corpus)
        report = collection.ingest(Document(text=text, source=key) for key, text in texts if text)
        scores = {}
        texts = [query["text"] for query in asked]
        for mode, rerank in itertools.product(("dense", "bm25", "hybrid"), (None, given.rerank)):
            run = list(as_run(asked, collection.search(texts, k=30, mode=mode, rerank=rerank)))
            found = {str(m): round(v, 4) for m, v in ir_measures.calc_aggregate(measures, qrels, run).items()}
            scores[f"{mode}+{rerank}" if rerank else mode] = {**found, "ms": median_ms(collection, texts, mode, rerank)}
        per_chunk = token_bytes(collection)
    counts = {"documents": report.documents, "chunks": report.chunks, "queries": len(asked), "token_bytes": per_chunk}
    return {**counts, "scores": scores}


def median_ms(collection: Collection, texts: list[str], mode: str, rerank: str | None) -> float:
    """Return how long a question asked by itself takes, in the middle of some."""
    taken = []
    for text in texts[:TIMED]:
        began = time.perf_counter()
        collection.search(text, k=10, mode=mode, rerank=rerank)
        taken.append(1000 * (time.perf_counter() - began))
    return round(statistics.median(taken), 1)


def as_run(queries: list[dict], found: list):
    """Yield each query's documents, each by its best chunk."""
    import ir_measures

    for query, hits in zip(queries, found, strict=True):
        best: dict[str, float] = {}
        for rank, hit in enumerate(hits):
            best.setdefault(hit.source, 1.0 / (rank + 1))
        for source, score in best.items():
            yield ir_measures.ScoredDoc(query["_id"], source, score)


def middle_sentence(text: str, generator: random.Random) -> str | None:
    """Return a sentence from the middle third of a text, None if it has none long enough to be a question."""
    third = len(text) // 3
    sentences = [s.strip() for s in re.split(r"(?<=[.!?。])\s+|\n{2,}", text[third : 2 * third])]
    fitting = [s for s in sentences[1:-1] if 40 <= len(s) <= 300 and not s.startswith(("```", "|", "#"))]
    return generator.choice(fitting) if fitting else None


def findability(at: Path, samples: int, model: str) -> dict:
    """Ingest a folder of real files and look for sentences taken from the middle of the files' own text."""
    from qdrant_embed.errors import ReadError
    from qdrant_embed.reading.files import ReadOptions, SourceFile, find_root, walk
    from qdrant_embed.reading.reader import Reader

    generator = random.Random(11)
    folder = data("docs")
    with Collection.open("docs", at=at, recipe=Recipe(model=model)) as collection:
        began = time.perf_counter()
        report = collection.ingest(folder)
        first_seconds = time.perf_counter() - began
        sentences: list[tuple[str, str]] = []
        with Reader(ReadOptions()) as reader:
            for file in walk(find_root(folder), ReadOptions()):
                if not isinstance(file, SourceFile):
                    continue
                try:
                    text = reader.read(file).document.text
                except ReadError:
                    continue
                drawn = {middle_sentence(text, generator) for _ in range(3)} - {None}
                sentences += [(file.source, sentence) for sentence in sorted(drawn)]
        generator.shuffle(sentences)
        sentences = sentences[:samples]
        found = collection.search([sentence for _, sentence in sentences], k=3)
        hit = [
            squash(s) in squash(" ".join(h.text for h in hits)) for (_, s), hits in zip(sentences, found, strict=True)
        ]
        began = time.perf_counter()
        again = collection.ingest(folder)
        second_seconds = time.perf_counter() - began
    return {
        "report": report.as_dict(),
        "sentences": len(sentences),
        "files_sampled": len({source for source, _ in sentences}),
        "found_in_top_3": sum(hit),
        "share": round(sum(hit) / len(hit), 4),
        "missed": [sentence for sentence, ok in zip(sentences, hit, strict=True) if not ok],
        "first_run_s": round(first_seconds, 2),
        "second_run_s": round(second_seconds, 3),
        "second_run_embedded": again.embedded,
        "times_faster": round(first_seconds / second_seconds, 1),
    }


def squash(text: str) -> str:
    """Fold white space, so that a sentence across a line break is the same sentence."""
    return " ".join(text.split())


def edits(at: Path, count: int, model: str) -> dict:
    """Edit one paragraph of one page at a time and count what is embedded beyond the chunks that hold the paragraph."""
    generator = random.Random(5)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "pages"
        shutil.copytree(data("docs") / "fastapi", folder)
        pages = sorted(page for page in folder.rglob("*.md") if page.stat().st_size > 2000)
        outcomes = []
        with Collection.open("edits", at=at, recipe=Recipe(model=model)) as collection:
            collection.ingest(folder)
            edited = generator.sample(pages, count)
            outcomes += [one_edit(collection, folder, page, generator) for page in edited]
    beyond = [outcome["embedded_beyond"] for outcome in outcomes]
    return {
        "edits": len(outcomes),
        "embedded": sum(outcome["embedded"] for outcome in outcomes),
        "chunks_of_edited_pages": sum(outcome["chunks"] for outcome in outcomes),
        "embedded_that_do_not_hold_the_edit": sum(beyond),
        "edits_with_any_such": sum(b > 0 for b in beyond),
        "outcomes": outcomes,
    }


def one_edit(collection: Collection, folder: Path, page: Path, generator: random.Random) -> dict:
    """Replace one paragraph's first word by two sentences and ingest again."""
    marker = f"Edited paragraph number {generator.randrange(10**6)}. It says something new."
    paragraphs = page.read_text().split("\n\n")
    prose = [n for n, text in enumerate(paragraphs) if text[:1].isalpha() and len(text) > 60]
    place = generator.choice(prose)
    paragraphs[place] = f"{marker} {paragraphs[place].split(' ', 1)[1]}"
    edited = paragraphs[place]
    page.write_text("\n\n".join(paragraphs))
    source = page.relative_to(folder).as_posix()
    before = {(hit.text, hit.headings) for hit in collection.chunks(source)}
    report = collection.ingest(folder)
    after = collection.chunks(source)
    start = page.read_text().index(edited)
    holds = [hit for hit in after if hit.start < start + len(edited) and hit.end > start]
    changed = [hit for hit in after if (hit.text, hit.headings) not in before]
    return {
        "page": source,
        "chunks": len(after),
        "embedded": report.embedded,
        "chunks_holding_the_edit": len(holds),
        "embedded_beyond": max(0, report.embedded - len(holds)),
        "changed_texts": len(changed),
    }


def main() -> None:
    """Run the parts asked for and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"some of {', '.join(PARTS)}; all if none is named")
    parser.add_argument("--quick", action="store_true", help="a few sentences and edits; results are named quick-…")
    parser.add_argument("--model", default="minilm", help="what embeds")
    parser.add_argument("--multivector", default="", help="of cranfield's recipe: self for codes of tokens")
    parser.add_argument("--rerank", default="tokens", help="what ranks the hits of cranfield again")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"unknown parts {sorted(unknown)}; known: {', '.join(PARTS)}")
    for part in given.parts or PARTS:
        with tempfile.TemporaryDirectory() as temporary:
            results = measured(part, Path(temporary), given)
        part += f"-{given.multivector.replace(':', '-')}" if given.multivector else ""
        print(save(HERE, f"quick-{part}" if given.quick else part, results).read_text()[:1500])


def measured(part: str, at: Path, given: argparse.Namespace) -> dict:
    """Return one part's results."""
    if part == "findability":
        return findability(at, 20 if given.quick else 200, given.model)
    if part == "edits":
        return edits(at, 2 if given.quick else 30, given.model)
    return ranking_quality(part, at, given)


if __name__ == "__main__":
    main()
