import uuid

import numpy as np
import pytest
from qdrant_client import models

from qdrant_embed.errors import StoreError

NO_IDS = ["x", "1", -1, 1.0, True, None, 2**64, b"x"]


@pytest.fixture
def collection(folder_engine):
    folder_engine.create_collection("c", models.VectorParams(size=2, distance=models.Distance.COSINE))
    folder_engine.upsert("c", [models.PointStruct(id=1, vector=[1.0, 0.0])])
    return folder_engine


@pytest.mark.parametrize("given", NO_IDS, ids=repr)
def test_what_is_no_id_is_named_by_every_method(collection, given):
    having = models.Filter.model_construct(must=[models.HasIdCondition.model_construct(has_id=[given])])
    for ask in (
        lambda: collection.retrieve("c", [given]),
        lambda: collection.delete("c", [given]),
        lambda: collection.scroll("c", having),
    ):
        with pytest.raises(StoreError, match="is no point id; ids are unsigned integers or UUIDs"):
            ask()
    assert collection.count("c").count == 1


def test_ids_that_are_not_there_are_left_out(collection):
    assert [record.id for record in collection.retrieve("c", [1, 2, str(uuid.uuid4())])] == [1]
    assert [record.id for record in collection.retrieve("c", [np.int64(1)])] == [1]


def test_a_collection_without_dense_vectors_has_an_empty_table_of_them(folder_engine):
    folder_engine.create_collection("s", sparse_vectors_config={"words": models.SparseVectorParams()})
    assert folder_engine.get_collection("s").config.params.vectors == {}


def test_hits_are_what_pydantic_makes_of_their_fields(collection):
    [hit] = collection.query_points("c", [1.0, 0.0], with_payload=False).points
    made = models.ScoredPoint.model_construct(**hit.model_dump())
    assert (hit, hit.model_fields_set) == (made, made.model_fields_set)
    assert hit.model_copy(update={"score": 0.5}).score == 0.5
    assert models.ScoredPoint.model_validate_json(hit.model_dump_json()) == hit
