"""Passages and documents as data frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qdrant_embed.extras import require_extra

if TYPE_CHECKING:
    import pandas as pd

_WHOLE = ("page", "size", "chunks")
"""Columns of whole numbers of which some can be missing."""


def require_pandas() -> None:
    """Say what to install.

    :raises MissingExtraError: pandas is not installed.
    """
    require_extra("to_pandas()", "pandas")


def frame_of(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Return rows as a data frame; whole numbers stay such where some are missing (`Int64`).

    :raises MissingExtraError: pandas is not installed.
    """
    require_pandas()
    import pandas as pd

    frame = pd.DataFrame(rows, columns=list(columns))
    return frame.astype({name: "Int64" for name in columns if name in _WHOLE})
