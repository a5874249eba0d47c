"""The text form of a compression, and the frozen value it stands for.

    compression = part ("+" part)*          order and blanks do not matter; each part once
    dimensions    Nd  Nd!                   the first N; with '!' also where the model was not trained to be cut
                  full                      keep all dimensions in a second vector, to rescore what the cut one found;
                                            beside bits, its format may be named: full+float16+bits
    stored        float32 float16 uint8 turbo16 turbo8 bits
    rotated       center   rotate|itq|opq   median   learnedN
    searched      int8 pq4…pq64 binary binary1.5 binary2 turbo1 turbo1.5 turbo2 turbo4 turbo8
    query         query1 query4 query8      bits of a query's dimensions where the stored ones have one or two
    rescoring     rescore rescoreN          the best N·108 by code are ranked again by what is stored;
                                            N·(k+8) where k is over 100
                  rounds                    which ones these are is corrected while they are read: learned codes only

`turbo8` is what is stored, unless another stored format is named: `float32+turbo8` searches by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from qdrant_embed.errors import ConfigurationError, require_type

DATATYPES = ("float32", "float16", "uint8", "turbo16", "turbo8", "bits")
ROTATIONS = ("rotate", "itq", "opq")
BINARY_CODES = ("binary", "binary1.5", "binary2")
TURBO_CODES = ("turbo1", "turbo1.5", "turbo2", "turbo4", "turbo8")
PRODUCT_CODES = ("pq4", "pq8", "pq16", "pq32", "pq64")
CODES = ("int8", *PRODUCT_CODES, *BINARY_CODES, *TURBO_CODES)
QUERY_BITS = (1, 4, 8)
MOST_OVERSAMPLING = 1000.0

_SPELLINGS = {"centre": "center"}
_DIMENSIONS = re.compile(r"(\d+)d(!?)")
_LEARNED = re.compile(r"learned(\d+)")
_QUERY = re.compile(r"query([148])")
_RESCORE = re.compile(r"rescore(\d+(?:\.\d+)?)?")
_KNOWN = (
    f"Nd (N dimensions, 'Nd!' to cut anywhere), full, {', '.join(DATATYPES)}, center, {', '.join(ROTATIONS)}, median, "
    f"learnedN, {', '.join(CODES)}, query1, query4, query8, rescoreN, rounds"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compression:
    """What is kept of a vector; parsed from texts such as `256d+float16+binary+rescore4`, and printed as such.

    :param dim: Dimensions kept; None for all.
    :param forced: Keep them even if the model was not trained to be cut there.
    :param full: Keep all dimensions in a second vector, for rescoring.
    :param datatype: Number format stored; `bits` keeps sign codes and no number at all.
    :param kept: For `bits` with `full`: number format of the vectors that rescore, `float32` or `float16`.
    :param center: Subtract the mean of the collection's vectors.
    :param rotation: `rotate` (random), `itq` or `opq` (learned from the collection's vectors); empty for none.
    :param median: For `bits`: cut each dimension at its median instead of at zero.
    :param learned: For `bits`: number of bits of a trained code; None for one bit a dimension.
    :param code: What is searched, beside what is stored; empty for nothing else.
    :param query_bits: Bits of a query's dimensions when searched by a binary code; None for the engine's choice.
    :param rescore: The best `rescore`·108 by code, or `rescore`·(k+8) where k is over 100, are ranked again by the
        stored vectors; None for no rescoring.
    :param rounds: Whether these are read in rounds, each of which corrects what the codes of the next are taken for.
    :raises ConfigurationError: A value is unknown, or contradicts another.
    """

    dim: int | None = None
    forced: bool = False
    full: bool = False
    datatype: str = "float32"
    kept: str = "float32"
    center: bool = False
    rotation: str = ""
    median: bool = False
    learned: int | None = None
    code: str = ""
    query_bits: int | None = None
    rescore: float | None = None
    rounds: bool = False

    def __post_init__(self) -> None:
        problem = next(_problems(self), None)
        if problem:
            raise ConfigurationError(f"compression {str(self)!r}: {problem}")

    @classmethod
    def parse(cls, text: str) -> Compression:
        """Read the text form.

        :raises ConfigurationError: A part is unknown or given twice, or two contradict each other.
        """
        require_type("compression", text, str, "a text such as 'float16' or '256d+binary+rescore4'")
        found: dict[str, object] = {}
        waiting: list[str] = []
        for part in text.replace(" ", "").split("+"):
            # What these are depends on the others, so they wait for them.
            if part in ("turbo8", "bits") and part not in waiting:
                waiting.append(part)
                continue
            values = _read(part)
            if values is None or found.keys() & values.keys():
                raise ConfigurationError(
                    f"compression {text!r}: {part!r} is not understood here; known parts, joined by '+', each once: "
                    f"{_KNOWN}."
                )
            found |= values
        if "bits" in waiting:
            if "datatype" in found and "full" not in found:
                raise ConfigurationError(
                    f"compression {text!r}: 'bits' keep no numbers, so {found['datatype']!r} is one stored format too "
                    "many; leave one of the two out, or write 'full' to keep numbers too, and rescore by them."
                )
            found |= {"datatype": "bits", "kept": found.get("datatype", "float32")}
        if "turbo8" in waiting and {"code", "datatype"} <= found.keys():
            raise ConfigurationError(f"compression {text!r}: 'turbo8' is one stored format or code too many.")
        if "turbo8" in waiting:
            found["code" if "datatype" in found and "code" not in found else "datatype"] = "turbo8"
        return cls(**found)  # type: ignore[arg-type]

    def __str__(self) -> str:
        parts = [f"{self.dim}d{'!' if self.forced else ''}"] if self.dim is not None else []
        parts += ["full"] * self.full
        parts += [part for part in ("center" if self.center else "", self.rotation) if part]
        parts += ["median"] * self.median
        parts += [f"learned{self.learned}"] if self.learned is not None else []
        parts += [self.code] if self.code else []
        parts += [f"query{self.query_bits}"] if self.query_bits is not None else []
        parts += [f"rescore{_number(self.rescore)}"] if self.rescore is not None else []
        parts += ["rounds"] * self.rounds
        if self.datatype != "float32" or not parts or self.code == "turbo8":
            formats = [self.kept] * (self.kept != "float32") + [self.datatype]
            parts[(self.dim is not None) + self.full : (self.dim is not None) + self.full] = formats
        return "+".join(parts)

    @property
    def points(self) -> Compression:
        """The part that decides a point's vectors; equal ones make equal points."""
        # Which dimensions share a byte of a product code is what 'opq' balances.
        code = self.code if self.rotation == "opq" and self.code in PRODUCT_CODES else ""
        return replace(self, code=code, query_bits=None, rescore=1.0 if self.full else None, rounds=False)

    @property
    def whole(self) -> str:
        """Number format of vectors that are kept with all their dimensions: with `full` beside what is compressed."""
        return self.kept if self.datatype == "bits" else "float16" if self.datatype == "float16" else "float32"

    @property
    def fitted(self) -> bool:
        """Whether something is learned from the collection's own vectors."""
        return bool(
            self.center or self.median or self.learned or self.rotation in ("itq", "opq") or self.datatype == "uint8"
        )

    @property
    def keeps_transform(self) -> bool:
        """Whether a transform is kept with the collection: learned, or drawn, which no later numpy need draw again."""
        return self.fitted or bool(self.rotation)

    @property
    def plain(self) -> bool:
        """Whether vectors are stored as the model gives them."""
        return not (self.keeps_transform or self.full or self.datatype == "bits")

    def dim_of(self, model: str, full: int, trained: Sequence[int], usual: int = 0) -> int:
        """Return the dimensions to keep of a model's `full`.

        :param trained: Smaller numbers of dimensions that the model was trained for.
        :param usual: How many the model's files keep where nothing else is said; 0 for all.
        :raises ConfigurationError: The cut is impossible, or not asked for with `!` where the model was not trained.
        """
        usual = min(usual or full, full)
        if self.dim is None or self.dim in (usual, full):
            return self.dim or usual
        if self.dim > full:
            raise ConfigurationError(f"{model!r} has {full} dimensions; {self.dim} cannot be kept of them.")
        if self.dim not in trained and not self.forced:
            legal = ", ".join(f"{dim}d" for dim in sorted(trained)) or "none but all of them"
            raise ConfigurationError(
                f"{model!r} was not trained to be cut to {self.dim} dimensions (trained for: {legal}). To cut it all "
                f"the same and lose more quality, write '{self.dim}d!'."
            )
        return self.dim


def _number(value: float) -> str:
    return "" if value == 1 else str(int(value)) if float(value).is_integer() else repr(float(value))


def _read(part: str) -> dict[str, object] | None:
    """Return the fields that one part sets; None if it is not understood."""
    part = _SPELLINGS.get(part, part)
    if part in ("full", "center", "median", "rounds"):
        return {part: True}
    for field, known in (("datatype", DATATYPES), ("rotation", ROTATIONS), ("code", CODES)):
        if part in known and part != "turbo8":
            return {field: part}
    if (match := _DIMENSIONS.fullmatch(part)) and int(match[1]) > 0:
        return {"dim": int(match[1]), "forced": bool(match[2])}
    if (match := _LEARNED.fullmatch(part)) and int(match[1]) > 0:
        return {"learned": int(match[1])}
    if match := _QUERY.fullmatch(part):
        return {"query_bits": int(match[1])}
    if match := _RESCORE.fullmatch(part):
        return {"rescore": float(match[1] or 1)}
    return None


def _problems(value: Compression) -> Iterator[str]:
    """Yield what makes no sense, with what to write instead."""
    yield from _unknown(value)
    bits = value.datatype == "bits"
    if bits and value.code:
        yield f"'bits' are searched as they are; leave out {value.code!r}, or store 'float16' to search by it."
    yield from _in_rescoring(value)
    if (value.median or value.learned) and not bits:
        yield "'median' and 'learnedN' make sign codes; store 'bits' with them."
    if value.learned and (value.median or value.rotation or value.center):
        yield "a learned code has its own rotation and thresholds; leave out the others."
    if value.query_bits is not None and value.code not in BINARY_CODES:
        yield f"'query{value.query_bits}' says how queries meet binary codes; name one of {', '.join(BINARY_CODES)}."
    if value.datatype == "uint8" and value.code in (*BINARY_CODES, *TURBO_CODES):
        yield f"{value.code!r} needs the signs, which 'uint8' does not have; store 'float16' instead."
    if value.code == "turbo8" and value.datatype == "turbo8":
        yield "'turbo8' is stored already; searching by it too gains nothing."


def _in_rescoring(value: Compression) -> Iterator[str]:
    bits = value.datatype == "bits"
    if value.kept not in ("float32", "float16"):
        yield f"vectors that rescore 'bits' are kept as float32 or float16, not {value.kept!r}."
    if value.kept != "float32" and not (bits and value.full):
        yield f"only 'full' beside 'bits' has a format of its own, here {value.kept!r}; write 'full+{value.kept}+bits'."
    if value.rescore is not None and not (value.code or value.full):
        yield "there is nothing to rescore with; name a code, or 'full' to keep all dimensions beside the cut ones."
    if value.full and (value.rescore is None or not (bits or value.dim)):
        yield "'full' rescores what fewer dimensions or 'bits' found; write it as in '128d!+full+rescore4'."
    if value.rounds and not (value.learned and value.full):
        yield "'rounds' correct what learned codes shortlist; write it as in 'full+bits+learned64+rescore20+rounds'."


def _unknown(value: Compression) -> Iterator[str]:
    for field, known in (("datatype", DATATYPES), ("rotation", ("", *ROTATIONS)), ("code", ("", *CODES))):
        if getattr(value, field) not in known:
            yield f"unknown {field} {getattr(value, field)!r}; known: {', '.join(filter(None, known))}."
    if value.query_bits not in (None, *QUERY_BITS):
        yield f"a query has 1, 4 or 8 bits a dimension, not {value.query_bits}."
    if value.rescore is not None and not 1 <= value.rescore <= MOST_OVERSAMPLING:
        yield f"rescoring takes a factor of 1 to {MOST_OVERSAMPLING:.0f}, not {value.rescore:g}."
