"""How many documents single vectors can rank: the limit that no training lifts (Weller et al. 2025, section 4)."""

from __future__ import annotations

from dataclasses import dataclass

from qdrant_embed.errors import ConfigurationError

# Number of dimensions from 4 to 45, and the most documents of which vectors fitted freely, without any model, could
# still put every pair on top (the paper's measured critical-n, k = 2).
_MEASURED = (
    10, 14, 19, 24, 28, 32, 36, 42, 47, 54, 62, 70, 79, 89, 99, 109, 120, 132, 144, 157, 170, 184, 198, 213, 229, 245,
    261, 278, 296, 314, 333, 352, 372, 392, 413, 434, 460, 484, 505, 545, 605, 626,
)  # fmt: skip
CRITICAL_N = {dim: count for dim, count in enumerate(_MEASURED, start=4)}
_FIT = (-10.5322, 4.0309, 0.0520, 0.0037)
"""The paper's cubic fit to the table (r² 0.999)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """Critical-n of a number of dimensions.

    :param documents: The most documents of which any two can be ranked on top by some query vector.
    :param measured: Whether the number is from the paper's table; else from its fit, which extrapolates.
    :param stored: Documents that there are.
    """

    dim: int
    documents: int
    measured: bool
    stored: int

    def __str__(self) -> str:
        basis = "measured by Weller et al. 2025" if self.measured else "extrapolated by the fit of Weller et al. 2025"
        text = (
            f"vectors of {self.dim} dimensions can rank any pair of at most about {self.documents:,} documents on top "
            f"({basis}, for vectors fitted freely: a trained model reaches less)."
        )
        if self.stored > self.documents:
            text += (
                f" This collection has {self.stored:,}: some pairs no query vector can bring up together. "
                "Search in mode 'hybrid' or 'bm25', or keep more dimensions."
            )
        return text


def capacity(dim: int, stored: int = 0) -> Capacity:
    """Return how many documents vectors of `dim` dimensions can rank.

    :raises ConfigurationError: Fewer than four dimensions, for which nothing is known.
    """
    if dim < min(CRITICAL_N):
        raise ConfigurationError(f"nothing is known for {dim} dimensions; the paper begins at {min(CRITICAL_N)}.")
    fitted = sum(factor * dim**power for power, factor in enumerate(_FIT))
    return Capacity(dim=dim, documents=CRITICAL_N.get(dim, int(fitted)), measured=dim in CRITICAL_N, stored=stored)
