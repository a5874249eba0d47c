"""How vectors are made smaller: the dimensions kept and the number format stored, as one value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from qdrant_embed.errors import ConfigurationError

DATATYPES = ("float32", "float16")
_DIMENSIONS = re.compile(r"(\d+)d(!?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compression:
    """Parsed from texts such as `float32`, `256d`, `256d+float16`, `100d!`; `str` gives the same text back.

    :param dim: Dimensions kept; None for all.
    :param forced: Keep them even if the model was not trained to be cut there.
    :param datatype: Number format stored.
    """

    dim: int | None = None
    forced: bool = False
    datatype: str = "float32"

    @classmethod
    def parse(cls, text: str) -> Compression:
        """Read the text form.

        :raises ConfigurationError: A part is unknown or given twice.
        """
        dim: int | None = None
        forced = False
        datatype: str | None = None
        for part in text.replace(" ", "").split("+"):
            dimensions = _DIMENSIONS.fullmatch(part)
            if dimensions and dim is None and int(dimensions[1]) > 0:
                dim, forced = int(dimensions[1]), bool(dimensions[2])
            elif part in DATATYPES and datatype is None:
                datatype = part
            else:
                raise ConfigurationError(
                    f"compression {text!r}: {part!r} is not understood here; known parts, joined by '+', each once: "
                    f"Nd (N dimensions, 'Nd!' to cut anywhere), {', '.join(DATATYPES)}."
                )
        return cls(dim=dim, forced=forced, datatype=datatype or "float32")

    def __str__(self) -> str:
        dimensions = [f"{self.dim}d{'!' if self.forced else ''}"] if self.dim is not None else []
        datatype = [self.datatype] if self.datatype != "float32" or not dimensions else []
        return "+".join(dimensions + datatype)

    def dim_of(self, model: str, full: int, trained: Sequence[int]) -> int:
        """Return the dimensions to keep of a model's `full`.

        :param trained: Smaller numbers of dimensions that the model was trained for.
        :raises ConfigurationError: The cut is impossible, or not asked for with `!` where the model was not trained.
        """
        if self.dim is None or self.dim == full:
            return full
        if self.dim > full:
            raise ConfigurationError(f"{model!r} has {full} dimensions; {self.dim} cannot be kept of them.")
        if self.dim not in trained and not self.forced:
            legal = ", ".join(f"{dim}d" for dim in sorted(trained)) or "none but all of them"
            raise ConfigurationError(
                f"{model!r} was not trained to be cut to {self.dim} dimensions (trained for: {legal}). To cut it all "
                f"the same and lose more quality, write '{self.dim}d!'."
            )
        return self.dim
