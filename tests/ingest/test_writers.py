"""Programs that write one collection at once, in many orders: each source ends with the chunks of one version.

QDRANT_EMBED_ORDERS says how many orders are tried, then new ones each time; what failed says its seed.
"""

import os
import random
import re
import shutil
from contextlib import closing, contextmanager, nullcontext

import pytest

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.collection_parts import CollectionParts
from qdrant_embed.errors import StoreError
from qdrant_embed.ingest import changed_documents, chunk_stage, pipeline, settle
from qdrant_embed.reading.reader import ReadFile
from qdrant_embed.store.client.clients import in_memory
from qdrant_embed.store.edge import EdgeEngine
from qdrant_embed.store.engine_wrappers import LentEngine
from qdrant_embed.store.location import open_engine
from tests.support.interleaving import TurnEngine, Turns
from tests.support.server_stand_in import StandIn

ORDERS = int(os.environ.get("QDRANT_EMBED_ORDERS", "16"))
FIRST = random.randrange(10**9) if "QDRANT_EMBED_ORDERS" in os.environ else 0
RECIPE = Recipe(model="hashing", chunker="recursive", chunk_tokens=8)
SOURCES = ("a.txt", "b.txt", "c.txt")
WORDS = ("alpha", "bravo", "delta")
FIELDS = ("source", "text_hash", "chunk_index", "start", "end", "size", "modified", "document_hash", "chunk_count")


class Inline:
    """Stages in one thread, each a little ahead of the next: the order of requests is the same each time."""

    def __init__(self, *_):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def stage(self, items, capacity, name):
        ahead = []
        for item in items:
            ahead.append(item)
            if len(ahead) > capacity:
                yield ahead.pop(0)
        yield from ahead


class PlainReader:
    """Reads small texts without a process of its own."""

    def __init__(self, *_, **__):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def stop(self):
        pass

    def expect(self, files):
        for _ in files:
            pass

    def read(self, file):
        try:
            text = file.path.read_text()
        except OSError as error:
            raise changed_documents.ReadError(str(error)) from error
        return ReadFile(Document(text=text, source=file.source, size=file.size, modified=file.modified))


@pytest.fixture
def small_steps(monkeypatch):
    for made in vars(CollectionParts).values():
        if hasattr(made, "lock"):  # Python 3.11 lets one thread at a time compute a property, of all objects
            monkeypatch.setattr(made, "lock", nullcontext())
    monkeypatch.setattr(pipeline, "Prefetcher", Inline)
    monkeypatch.setattr(pipeline, "Reader", PlainReader)
    monkeypatch.setattr(pipeline, "_prepare", lambda _: None)
    monkeypatch.setattr(pipeline, "QUEUED_DOCUMENTS", 1)
    monkeypatch.setattr(pipeline, "QUEUED_BATCHES", 1)
    monkeypatch.setattr(changed_documents, "LOOK_UP_BATCH", 2)
    monkeypatch.setattr(chunk_stage, "BATCH_CHUNKS", 3)


def text_of(chance):
    """Return a text of a few paragraphs, each in one of a few words: two of them share chunks of the same place."""
    return "\n\n".join(
        f"Line {number} of this text says {chance.choice(WORDS)} again." for number in range(chance.randint(1, 4))
    )


class Folder:
    """A folder that is edited, each time with a new time of change."""

    def __init__(self, path, chance):
        self.path, self.chance, self.moment = path, chance, 1_000_000_000
        path.mkdir()
        for source in SOURCES:
            if chance.random() < 0.8:
                self.write(source)

    def write(self, source):
        path = self.path / source
        path.write_text(text_of(self.chance))
        self.moment += 1
        os.utime(path, (self.moment, self.moment))

    def edit(self):
        """Write, touch or remove a file."""
        source, what = self.chance.choice(SOURCES), self.chance.random()
        path = self.path / source
        if what < 0.15:
            path.unlink(missing_ok=True)
        elif what < 0.3 and path.exists():
            self.moment += 1
            os.utime(path, (self.moment, self.moment))
        else:
            self.write(source)


def points(engine, name="c"):
    records, _ = engine.scroll(name, limit=10_000, with_payload=True)
    return {record.id: {field: record.payload.get(field) for field in FIELDS} for record in records}


def by_source(found):
    chunks = {}
    for fields in found.values():
        chunks.setdefault(fields["source"], []).append(fields)
    return chunks


def whole(found):
    """Say what is wrong with the chunks of some source, nothing if all have those of one version."""
    for source, chunks in by_source(found).items():
        versions = {(fields["document_hash"], fields["size"], fields["modified"]) for fields in chunks}
        counts = [fields["chunk_count"] for fields in chunks if fields["chunk_count"]]
        if len(versions) > 1:
            return f"{source} has chunks of {len(versions)} versions"
        if counts != [len(chunks)]:
            return f"{source} has {len(chunks)} chunks, and says {counts}"
    return ""


def opened(engine):
    return Collection.open("c", at=LentEngine(engine), recipe=RECIPE)


def ingest(docs, what):
    return docs.ingest(what, progress=None, stall_seconds=0, allow_delete=True)


def fresh(what):
    engine = in_memory()
    ingest(opened(engine), what)
    return points(engine)


class Scenario:
    """Programs that ingest a folder while it is edited, the last of them after the last edit."""

    share_at_once = 0.2
    """How often all of them open the collection only then, which may not be there yet."""

    def __init__(self, seed, engine, place, *, kill=False):
        self.engine, self.kill = engine, kill
        self.chance, self.turns = random.Random(seed), Turns(seed)
        self.folder = Folder(place / "files", self.chance)
        if self.chance.random() < 0.8:
            ingest(opened(engine), self.given())
            for _ in range(self.chance.randint(0, 4)):
                self.folder.edit()
        self.at_once = self.chance.random() < self.share_at_once
        self.others = [self.turns.add(self.edit)]
        self.writers = [self.writer() for _ in range(self.chance.randint(1, 2))] + [self.writer(late=True)]

    def given(self):
        return self.folder.path

    def open(self, engine):
        return opened(engine)

    def edit(self):
        for _ in range(self.chance.randint(0, 6)):
            self.turns.wait(self.chance.choice((0.02, 0.1, 0.3)) * self.chance.random())
            self.folder.edit()

    def program(self):
        docs = self.open(TurnEngine(self.engine, self.turns))
        assert docs.parts.target
        return docs

    def writer(self, *, late=False):
        docs = None if self.at_once else self.program()

        def work():
            while late and not all(program.ended for program in self.others):
                self.turns.wait(0.02)
            return ingest(docs or self.open(TurnEngine(self.engine, self.turns)), self.given())

        return self.turns.add(work, self.killed_at())

    def killed_at(self):
        return self.chance.randint(3, 60) if self.kill and self.chance.random() < 0.5 else None

    def wrong(self):
        """Return what is wrong when all have ended; nothing where all is well."""
        self.turns.run()
        errors = [program.error for program in self.turns.programs if program.error and not program.killed]
        refused = [error for error in errors if self.may_refuse(error)]
        if len(refused) < len(errors):
            return f"errors: {errors}"
        if not refused and not any(program.killed for program in self.turns.programs):
            found = [failure for program in self.writers for failure in program.result.failed]
            failed = [failure for failure in found if "No such file" not in failure.reason]
            if failed:
                return f"failed: {failed}"
            if self.differs():
                return f"without another run: {self.differs()}"
        last = self.given()
        ingest(self.open(self.engine), last)
        if self.other_than(last):
            return f"after another run: {self.other_than(last)}"
        again = ingest(self.open(self.engine), last)
        return f"nothing new: {again}" if again.embedded or again.deleted else ""

    def may_refuse(self, error):
        return False

    def differs(self):
        return self.other_than(self.given())

    def other_than(self, what):
        found = points(self.engine)
        if found == fresh(what):
            return ""
        return whole(found) or "not the last state of the files"


class TwoTexts(Scenario):
    """Programs that hand over a text of their own for each source: either may stay, as a whole."""

    def given(self):
        return [Document(text=text_of(self.chance), source=source) for source in SOURCES]

    def differs(self):
        return whole(points(self.engine)) or ("" if len(by_source(points(self.engine))) == 3 else "a source is lacking")


class WithDeletion(Scenario):
    """While they ingest, another program removes documents, or all."""

    def edit(self):
        docs = self.program()
        for _ in range(self.chance.randint(1, 4)):
            self.turns.wait(0.1 * self.chance.random())
            docs.delete(self.chance.choice([*SOURCES, "*.txt"]))

    def differs(self):
        return whole(points(self.engine))


class WithRecompression(Scenario):
    """While they ingest, another program changes the compression by a copy: who writes is told, and no half stays."""

    share_at_once = 0.0

    def __init__(self, seed, engine, *arguments, **named):
        opened(engine)
        super().__init__(seed, engine, *arguments, **named)
        docs = self.program()
        self.turns.add(lambda: docs.recompress("float16"), self.killed_at())

    def open(self, engine):
        return Collection.open("c", at=LentEngine(engine))

    def may_refuse(self, error):
        told = "is being copied|was changed|was made anew|no collection|there is something|writes to collection"
        return isinstance(error, StoreError) and bool(re.search(told, str(error)))

    def other_than(self, what):
        def without_ids(found):
            return sorted(map(repr, found.values()))

        found = points(self.engine)
        same = without_ids(found) == without_ids(fresh(what))
        return "" if same else whole(found) or "not the last state of the files"


@contextmanager
def engine_of(kind, place):
    if kind == "server":
        with StandIn(version="1.18.3") as server, closing(open_engine(server.url, make=True)) as engine:
            yield engine
    else:
        with closing(in_memory() if kind == "memory" else EdgeEngine(place / "q")) as engine:
            yield engine


def wrong_orders(scenario, orders, tmp_path, monkeypatch, kind="memory", **named):
    """Return by its seed what is wrong after programs have gone on in an order of requests."""
    wrong = {}
    for seed in range(FIRST, FIRST + orders):
        place = tmp_path / str(seed)
        place.mkdir()
        random.seed(seed)
        with engine_of(kind, place) as engine:
            programs = scenario(seed, engine, place, **named)
            monkeypatch.setattr(settle, "pause", programs.turns.wait)
            found = programs.wrong()
        shutil.rmtree(place)
        if found:
            wrong[seed] = found
    return wrong


@pytest.mark.parametrize("kill", [False, True])
@pytest.mark.parametrize(("kind", "share"), [("memory", 1), ("folder", 6), ("server", 12)])
def test_each_source_ends_with_the_chunks_of_its_last_version(kind, share, kill, small_steps, tmp_path, monkeypatch):
    assert not wrong_orders(Scenario, ORDERS // share, tmp_path, monkeypatch, kind, kill=kill)


@pytest.mark.parametrize("kill", [False, True])
@pytest.mark.parametrize("scenario", [TwoTexts, WithDeletion, WithRecompression])
def test_so_it_is_whatever_else_they_do(scenario, kill, small_steps, tmp_path, monkeypatch):
    assert not wrong_orders(scenario, ORDERS // 4, tmp_path, monkeypatch, kill=kill)
