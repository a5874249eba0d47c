import numpy as np
import pytest

from qdrant_embed.calibration import memory_footprint
from qdrant_embed.calibration.memory_footprint import (
    Probe,
    held_bytes,
    measure_footprint,
    resident_bytes,
    searched_files,
)
from qdrant_embed.errors import StoreError

SMAPS = """7f00-7f10 r--s 00000000 fd:01 12 /at/vector_storage-dense/matrix.dat
Size:                 64 kB
Rss:                  16 kB
7f20-7f30 r--s 00000000 fd:01 12 /at/vector_storage-dense/matrix.dat
Rss:                  12 kB
7f40-7f50 r--s 00001000 fd:01 12 /at/vector_storage-dense/matrix.dat
Rss:                   4 kB
7f60-7f70 rw-p 00000000 00:00 0
Rss:                 900 kB
7f80-7f90 r--s 00000000 fd:01 13 /at/vector_storage-bm25/matrix.dat
Rss:                 800 kB
"""


def test_a_process_that_fails_says_why(tmp_path):
    with pytest.raises(StoreError, match=r"failed: .*no collection .*nothing"):
        measure_footprint(tmp_path, "nothing", Probe(vector="dense", query=[1.0], vectors=("dense",)))


def test_pages_of_a_file_that_is_mapped_twice_count_once():
    assert resident_bytes({"/at/vector_storage-dense/matrix.dat"}, SMAPS) == 20 * 1024
    assert resident_bytes(set(), SMAPS) == 0


@pytest.mark.parametrize(
    ("coded", "files"), [(True, {"quantized.data", "quantized_data/chunk_0"}), (False, {"matrix.dat"})]
)
def test_without_pages_only_what_is_searched_is_counted(tmp_path, coded, files):
    folder = tmp_path / "segments" / "1" / "vector_storage-dense"
    for name in ("matrix.dat", "deleted/flags_a.dat", "deleted.dat", *(files if coded else ())):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    probe = Probe(vector="dense", query=[1.0], vectors=("dense",), encoded=coded)
    assert {str(path.relative_to(folder)) for path in searched_files(tmp_path, probe)} == files


def test_what_an_object_holds_is_counted_once_and_what_is_others_not():
    codes = np.zeros((1000, 48), np.uint8)
    ids = [str(number) * 9 for number in range(1000)]
    both = held_bytes([codes.view(np.uint64), ids, ids], [])
    assert 48_000 + 1000 * 60 < both < 48_000 + 1000 * 110
    assert held_bytes([codes, ids], [ids, codes]) < 500


def test_files_are_counted_where_the_system_tells_no_pages(tmp_path, monkeypatch, capsys):
    import io
    import json
    from dataclasses import asdict

    from qdrant_client import models

    from qdrant_embed.store.location import open_engine

    engine = open_engine(tmp_path)
    engine.create_collection("some", {"dense": models.VectorParams(size=64, distance=models.Distance.DOT)})
    engine.upsert("some", [models.PointStruct(id=n, vector={"dense": [1.0] * 64}, payload={}) for n in range(9)])
    engine.close()
    monkeypatch.setattr(memory_footprint, "SMAPS", tmp_path / "nothing")
    monkeypatch.setattr(
        "sys.stdin", io.StringIO(json.dumps(asdict(Probe(vector="dense", query=[1.0] * 64, vectors=("dense",)))))
    )
    memory_footprint.child(str(tmp_path), "some")
    told = json.loads(capsys.readouterr().out)
    assert told["resident"] is False
    assert told["ram"] > 0
