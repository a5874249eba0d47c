import hashlib

import numpy as np
import pytest

from qdrant_embed.embedding import load_embedder
from qdrant_embed.errors import ConfigurationError

MASK = (1 << 64) - 1


def word_hash(word):
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")


def pair_hash(first, second):
    value = (word_hash(first) * 3 + word_hash(second)) & MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


def slowly(text, dim):
    words = text.lower().split()
    vector = [0.0] * dim
    for value in [*map(word_hash, words), *map(pair_hash, words, words[1:])]:
        vector[(value >> 1) % dim] += -1.0 if value & 1 else 1.0
    length = sum(value * value for value in vector) ** 0.5
    return [value / length for value in vector] if length else [1.0] + [0.0] * (dim - 1)


def test_vectors_agree_with_a_slow_twin():
    texts = ["Keys are rotated", "", "herring", "Cod cod COD is landed at pier seven", "keys are ROTATED"]
    found = load_embedder("hashing").embed_documents(texts)
    np.testing.assert_allclose(found, [slowly(text, 256) for text in texts], atol=1e-6)
    assert (found[0] == found[4]).all()


def test_vectors_are_the_same_on_every_machine():
    vector = load_embedder("hashing").embed_documents(["keys are rotated"])[0]
    places = np.flatnonzero(vector)
    assert dict(zip(places.tolist(), np.sign(vector[places]).astype(int).tolist(), strict=True)) == GOLDEN


GOLDEN = {11: 1, 40: 1, 90: -1, 225: -1, 236: 1}


def test_shared_words_bring_texts_together():
    embedder = load_embedder("hashing")
    near, far, query = embedder.embed_documents(
        [
            "the master keys are rotated every ninety days",
            "cod is landed at pier seven",
            "keys rotated every ninety days",
        ]
    )
    assert query @ near > 0.5 > query @ far


def test_weights_are_not_ignored_silently(save_model):
    with pytest.raises(ConfigurationError, match="reads words, not weights"):
        load_embedder(save_model(), runtime="hashing").embed_documents(["w1"])
