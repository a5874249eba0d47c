"""From a model and a folder of documents to a model folder that reads longer texts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.models.files.model_folder import ADDED_VALUES
from qdrant_embed.models.long_context_support import context_support
from qdrant_embed.models.resolve import ResolvedModel, pooling_only, resolve
from qdrant_embed.native import prepare_torch
from qdrant_embed.runtimes.torch.load import load_model
from qdrant_embed.tokenization.sequences import TokenSequencer
from qdrant_embed.training.sample_passages import batches, passages, texts_in

if TYPE_CHECKING:
    from qdrant_embed.training.position_table import LongTable, PassageBatch

Progress = Callable[[int, int, float], None]
"""Called after each step with its number, their number and the loss."""
_HELD_OUT = 4
"""Batches that are measured before and after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendOptions:
    """How new positions are trained.

    :param method: `pi` keeps old rows as anchors among the new ones, `rp` keeps them in front. (In LongEmbed, table 2,
        tuning on `pi` is the better one.)
    :param steps: Batches that are trained on.
    :param batch: Passages of a batch.
    :param sample_tokens: The longest passage, special tokens included; 0 for the trained window. Shorter ones cost
        less.
    :param rate: Learning rate at its highest. (LongEmbed, appendix B)
    :param seed: The same seed gives the same rows.
    :param progress: Called after each step.
    """

    method: str = "pi"
    steps: int = 300
    batch: int = 16
    sample_tokens: int = 0
    rate: float = 5e-4
    seed: int = 0
    progress: Progress | None = None

    def __post_init__(self) -> None:
        if self.method not in ("pi", "rp"):
            raise ConfigurationError(f"method={self.method!r} is not known; positions are tuned from pi or rp.")
        if self.steps < 1 or self.batch < 2:
            raise ConfigurationError(
                f"steps={self.steps} and batch={self.batch} make no training; give at least 1 step of 2 passages."
            )


@dataclass(frozen=True, slots=True)
class ExtendedModel:
    """A model that was extended.

    :param folder: Where it is: a sentence-transformers folder.
    :param tokens: The longest input it takes.
    :param passages: Passages of the corpus that it was trained on.
    :param before: Mean cosine of vectors of passages anywhere in the longer window to those of the old model, when new
        positions were only interpolated (or repeated), on passages that were not trained on.
    :param after: The same after training.
    """

    folder: Path
    tokens: int
    passages: int
    before: float
    after: float


def extend(
    name: str | Path,
    tokens: int,
    texts: Iterable[str] | str | Path,
    out: str | Path,
    *,
    options: ExtendOptions | None = None,
) -> ExtendedModel:
    """Make a model read longer texts by training new positions on a corpus; the old positions and all else stay.

    Texts that fit the old window keep their vectors exactly: with `pi` the folder says that positions of short texts
    are multiplied, which `load_embedder` does; other loaders would not.

    :param name: A model with a learned table of positions: a preset, folder or hub id.
    :param tokens: The length to reach; rounded up to a multiple of the old window.
    :param texts: The corpus: a file, a folder, or texts; no labels are needed. Files that cannot be read are warned of.
    :param out: The folder to write; must not exist.
    :raises ConfigurationError: The model has no such table or is not plain, or the corpus is too small.
    :raises ModelError: The model cannot be loaded.
    :raises MissingExtraError: torch is not installed.
    """
    prepare_torch("training positions")
    options, folder = options or ExtendOptions(), Path(out).expanduser()
    if folder.exists():
        raise ConfigurationError(f"{folder} exists; name a folder that does not, so that nothing is overwritten.")
    resolved = resolve(name)
    trained = _require_table(resolved, tokens)
    target = -(-tokens // trained) * trained

    from qdrant_embed.training.position_table import LongTable

    files = resolved.require_files()
    counter, most = files.token_counter(), min(options.sample_tokens or trained, trained)
    sequencer = TokenSequencer(counter, files.transformer, most, padding="right")
    room = sequencer.room(resolved.preset.document_prompt)
    corpus = texts_in(texts) if isinstance(texts, str | Path) else texts
    found = passages(corpus, sequencer.token_counter, room, seed=options.seed)
    trainable, held = _split(found, options.batch)
    model = load_model(resolved)
    table = LongTable(model, options.method, trained=trained, tokens=target, pooling=resolved.preset.pooling)
    prompt = resolved.preset.document_prompt
    asked = [_batch(sequencer, held[at : at + options.batch], prompt) for at in range(0, len(held), options.batch)]
    before = table.agreement(asked, seed=options.seed)
    _train(table, sequencer, trainable, prompt, options)
    after = table.agreement(asked, seed=options.seed)
    added = {
        "max_tokens": target,
        "short_factor": target // trained if options.method == "pi" else 1,
        "scale_from": trained,
    }
    _save(model, resolved, folder, added)
    return ExtendedModel(folder, target, len(trainable), before, after)


def _require_table(resolved: ResolvedModel, tokens: int) -> int:
    """Return the window that is made longer, if there is one and it is too short."""
    reach, preset = context_support(resolved), resolved.preset
    if reach.kind != "learned":
        raise ConfigurationError(f"{preset.name!r} has no table of positions to make longer: {reach.why}.")
    if not pooling_only(resolved) or preset.states not in ("", "last") or preset.layers:
        raise ConfigurationError(
            f"{preset.name!r} is more than a transformer with a pooling; its positions are not trained here."
        )
    if tokens <= reach.trained:
        raise ConfigurationError(
            f"{preset.name!r} has {reach.trained} positions already; give a longer target than {tokens}, "
            f"e.g. {8 * reach.trained}."
        )
    return reach.trained


def _split(found: list[list[int]], size: int) -> tuple[list[list[int]], list[list[int]]]:
    """Return passages to train on, and some (at most a tenth) to measure with."""
    held = min(_HELD_OUT * size, max(1, len(found) // 10))
    stride = len(found) // held
    places = set(range(0, held * stride, stride))
    return [one for at, one in enumerate(found) if at not in places], [found[at] for at in sorted(places)]


def _train(
    table: LongTable, sequencer: TokenSequencer, found: list[list[int]], prompt: str, options: ExtendOptions
) -> None:
    chosen = batches(len(found), options.batch, options.steps, seed=options.seed)
    prepared = (_batch(sequencer, [found[place] for place in places], prompt) for places in chosen)
    progress, steps = options.progress, options.steps
    step = (lambda number, loss: progress(number, steps, loss)) if progress else None
    table.train(prepared, steps, rate=options.rate, seed=options.seed, step=step)


def _batch(sequencer: TokenSequencer, found: list[list[int]], prompt: str) -> PassageBatch:
    import torch

    from qdrant_embed.training.position_table import PassageBatch as TorchBatch

    made = sequencer.batch([sequencer.around(ids, prompt) for ids in found])
    return TorchBatch(torch.from_numpy(made.ids), torch.from_numpy(made.mask))


def _save(model: Any, resolved: ResolvedModel, folder: Path, added: dict[str, int]) -> None:
    """Write the folder of sentence-transformers, and beside it what our loader has to know."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

    preset = resolved.preset
    modules = list(model.children())
    if len(modules) == 1:
        modules.append(Pooling(preset.dim, preset.pooling))
        modules += [Normalize()] if preset.normalize else []
    prompts = {"query": preset.query_prompt, "document": preset.document_prompt}
    similarity: Any = {"euclid": "euclidean"}.get(preset.distance, preset.distance)
    whole = SentenceTransformer(modules=modules, device="cpu", prompts=prompts, similarity_fn_name=similarity)
    whole.max_seq_length = added["max_tokens"]
    whole.save_pretrained(str(folder), create_model_card=False)
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(folder.rglob("*.safetensors")):
        digest.update(path.read_bytes())
    values = {**added, "weights": digest.hexdigest()}
    (folder / ADDED_VALUES).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
