"""A small rotary embedder with a window of 64 tokens, trained from scratch, read far beyond that window.

`python -m benchmarks.long_context.train_rotary [--keep FOLDER]` trains it (minutes on one core), then compares PCW,
grouped and interpolated positions, NTK and SelfExtend on passkey and needle documents of 1 to 8 times its window.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice, product
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy, normalize

from benchmarks.common import save
from benchmarks.long_context.facts import KINDS, PLACES, PREDICATES
from benchmarks.long_context.reading import Documents, embedder
from benchmarks.long_context.scoring import best, measured
from benchmarks.long_context.tasks import FAMILY, FILLER, GIVEN, Task, hide, needle, passkey, prose

HERE = Path(__file__).parent
WINDOW, VOCABULARY, BATCH = 64, 6000, 64
TEMPERATURE = 0.05
LENGTHS = tuple(WINDOW * times for times in (1, 2, 4, 8))
TARGETS = tuple(WINDOW * times for times in (2, 4, 8))
METHODS = ("gp", "pi", "ntk", "selfextend", "yarn")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
Pair = tuple[str, str]
"""A question and the text that answers it."""


def train(folder: Path, *, steps: int, seed: int = 0) -> dict:
    """Train the model, save it as sentence-transformers does, and return how it went.

    Positions are those within the window only, so that all beyond is new to the model.
    """
    from transformers import NomicBertConfig, NomicBertModel

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    sentences = prose()
    tokenizer = _tokenizer([*sentences, *_words()])
    sizes = {"hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 256}
    model = NomicBertModel(
        NomicBertConfig(vocab_size=len(tokenizer), max_position_embeddings=WINDOW, pad_token_id=0, **sizes)
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps, pct_start=0.1)
    pairs, losses = _pairs(sentences, random.Random(seed)), []
    began = time.process_time()
    for step in range(steps):
        questions, texts = zip(*islice(pairs, BATCH), strict=True)
        asked, stored = (_embed(model, tokenizer, list(side)) for side in (questions, texts))
        scores = asked @ stored.T / TEMPERATURE
        right = torch.arange(BATCH)
        loss = (cross_entropy(scores, right) + cross_entropy(scores.T, right)) / 2
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if step % 100 == 99:
            print(
                f"step {step + 1}: loss {sum(losses[-100:]) / 100:.3f}, {time.process_time() - began:.0f} s", flush=True
            )
    _save(model.eval(), tokenizer, folder)
    return {
        "parameters": model.num_parameters(),
        "window": WINDOW,
        "steps": steps,
        "seed": seed,
        "last_loss": round(sum(losses[-100:]) / len(losses[-100:]), 4),
        "processor_s": round(time.process_time() - began, 1),
    }


def _pairs(sentences: Sequence[str], generator: random.Random) -> Iterator[Pair]:
    """Yield questions and texts that fit the window: pass keys, made-up facts, sentences by half their words."""
    people = [" ".join(pair) for pair in product(GIVEN, FAMILY)]
    while True:
        kind = generator.random()
        if kind < 0.4:
            person, key = generator.choice(people), generator.randrange(10_000, 100_000)
            question = f"What is the pass key for {person}?"
            hidden = f"{person}'s pass key is {key}. Remember it. {key} is the pass key for {person}."
        elif kind < 0.7:
            fact, question, answers = generator.choice(PREDICATES)
            subject = {"kind": generator.choice(KINDS), "place": generator.choice(PLACES)}
            hidden, question = fact.format(**subject, a=generator.choice(answers)), question.format(**subject)
        else:
            hidden = " ".join(generator.choice(sentences).split()[:24])
            words = hidden.split()
            question = " ".join(word for word in words if generator.random() < 0.5) or hidden
        start = generator.randrange(len(sentences))
        filler = cycle(FILLER) if generator.random() < 0.4 else islice(cycle(sentences), start, None)
        yield question, hide(hidden, filler, generator.randrange(24, WINDOW + 1), generator)


def _words() -> Iterator[str]:
    """Yield what the synthetic tasks are made of, often enough that names become tokens."""
    for _ in range(20):
        yield from (*GIVEN, *FAMILY, *KINDS, *PLACES, *FILLER, "pass key for remember it")


def _tokenizer(texts: Sequence[str]):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=list(SPECIAL), show_progress=False)
    made.train_from_iterator(texts, trainer)
    around = [(token, made.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=around)
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), SPECIAL, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=WINDOW, **names)


def _embed(model, tokenizer, texts: list[str]) -> torch.Tensor:
    read = tokenizer(texts, padding=True, truncation=True, max_length=WINDOW, return_tensors="pt")
    states = model(input_ids=read["input_ids"], attention_mask=read["attention_mask"]).last_hidden_state
    mask = read["attention_mask"].unsqueeze(-1)
    return normalize((states * mask).sum(1) / mask.sum(1), dim=-1)


def _save(model, tokenizer, folder: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    read = Transformer(str(folder))
    read.max_seq_length = WINDOW
    modules = [read, Pooling(read.get_embedding_dimension(), "mean"), Normalize()]
    SentenceTransformer(modules=modules, device="cpu").save_pretrained(str(folder))


def windows() -> list[str]:
    """Return the window strategies that are compared."""
    return ["truncate", "pcw", "windows", *(f"{method}:{target}" for target in TARGETS for method in METHODS)]


def compare(folder: Path, *, documents: int = 100, queries: int = 50) -> list[dict]:
    """Return every strategy's accuracy@1 at every length."""
    haystack = prose()
    made: dict[str, Callable[[int], Task]] = {
        "passkey": lambda length: passkey(length, documents=documents, queries=queries, seed=1),
        "needle": lambda length: needle(length, haystack, documents=documents, queries=queries, seed=1),
    }
    rows = []
    for name, make in made.items():
        for length in LENGTHS:
            task = make(length)
            read = Documents(list(task.documents.values()), str(folder))
            asked = embedder("truncate", model=str(folder)).embed_queries(list(task.queries.values()))
            found = {window: measured(task, best(asked, read.bags(window)))["acc@1"] for window in windows()}
            rows.append({"task": name, "length": length, "accuracy": found})
            print(name, length, found, flush=True)
    return rows


def main() -> None:
    """Train, compare and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="where the model stays; one that is there is not trained again")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary) / "rotary"
        there = (folder / "modules.json").exists()
        trained = {} if there else train(folder, steps=given.steps, seed=given.seed)
        results = {**trained, "rows": compare(folder)}
    if not there:
        save(HERE, "rotary", results)


if __name__ == "__main__":
    main()
