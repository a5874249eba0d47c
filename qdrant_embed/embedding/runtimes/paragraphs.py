"""The paragraphs runtime: binary paragraph vectors that were trained on the user's own texts, in numpy."""

from __future__ import annotations

import numpy as np

from qdrant_embed.embedding.paragraphs import BinaryParagraphVectors
from qdrant_embed.embedding.resolving import Resolved
from qdrant_embed.embedding.runtimes import Batch
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.types import FloatArray


class ParagraphsRuntime:
    """Finds each text's code; equal texts have equal codes, whatever stands beside them in a batch.

    :raises ConfigurationError: The preset's model is something else.
    :raises ModelError: Its files are incomplete.
    """

    def __init__(self, resolved: Resolved) -> None:
        files = resolved.files
        if files is None or not files.static:
            raise ConfigurationError(
                f"the runtime 'paragraphs' runs folders that `qdrant-embed train-codes --kind pv-dbow` has written; "
                f"{resolved.preset.name!r} is none. Give the runtime 'auto'."
            )
        self._model = BinaryParagraphVectors.load(files.transformer)

    def sentence(self, batch: Batch) -> FloatArray:
        """Return (n, dim) codes of +1 and -1; zeros for a text of which no word is known."""
        known = (batch.mask == 1) & (batch.ids >= 0) & (batch.ids < len(self._model.words))
        rows = [self._model.infer(ids[row]) for ids, row in zip(batch.ids, known, strict=True)]
        return np.stack(rows) if rows else np.zeros((0, self._model.output.shape[1]), np.float32)
