"""The layout of a collection: its named vectors, its payload indexes, and the metadata that says how it was made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qdrant_embed.compression import Compression, VectorCodec
from qdrant_embed.store import quantization
from qdrant_embed.types import BM25, DENSE, DENSE_SMALL, MULTIVECTOR, SPARSE, TOKENS

if TYPE_CHECKING:
    from qdrant_client import models


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorLayout:
    """What the vectors look like in the store.

    :param dim: Number of dimensions that the embedder gives.
    :param distance: `cosine`, `dot` or `euclid`.
    :param sparse: Whether there are vectors of a sparse model.
    :param multivector: Dimensions of the vectors of a multi-vector model; 0 for none.
    :param multivector_distance: How these are compared: `cosine`, or `dot` where they are not of unit length.
    :param token_bytes: Bytes of the code of each token, where there are such; 0 for none.
    :param windows: Whether a point has a dense vector for each window of its text; the best one counts.
    :param bm25_vectors: Whether BM25's terms are sparse vectors, for engines that rank by no text index.
    """

    dim: int
    distance: str
    compression: Compression = Compression()  # noqa: RUF009 - frozen
    sparse: bool = False
    multivector: int = 0
    multivector_distance: str = "cosine"
    token_bytes: int = 0
    windows: bool = False
    bm25_vectors: bool = False

    @property
    def cut_dim(self) -> int:
        """Dimensions that are compressed."""
        return min(self.dim, self.compression.dim or self.dim)

    def vectors(self) -> dict[str, models.VectorParams]:
        """Return the settings of each vector that is not sparse by its name."""
        vector_codec = VectorCodec(compression=self.compression, dim=self.dim, distance=self.distance)
        small = self._each_window(
            quantization.vector_params(vector_codec.width, vector_codec.store_distance, self.compression)
        )
        others = {}
        if self.multivector:
            others[MULTIVECTOR] = multivector_params(self.multivector, self.multivector_distance)
        if self.token_bytes:
            others[TOKENS] = token_code_params(self.token_bytes)
        if not self.compression.full:
            return {DENSE: small, **others}
        whole = self._each_window(quantization.rescoring_params(self.dim, self.distance, self.compression))
        return {DENSE: whole, DENSE_SMALL: small, **others}

    def _each_window(self, params: models.VectorParams) -> models.VectorParams:
        from qdrant_client import models

        if not self.windows:
            return params
        best = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
        # A graph compares documents with each other, every window with every window: at 800 windows, minutes for 200
        # documents. Measured at 20 windows it makes searches of 3000 documents no faster (benchmarks/long_context).
        return params.model_copy(update={"multivector_config": best, "hnsw_config": models.HnswConfigDiff(m=0)})

    def sparse_vectors(self) -> dict[str, models.SparseVectorParams]:
        """Return each sparse vector's settings by its name."""
        from qdrant_client import models

        words = {BM25: models.SparseVectorParams(modifier=models.Modifier.IDF)} if self.bm25_vectors else {}
        return {**words, **({SPARSE: models.SparseVectorParams()} if self.sparse else {})}


def multivector_params(dim: int, distance: str = "cosine") -> models.VectorParams:
    """Return how vectors of tokens are stored: on disk, in half precision, without a graph, since they rank again.

    :param dim: Dimensions of each.
    :param distance: `cosine` or `dot`.
    """
    from qdrant_client import models

    compared = models.Distance.COSINE if distance == "cosine" else models.Distance.DOT
    return _token_params(dim, compared, models.Datatype.FLOAT16)


def token_code_params(width: int) -> models.VectorParams:
    """Return how codes of tokens are stored: on disk, byte by byte, without a graph; engines do not compare them.

    :param width: Bytes of each.
    """
    from qdrant_client import models

    # Cosines would change what is stored.
    return _token_params(width, models.Distance.DOT, models.Datatype.UINT8)


def _token_params(size: int, distance: models.Distance, datatype: models.Datatype) -> models.VectorParams:
    from qdrant_client import models

    return models.VectorParams(
        size=size,
        distance=distance,
        datatype=datatype,
        hnsw_config=models.HnswConfigDiff(m=0),
        on_disk=True,
        multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM),
    )
