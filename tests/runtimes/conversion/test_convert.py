"""What was converted is kept, found whole or made again; with a converter that costs nothing, and with OpenVINO."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from qdrant_embed.concurrency import Cancelled, Job, current_job
from qdrant_embed.embedding import load_embedder
from qdrant_embed.errors import ModelError
from qdrant_embed.models.files.word_vectors import CACHE_VARIABLE
from qdrant_embed.runtimes.choice import MIN_COSINE, RuntimeChoice
from qdrant_embed.runtimes.conversion import convert as converting
from qdrant_embed.runtimes.conversion.cache_folder import lock_file
from qdrant_embed.runtimes.conversion.convert import ModelConverter, converted
from qdrant_embed.runtimes.conversion.fidelity import Original

BYTES = b"all there is of a graph"


def lengths(batch):
    return np.stack([batch.mask.sum(1), batch.mask.sum(1) ** 0], 1).astype(np.float32)


class Copying:
    """Gives a text the vector of its length, and writes a file in the name of a graph."""

    def __init__(self):
        self.conversions, self.graph = 0, None
        self.converter = self.with_steps()

    def with_steps(self, **steps):
        given = {"convert": self.convert, "start": self.start} | steps
        return ModelConverter(RuntimeChoice("onnx", "float32"), lambda _: {}, **given)

    def convert(self, _, folder, pooled):
        self.conversions += 1
        (folder / "graph").write_bytes(BYTES)
        return Original("itself", pooled, lengths)

    def start(self, folder):
        if (folder / "graph").read_bytes() != BYTES:
            raise RuntimeError("these are not the bytes\nof a graph")
        return lengths


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda made: (made / "graph").unlink(),
        lambda made: (made / "graph").write_bytes(BYTES[:-1]),
        lambda made: (made / "graph").write_bytes(BYTES[::-1]),
        lambda made: (made / "fidelity.json").unlink(),
        lambda made: (made / "fidelity.json").write_text('{"pooled": tr'),
    ],
    ids=["gone", "cut off", "other bytes", "note gone", "note cut off"],
)
def test_what_cannot_be_used_any_more_is_made_again_and_said(model, spoil, caplog):
    copying = Copying()
    made = converted(model, copying.converter)
    assert converted(model, copying.converter).folder == made.folder
    assert copying.conversions == 1
    assert not caplog.records
    spoil(made.folder)
    assert converted(model, copying.converter).folder == made.folder
    assert copying.conversions == 2
    assert "converting" in caplog.text
    assert "again" in caplog.text
    assert (made.folder / "graph").read_bytes() == BYTES
    assert converted(model, copying.converter).pooled
    assert copying.conversions == 2
    assert not list(made.folder.parent.glob("making-*"))


def test_what_does_not_start_even_when_new_is_an_error_with_a_cure(model):
    copying, starts = Copying(), []

    def start(folder):
        starts.append(folder)
        if folder.parent.name == "converted":
            raise RuntimeError("out of pipes")
        return copying.start(folder)

    broken = copying.with_steps(start=start)
    with pytest.raises(ModelError, match=r"could not be converted for onnx:float32: .* out of pipes\. Give .* torch"):
        converted(model, broken)
    assert len(starts) == 2, "it was tried out, and then started where it lies"


def test_those_who_start_at_once_convert_once(model):
    copying = Copying()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: converted(model, copying.converter), range(4)))
    assert len({made.folder for made in found}) == 1
    assert copying.conversions == 1


def test_another_process_that_converts_is_waited_for_but_not_for_ever(model, monkeypatch, caplog):
    copying = Copying()
    made = converted(model, copying.converter)
    for file in made.folder.iterdir():
        file.unlink()
    monkeypatch.setattr(converting, "LONGEST_WAIT", 0.0)
    with caplog.at_level("INFO", converting.__name__), converting.FileLock(lock_file(made.folder)):
        assert converted(model, copying.converter).folder == made.folder
    assert copying.conversions == 2
    assert "waiting for it" in caplog.text
    assert "not waiting longer" in caplog.text
    assert "done once and kept" in caplog.text


class Noted(Job):
    """Counts how often it went on."""

    def __init__(self):
        super().__init__()
        self.steps = 0

    def went_on(self):
        super().went_on()
        self.steps += 1


@pytest.fixture
def job():
    job = Noted()
    outer = current_job.set(job)
    yield job
    current_job.reset(outer)


def test_a_conversion_goes_on_with_each_of_its_steps(model, job):
    copying, seen = Copying(), []

    def convert(*given):
        original = copying.convert(*given)
        seen.append(job.steps)
        return original

    def start(folder):
        seen.append(job.steps)
        return copying.start(folder)

    converted(model, copying.with_steps(convert=convert, start=start))
    made, tried, started = seen
    assert made < tried < started


def test_a_conversion_that_is_called_off_leaves_nothing(model, job):
    copying = Copying()

    def convert(*given):
        job.cancelled.set()
        return copying.convert(*given)

    with pytest.raises(Cancelled):
        converted(model, copying.with_steps(convert=convert))
    job.cancelled.clear()
    made = converted(model, copying.converter)
    assert copying.conversions == 2
    assert not list(made.folder.parent.glob("making-*"))


def test_a_lock_file_that_a_killed_process_left_holds_nobody_up(model, caplog):
    copying = Copying()
    made = converted(model, copying.converter)
    for file in made.folder.iterdir():
        file.unlink()
    lock_file(made.folder).touch()
    with caplog.at_level("INFO", converting.__name__):
        assert converted(model, copying.converter).folder == made.folder
    assert "done once and kept" in caplog.text
    assert "waiting" not in caplog.text


def test_without_locks_the_faster_one_wins(model, monkeypatch):
    def acquire(_, **__):
        raise NotImplementedError("no locks here")

    monkeypatch.setattr(converting.FileLock, "acquire", acquire)
    fast, slow = Copying(), Copying()
    remove = converting.shutil.rmtree

    def overtaken(folder, **settings):
        remove(folder, **settings)
        monkeypatch.setattr(converting.shutil, "rmtree", remove)
        converted(model, fast.converter)

    monkeypatch.setattr(converting.shutil, "rmtree", overtaken)
    assert converted(model, slow.converter).pooled
    assert (fast.conversions, slow.conversions) == (1, 1)


def test_a_cache_that_cannot_be_written_is_named(model, cache):
    cache.write_text("a file in the place of the folder")
    with pytest.raises(ModelError, match=rf"Set {CACHE_VARIABLE} to a folder that can be written"):
        converted(model, Copying().converter)


def test_how_a_conversion_fell_short_is_known_afterwards(model, monkeypatch):
    copying = Copying()
    assert converting.fidelity_error(model, copying.converter) is None
    converted(model, copying.converter)
    assert converting.fidelity_error(model, copying.converter) == ""
    monkeypatch.setitem(MIN_COSINE, "float32", 1.1)
    assert "1.1 is the minimum" in converting.fidelity_error(model, copying.converter)


@pytest.mark.parametrize(
    ("file", "runtime", "spoiled"),
    [
        ("model.blob", "openvino:float32", "half"),
        ("model.blob", "openvino:float32", "other bytes"),
        ("whole.blob", "openvino:int8", "half"),
    ],
)
@pytest.mark.usefixtures("int8_anywhere")
def test_openvino_starts_again_from_a_spoiled_cache(folder, cache, file, runtime, spoiled):
    pytest.importorskip("openvino")
    first = load_embedder(folder, runtime=runtime).embed_documents(["w1 w2"])
    (place,) = cache.glob(f"converted/*/{file}")
    whole = place.read_bytes()
    place.unlink()  # it is mapped, and a running model is left alone
    place.write_bytes(whole[: len(whole) // 2] if spoiled == "half" else whole[::-1])
    np.testing.assert_allclose(load_embedder(folder, runtime=runtime).embed_documents(["w1 w2"]), first, atol=1e-6)
