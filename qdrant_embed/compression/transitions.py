"""What a change of compression learns anew, or was given: decided before any point is written."""

from __future__ import annotations

from qdrant_embed.compression.codec import VectorCodec
from qdrant_embed.compression.spec import Compression
from qdrant_embed.compression.transform import Transform
from qdrant_embed.errors import ConfigurationError

PRECISION = {"bits": 0, "turbo8": 1, "uint8": 1, "turbo16": 2, "float16": 2, "float32": 3}


def require_refit(new: Compression, trained: Transform | None) -> None:
    """Refuse to learn again where nothing is learned, or not by this.

    :raises ConfigurationError: Nothing is, or it is a learned code, which is trained by itself.
    """
    if not new.fitted:
        raise ConfigurationError(
            f"compression {str(new)!r} learns nothing from vectors, so nothing can be learned again; refit is for "
            "'center', 'itq', 'opq', 'median' and 'uint8'. Leave it out."
        )
    if new.learned is not None and trained is None:
        raise ConfigurationError(
            f"a learned code is not refitted but trained: qdrant-embed train-codes --bits {new.learned} --apply."
        )


def learned_code(new: Compression, held: VectorCodec, trained: Transform | None) -> Transform | None:
    """Return the code that a compression with `learnedN` is to use: the one given, else the one that is held.

    :param held: What the collection's vectors are encoded by now.
    :raises ConfigurationError: There is none, or it is for other bits or other dimensions.
    """
    if new.learned is None:
        if trained is not None:
            raise ConfigurationError(
                f"a code was given, and compression {str(new)!r} has none. Name it: 'full+bits+learned{trained.width}"
                "+rescore20'."
            )
        return None
    found = trained or (held.transform if held.compression.learned == new.learned else None)
    if found is None:
        raise ConfigurationError(
            f"a learned code must be trained first: qdrant-embed train-codes --bits {new.learned} --apply, or "
            f"recompress(…, trained=collection.vectors.train_codes({new.learned}))."
        )
    dim = min(held.dim, new.dim or held.dim)
    if (found.width, found.dim) != (new.learned, dim):
        raise ConfigurationError(
            f"the code given makes {found.width} bits of {found.dim} dimensions, and compression {str(new)!r} needs "
            f"{new.learned} bits of {dim}. Train one: qdrant-embed train-codes --bits {new.learned}."
        )
    return found


def is_held(held: VectorCodec, code: Transform | None) -> bool:
    """Tell whether the collection's vectors are encoded by this already; by whatever they are, where it is None."""
    return code is None or (held.transform is not None and held.transform.digest == code.digest)


def require_kept(old: Compression, new: Compression) -> None:
    """Refuse a change for which a collection's vectors lack dimensions or precision.

    :raises ConfigurationError: It would need numbers that were not kept.
    """
    whole = old.whole if old.full else old.datatype
    fewer = new.dim is not None and not new.full
    narrow = old.dim is not None and not old.full and not (fewer and (new.dim or 0) <= old.dim)
    stored = new.whole if new.full else new.datatype
    if whole == "bits" or narrow or PRECISION[stored] > PRECISION[whole]:
        raise ConfigurationError(
            f"a collection stored as {str(old.points)!r} does not hold the numbers that {str(new)!r} needs. Ingest the "
            f"documents into a new collection: Recipe(…, compression={'float32' if new.learned else str(new)!r})"
            + (", and train the code on that." if new.learned else ".")
        )


def learned_setting(held: str, bits: int, rescore: float) -> str:
    """Return the compression that searches by a learned code and ranks by the vectors that a collection keeps.

    :param held: The collection's compression.
    :param bits: Length of the code.
    :param rescore: Candidates ranked again, as a multiple of the hits asked for.
    :raises ConfigurationError: The collection does not keep whole vectors.
    """
    old = Compression.parse(held)
    new = Compression(full=True, datatype="bits", kept=old.whole, learned=bits, rescore=rescore)
    require_kept(old, new)
    return str(new)
