"""What is loaded by importing the library and by asking the command line for help: nothing heavy."""

import subprocess
import sys

HEAVY = {
    "torch", "transformers", "sentence_transformers", "tokenizers", "huggingface_hub", "qdrant_client", "qdrant_edge",
    "llama_index", "pandas", "openpyxl", "mammoth", "pptx", "pypdfium2", "tiktoken", "semantic_text_splitter",
    "mcp", "opentelemetry", "starlette",
}  # fmt: skip
SAY_MODULES = "import sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"


def loaded_by(code):
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{SAY_MODULES}"], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.splitlines()[-1].split())


def help_of(*commands):
    return f"""
from contextlib import suppress
import sys
from qdrant_embed.cli import main
for words in {commands!r}:
    sys.argv = ["qdrant-embed", *words, "--help"]
    with suppress(SystemExit):
        main()
"""


def test_importing_the_library_loads_nothing_heavy():
    loaded = loaded_by("import qdrant_embed; dir(qdrant_embed)")
    assert not loaded & (HEAVY | {"numpy", "rich", "typer"})


def test_a_public_name_loads_its_own_station_only():
    later = "[name for name in sys.modules if name.startswith(('qdrant_embed.ingest', 'qdrant_embed.reading'))]"
    code = (
        f"from qdrant_embed import Collection, Recipe; Recipe(model='hashing'); import sys; assert not {later}, {later}"
    )
    loaded = loaded_by(code)
    assert "numpy" in loaded
    assert not loaded & HEAVY


def test_errors_and_reports_load_nothing_heavy():
    loaded = loaded_by("from qdrant_embed import QdrantEmbedError, IngestReport")
    assert not loaded & HEAVY


def test_help_loads_nothing_heavy():
    loaded = loaded_by(help_of((), ("ingest",), ("search",), ("models",), ("doctor",), ("delete",)))
    assert "typer" in loaded
    assert not loaded & (HEAVY | {"numpy"})
