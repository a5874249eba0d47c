"""Codes of an ordinary collection, as others read them."""

import numpy as np
import pytest

from qdrant_embed import Document
from qdrant_embed.compression.binary_codes import pack_signs
from qdrant_embed.errors import ConfigurationError

TEXTS = [f"Crane {n} lifts {n * 7} tons of {['herring', 'cod', 'eel', 'hull'][n % 4]} at pier {n}." for n in range(70)]


def filled(make_collection, compression, **recipe):
    collection = make_collection("cranes", compression=compression, **recipe)
    collection.ingest([Document(text=text, source=f"{n}.txt") for n, text in enumerate(TEXTS)])
    return collection


def exported(collection, path):
    found = np.load(collection.vectors.export_codes(path), allow_pickle=False)
    return found, dict(zip(found["id"].tolist(), found["code"], strict=True))


@pytest.mark.folder
@pytest.mark.parametrize(
    "compression",
    [
        "bits",
        "bits+center+itq",
        "itq",
        "center+itq+binary+rescore4",
        "float32",
        "64d!+full+rescore4",
        "64d!+full+bits+itq+rescore4",
    ],
)
def test_every_point_has_the_code_that_its_vector_gives(make_collection, tmp_path, compression):
    collection = filled(make_collection, compression)
    _, codes = exported(collection, tmp_path / "codes.npy")
    assert len(codes) == len(TEXTS)
    vector_codec = collection.parts.codec.vector_codec
    for n in (0, 33, 69):
        vector = collection.embedder.embed_documents([TEXTS[n]])
        different = np.unpackbits(codes[collection.chunks(f"{n}.txt")[0].id] ^ vector_codec.codes(vector)[0]).sum()
        # A number that is zero but for rounding has a sign of its own in another batch.
        assert different <= 2


def test_eight_bit_numbers_are_their_own_codes(make_collection, tmp_path):
    collection = filled(make_collection, "uint8")
    _, codes = exported(collection, tmp_path / "codes.npy")
    point = collection.chunks("7.txt")[0].id
    stored = collection.engine.retrieve("cranes", [point], with_vectors=["dense"])[0].vector["dense"]
    assert codes[point].tolist() == stored


def test_windows_are_numbered(make_collection, tmp_path):
    collection = make_collection("long", chunker="document", window="windows:24", compression="bits")
    collection.ingest([Document(text=" ".join(TEXTS[:6]), source="long.txt"), Document(text="Fog.", source="s.txt")])
    found, _ = exported(collection, tmp_path / "codes.npy")
    point = collection.chunks("long.txt")[0].id
    mine = found[found["id"] == point]
    assert mine["window"].tolist() == list(range(len(mine)))
    assert len(mine) > 1


def test_an_empty_collection_gives_an_empty_file(make_collection, tmp_path):
    found, _ = exported(make_collection("none", compression="itq"), tmp_path / "codes.npy")
    assert len(found) == 0


@pytest.mark.folder
def test_codes_that_only_the_engine_knows_are_refused(make_collection, tmp_path):
    with pytest.raises(ConfigurationError, match="'int8' are made and kept inside the engine"):
        make_collection("int8", compression="int8").vectors.export_codes(tmp_path / "codes.npy")
    with pytest.raises(ConfigurationError, match="must end in"):
        make_collection("bits", compression="bits").vectors.export_codes(tmp_path / "codes.txt")


def test_parquet_numbers_windows_too(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    from qdrant_embed.store.export.code_export import write_codes

    codes = pack_signs(np.eye(3, 16, dtype=np.float32))
    table = parquet.read_table(write_codes(tmp_path / "codes.parquet", ["a", "a", "b"], codes, [0, 1, 0]))
    assert table.column_names == ["id", "window", "code"]
    assert table["window"].to_pylist() == [0, 1, 0]
