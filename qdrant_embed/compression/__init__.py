"""How vectors are made smaller: dimensions kept, numbers stored, codes searched, rescoring; one value, one grammar."""

from qdrant_embed.compression.codec import CodedQueries, Coder
from qdrant_embed.compression.spec import CODES, DATATYPES, Compression
from qdrant_embed.compression.transform import Transform, enough_vectors, fit_transform

__all__ = ["CODES", "DATATYPES", "CodedQueries", "Coder", "Compression", "Transform", "enough_vectors", "fit_transform"]
