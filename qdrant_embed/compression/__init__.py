"""How vectors are made smaller: dimensions kept, numbers stored, codes searched, rescoring; one value, one grammar.

Files, in reading order: binary_codes, capacity, rotations, spec, transform, truncation, codec,
transitions.

Public: `Compression` (the value; `DATATYPES` and `CODES` say what it may name), `VectorCodec` and `EncodedQueries`
(what applies it), `Transform`, `fit_transform` and `enough_vectors` (what is learned for it), and
`learned_setting` (the setting that searches by a learned code).
"""

from qdrant_embed.compression.codec import EncodedQueries, VectorCodec
from qdrant_embed.compression.spec import CODES, DATATYPES, Compression
from qdrant_embed.compression.transform import Transform, enough_vectors, fit_transform
from qdrant_embed.compression.transitions import learned_setting

__all__ = [
    "CODES",
    "DATATYPES",
    "Compression",
    "EncodedQueries",
    "Transform",
    "VectorCodec",
    "enough_vectors",
    "fit_transform",
    "learned_setting",
]
