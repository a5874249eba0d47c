"""An answer is believed only as far as it makes sense."""

import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdrant_embed.runtimes.api.errors import MalformedResponseError
from qdrant_embed.runtimes.api.responses import read_vectors

numbers = st.floats(-1e3, 1e3, width=32)


def packed(vector):
    return base64.b64encode(np.array(vector, "<f4").tobytes()).decode()


@given(
    vectors=st.integers(1, 5).flatmap(
        lambda dim: st.lists(st.lists(numbers, min_size=dim, max_size=dim), min_size=1, max_size=6)
    ),
    order=st.randoms(),
    base64_rows=st.booleans(),
)
def test_vectors_come_in_the_order_of_their_indices(vectors, order, base64_rows):
    rows = [
        {"index": place, "embedding": packed(vector) if base64_rows else vector} for place, vector in enumerate(vectors)
    ]
    order.shuffle(rows)
    found = read_vectors(json.dumps({"data": rows}).encode(), len(vectors), len(vectors[0]))
    np.testing.assert_array_equal(found, np.array(vectors, np.float32))


@pytest.mark.parametrize(
    "answer",
    [
        {"data": [{"embedding": [1, 2.5]}]},
        {"data": [{"embedding": packed([1, 2.5])}]},
        {"embeddings": {"float": [[1, 2.5]]}},
        {"embeddings": [[1, 2.5]]},
    ],
)
def test_the_shapes_of_answers(answer):
    np.testing.assert_array_equal(read_vectors(json.dumps(answer).encode(), 1, 2), [[1, 2.5]])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[]", "holds no vectors"),
        (b"null", "holds no vectors"),
        (b'{"data": {}}', "holds no vectors"),
        (b'{"data": [{"index": 0}]}', "holds no vectors"),
        (b'{"error": "too many requests"}', "holds no vectors"),
        (b'{"embeddings": {"int8": [[1, 2]]}}', "holds no vectors"),
        (b'{"data": []}', "0 vectors came for 1"),
        (b'{"embeddings": [[1, 2], [3, 4]]}', "2 vectors came for 1"),
        (b'{"data": [{"index": 1, "embedding": [1, 2]}]}', "indices are not those"),
        (b'{"data": [{"index": "0", "embedding": [1, 2]}]}', "indices are not those"),
        (b'{"data": [{"index": 0, "embedding": [1, 2, 3]}]}', "write dim = 3"),
        (b'{"data": [{"index": 0, "embedding": []}]}', "neither a list of numbers|0 dimensions"),
        (b'{"data": [{"index": 0, "embedding": [1, NaN]}]}', "not a finite number"),
        (b'{"data": [{"index": 0, "embedding": [1, Infinity]}]}', "not a finite number"),
        (b'{"data": [{"index": 0, "embedding": [1, 1e300]}]}', "not a finite number"),
        (b'{"data": [{"index": 0, "embedding": [1, null]}]}', "neither a list of numbers"),
        (b'{"data": [{"index": 0, "embedding": ["1", "2"]}]}', "neither a list of numbers"),
        (b'{"data": [{"index": 0, "embedding": [[1, 2]]}]}', "neither a list of numbers"),
        (b'{"data": [{"index": 0, "embedding": [[1], [2, 3]]}]}', "neither a list of numbers"),
        (b'{"data": [{"index": 0, "embedding": {"a": 1}}]}', "neither a list of numbers"),
        (b'{"data": [{"index": 0, "embedding": "AAA"}]}', "neither a list of numbers"),
        (b'{"data": [{"index": 0, "embedding": "AAAAAA=="}]}', "1 dimensions|neither a list"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(body, message):
    with pytest.raises(MalformedResponseError, match=message):
        read_vectors(body, 1, 2)
