"""The recipe: everything that decides what a collection's points look like, as one value with a fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from numbers import Integral

from qdrant_embed.compression import Compression
from qdrant_embed.errors import ConfigurationError, RecipeMismatchError, require_type
from qdrant_embed.long_context.strategy import usual_words
from qdrant_embed.types import Json

OPTIONAL = ("layers", "task", "sparse", "multivector", "payload", "index")
"""Entries that are not stored unless they are chosen, so that collections without them keep their fingerprints."""
INDEX_KINDS = ("keyword", "integer", "float", "bool", "datetime", "uuid", "geo", "text")

_TEXTS = (
    *("model", "chunker", "window", "compression", "language"),
    *("task", "sparse", "multivector", "payload", "model_at"),
)
LLAMA_INDEX, LANGCHAIN = "llama-index", "langchain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How documents become points. Equal recipes make equal collections.

    :param model: A preset (`qdrant-embed models`), a sentence-transformers folder, or a hub id.
    :param chunker: `auto`, `markdown`, `recursive`, `sentences`, `tokens`, `code`, `document` (whole, however long), or
        an installed plug-in.
    :param chunk_tokens: The most tokens a chunk may have, context, prompt and special tokens included; None means
        what the model reads in one pass, at most 512; under `late`, a quarter of a macro window.
    :param overlap: Tokens that a chunk shares with the one before it.
    :param window: What happens to a text longer than the model: `pcw` (`average` is read as the same), `windows`,
        `late`, `truncate`, `error`, or one of them behind a way to extend the model, as in `pi:4096+late`; see
        docs/guide/chunking.md.
    :param compression: Dimensions, number format, codes and rescoring, e.g. `256d+float16+binary+rescore4`; see
        docs/guide/compression.md.
    :param layers: Blocks of the model that are run, counted from the bottom; 0 for all. See `depths` in
        `qdrant-embed models show NAME` for those that it was trained for.
    :param task: What the vectors are for, where the model knows several tasks or takes instructions: one of its tasks,
        or a sentence of your own. Empty for the model's usual one.
    :param sparse: A sparse model (of the SPLADE family) whose vectors stand beside the dense ones; empty for none.
        BM25 is always there.
    :param multivector: A multi-vector model (of the ColBERT family) whose vectors rank again what the others found;
        empty for none. `self` (or `self:384`) keeps a code of 192 (or 384) bits for each token of the dense model's
        own, with which `rerank="tokens"` need not read passages again.
    :param payload: `llama-index` or `langchain` to store also what LlamaIndex's or LangChain's own Qdrant store
        reads; see docs/guide/stores.md. Empty (or `plain`) for neither.
    :param language: Language of the BM25 word stems and stop words; `multilingual` for neither.
    :param index: Metadata fields of yours that are filtered by, each with its kind: `{"team": "keyword"}`; kinds are
        `keyword`, `integer`, `float`, `bool`, `datetime`, `uuid`, `geo` and `text`. Each gets an index, which makes
        filters fast and which servers in strict mode ask for. No field gets one by itself: an index takes memory, and
        time at every write. It changes no vector, so a collection may be opened with more of them, which are made then.
    :param model_at: Folder of the model on this machine, where it stands elsewhere than its name says: one that
        `prepare_model` wrote, say. It is no part of the recipe, and must give the vectors of that name.
    """

    model: str = "minilm"
    chunker: str = "auto"
    chunk_tokens: int | None = None
    overlap: int = 0
    window: str = "pcw"
    compression: str = "float32"
    language: str = "english"
    layers: int = 0
    task: str = ""
    sparse: str = ""
    multivector: str = ""
    payload: str = ""
    index: Mapping[str, str] = field(default_factory=dict, hash=False)
    model_at: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        for name in _TEXTS:
            require_type(name, getattr(self, name), str, "a text")
        for name in ("chunk_tokens", "overlap", "layers"):
            value = getattr(self, name)
            if not (value is None and name == "chunk_tokens"):
                require_type(name, value, Integral, "a whole number")
                object.__setattr__(self, name, int(value))
        object.__setattr__(self, "payload", "" if self.payload == "plain" else self.payload)
        if self.payload not in ("", LLAMA_INDEX, LANGCHAIN):
            raise ConfigurationError(f"payload={self.payload!r} is none; give plain, {LLAMA_INDEX} or {LANGCHAIN}.")
        object.__setattr__(self, "window", usual_words(self.window))
        require_type("index", self.index, Mapping, "fields with their kinds: {'team': 'keyword'}")
        object.__setattr__(self, "index", dict(self.index))
        for name, kind in self.index.items():
            require_index_kind(name, kind)
        if self.chunk_tokens is not None and self.chunk_tokens < 8:
            raise ConfigurationError(f"chunk_tokens={self.chunk_tokens} is too small to hold text; give 8 or more.")
        if self.chunker == "document" and self.chunk_tokens is not None:
            raise ConfigurationError(
                f"the chunker 'document' leaves documents whole, so chunk_tokens={self.chunk_tokens} has no meaning; "
                "leave it out, or choose another chunker. Window sizes are the window strategy's: windows:256."
            )
        if self.overlap < 0:
            raise ConfigurationError(f"overlap={self.overlap} is negative; give 0 or more tokens.")

    def as_dict(self) -> dict[str, Json]:
        """Return the recipe as JSON-ready values; what may be left out only where it is chosen (see `OPTIONAL`)."""
        kept = {key: value for key, value in asdict(self).items() if key != "model_at"}
        return {key: value for key, value in kept.items() if key not in OPTIONAL or value}

    @classmethod
    def from_dict(cls, values: Mapping[str, Json]) -> Recipe:
        """Read a recipe back.

        :raises ConfigurationError: A key is unknown.
        """
        known = [field.name for field in fields(cls) if field.name != "model_at"]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise ConfigurationError(f"unknown recipe entries {unknown}; known: {', '.join(known)}.")
        return cls(**dict(values))


def require_recipe(given: object) -> None:
    """Refuse what is no recipe, such as the name of a model.

    :raises ConfigurationError: It is none.
    """
    require_type(
        "recipe", given, Recipe, f"Recipe(model={given!r})" if isinstance(given, str) else "Recipe(model='minilm')"
    )


def require_index_kind(name: object, kind: object) -> None:
    """Refuse to index a field as what no engine knows.

    :raises ConfigurationError: There is no such kind.
    """
    require_type("index", name, str, f"fields by their names: {str(name)!r}")
    if kind not in INDEX_KINDS:
        raise ConfigurationError(f"cannot index {name!r} as {kind!r}; expected one of {', '.join(INDEX_KINDS)}.")


def of_points(values: Mapping[str, Json]) -> dict[str, Json]:
    """Return the entries of a recipe that decide what points look like: which fields have an index does not."""
    return {key: value for key, value in values.items() if key != "index"}


def fingerprint(recipe: Recipe, model: Mapping[str, Json]) -> str:
    """Hash a recipe and what the model says of itself: 32 hexadecimal characters.

    Of the compression, only what changes the stored vectors counts: codes are switched in place, and the points stay.

    :param model: Everything that changes the model's vectors (`Embedder.fingerprint`), and those of models beside it.
    """
    described = {**of_points(recipe.as_dict()), "compression": str(Compression.parse(recipe.compression).points)}
    canonical = json.dumps({"recipe": described, "model": model}, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(canonical.encode(), digest_size=16).hexdigest()


def require_equal(name: str, stored: Mapping[str, Json], given: Mapping[str, Json]) -> None:
    """Refuse to use a collection with a recipe (or model) other than the one it was made with.

    :raises RecipeMismatchError: The two differ; each differing line is shown.
    """
    stored, given = of_points(stored), of_points(given)
    differing = [
        f"  {key}: the collection has {stored.get(key)!r}, you gave {given.get(key)!r}"
        for key in sorted({*stored, *given})
        if stored.get(key) != given.get(key)
    ]
    if differing:
        lines = "\n".join(differing)
        raise RecipeMismatchError(
            f"collection {name!r} was made with another recipe:\n{lines}\n"
            "Vectors of two recipes cannot be compared. Either open it as it is, without a recipe "
            f"(Collection.open({name!r}, at=…)), or choose another collection name for the new recipe, "
            f"or remove the old one first (Collection.drop({name!r}, at=…))."
        )


def require_same_recipe(name: str, stored: Mapping[str, Json], recipe: Recipe) -> None:
    """Refuse another recipe than a collection's; where only the compression differs, say what would have to be done.

    :raises RecipeMismatchError: The two differ.
    """
    stored, given = of_points(stored), of_points(recipe.as_dict())
    before, after = (Compression.parse(str(values["compression"])) for values in (stored, given))
    if before == after:
        given = {**given, "compression": stored["compression"]}
    if before == after or any(stored.get(key) != given.get(key) for key in {*stored, *given} - {"compression"}):
        require_equal(name, stored, given)
        return
    change = f"Collection.open({name!r}, at=…).recompress({str(after)!r})"
    if before.points == after.points:
        what = f"Only the codes differ: they are switched in place and no point changes. Type: {change}"
    else:
        what = (
            "What is stored differs, so every point must be written again; nothing is embedded again as long as the "
            f"numbers were kept. Type: {change}, which makes a copy and puts it behind the name."
        )
    raise RecipeMismatchError(
        f"collection {name!r} has compression {str(before)!r}, you gave {str(after)!r}. {what} To use it as it is, "
        "open it without a recipe."
    )
