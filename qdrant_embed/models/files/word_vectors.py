"""Word tables in the text format of word2vec, fastText and GloVe, made into model folders once."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from qdrant_embed.errors import ModelError
from qdrant_embed.models.files.static_folder import WORD_TABLE
from qdrant_embed.types import FloatArray

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SUFFIXES = (".vec", ".txt", ".vec.gz", ".txt.gz")
UNKNOWN = "[UNK]"
_DOTTED = ("tr", "az")
"""Languages whose small letter for I has no dot."""
_HEADER = 512
"""Bytes kept for the header of the table, which is written last."""
CACHE_VARIABLE = "QDRANT_EMBED_CACHE"
"""Environment variable that names the folder of what is made once and used again."""


def find_table(place: Path) -> Path | None:
    """Return the word table that a place is, or that is the only one in it; None if it has none."""
    if place.is_file():
        return place if place.name.endswith(SUFFIXES) else None
    if not place.is_dir() or (place / "config.json").exists() or (place / "modules.json").exists():
        return None
    found = [path for path in sorted(place.iterdir()) if path.name.endswith(SUFFIXES) and _begins_a_table(path)]
    return found[0] if len(found) == 1 else None


def table_folder(table: Path, languages: Iterable[str] = ()) -> Path:
    """Return the model folder made of a word table, from the cache if it was made before.

    :param languages: Decides how capitals become small letters, where the table knows no capitals.
    :raises ModelError: The file is not a word table.
    """
    status, dotted = table.stat(), any(language in _DOTTED for language in languages)
    identity = f"1\x1f{table.resolve()}\x1f{status.st_size}\x1f{status.st_mtime_ns}\x1f{dotted}"
    folder = cache_folder() / "tables" / hashlib.blake2b(identity.encode(), digest_size=12).hexdigest()
    if not (folder / "config.json").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
            made = Path(unfinished) / "table"
            made.mkdir()
            _convert(table, made, dotted=dotted)
            try:
                made.rename(folder)
            except OSError:  # another process was faster
                if not (folder / "config.json").exists():
                    raise
    return folder


def cache_folder() -> Path:
    """Return where converted models and tables are kept: `QDRANT_EMBED_CACHE`, else the user's own cache folder."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "qdrant-embed"


def _open(table: Path) -> IO[bytes]:
    return gzip.open(table, "rb") if table.name.endswith(".gz") else table.open("rb")  # type: ignore[return-value]


def _begins_a_table(path: Path) -> bool:
    with _open(path) as stream:
        first = stream.readline(1 << 16).split()
        second = stream.readline(1 << 16).split()
    dim = len(second) - 1
    return dim > 1 and _is_number(second[-1]) and (len(first) == dim + 1 or (len(first) == 2 and _is_number(first[1])))


def _is_number(text: bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _convert(table: Path, folder: Path, *, dotted: bool) -> None:
    """Write `model.safetensors`, `tokenizer.json` and `config.json`; the table never stands in memory as a whole."""
    words: dict[str, int] = {}
    dim = 0
    with (folder / "model.safetensors").open("wb") as out:
        out.write(bytes(_HEADER))
        for word, row in _rows(table):
            dim = dim or len(row)
            if len(row) != dim:
                raise ModelError(f"{table}: the vector of {word!r} has {len(row)} numbers, those before it have {dim}.")
            if word not in words:
                words[word] = len(words)
                out.write(row.tobytes())
        if not words:
            raise ModelError(f"{table} holds no word vectors; expected lines of a word and its numbers.")
        if UNKNOWN not in words:
            words[UNKNOWN] = len(words)
            out.write(bytes(4 * dim))
        out.seek(0)
        out.write(_header({"embeddings": (len(words), dim)}))
    word_tokenizer(words, dotted=dotted).save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({"model_type": WORD_TABLE, "normalize": True}))


def _header(shapes: Mapping[str, tuple[int, int]]) -> bytes:
    entries = {
        name: {"dtype": "F32", "shape": shape, "data_offsets": [0, 4 * shape[0] * shape[1]]}
        for name, shape in shapes.items()
    }
    return (_HEADER - 8).to_bytes(8, "little") + json.dumps(entries).encode().ljust(_HEADER - 8)


def _rows(table: Path) -> Iterator[tuple[str, FloatArray]]:
    """Yield words and vectors, without the line of counts that some tables begin with."""
    dim = 0
    with _open(table) as stream:
        for number, line in enumerate(stream):
            word, _, rest = line.rstrip().partition(b" ")
            if number == 0 and rest.strip().isdigit() and word.isdigit():
                dim = int(rest)
                continue
            row = _numbers(rest)
            if row is None or (dim and len(row) != dim):
                # Some tables have words with spaces.
                parts = line.rstrip().rsplit(b" ", dim)
                word, row = parts[0], _numbers(b" ".join(parts[1:])) if dim else None
            if row is None:
                raise ModelError(f"{table}, line {number + 1}, is not a word and its numbers: {line[:60]!r}.")
            dim = dim or len(row)
            yield word.decode("utf-8", "replace"), row


def _numbers(text: bytes) -> FloatArray | None:
    try:
        return np.array(text.split(), np.float32) if text else None
    except ValueError:
        return None


def word_tokenizer(words: Mapping[str, int], *, dotted: bool = False) -> Tokenizer:
    """Return a tokenizer of whole words; capitals become small letters where the table has no capitals."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel(dict(words), unk_token=UNKNOWN))
    steps: list[Any] = [normalizers.NFC()]
    if not any(word != word.lower() for word in words if word != UNKNOWN):
        steps += [normalizers.Replace("İ", "i"), normalizers.Replace("I", "ı")] if dotted else []
        steps.append(normalizers.Lowercase())
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer
