"""What is installed beside the core, and what to type where it is not."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from qdrant_embed.errors import MissingExtraError

EXTRAS: Mapping[str, tuple[str, ...]] = {
    "torch": ("torch", "transformers", "sentence_transformers"),
    "onnx": ("onnxruntime", "onnx", "onnxscript"),
    "fastembed": ("fastembed",),
    "llama-index": ("llama_index.core.retrievers", "llama_index.retrievers.qdrant_embed"),
    "mcp": ("mcp", "mcp.server", "qdrant_embed_mcp"),
    "pandas": ("pandas",),
    "plots": ("matplotlib", "matplotlib.figure"),
    "parquet": ("pyarrow", "pyarrow.parquet"),
    "explore": ("starlette", "uvicorn"),
    "widget": ("anywidget",),
}
"""Extra → what is imported of what it brings."""
_WITHOUT_CUDA = (
    "; where there is no GPU type before it: pip install torch --index-url https://download.pytorch.org/whl/cpu, which "
    "leaves gigabytes of CUDA out"
)


def is_installed(module: str) -> bool:
    """Tell whether a module could be imported, without importing more than the packages that it is in."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
    except ValueError:  # it is imported already, and made by other means than a file
        return True


def require_extra(what: str, extra: str, *modules: str) -> None:
    """Refuse what needs an extra that is not installed. To be called before anything that takes time.

    :param what: What the user asked for.
    :param extra: One of `EXTRAS`.
    :param modules: What of it is needed; all of it by default.
    :raises MissingExtraError: A part of it is not installed; it says what to type.
    """
    for module in modules or EXTRAS[extra]:
        if not is_installed(module):
            hint = _WITHOUT_CUDA if extra == "torch" else ""
            raise MissingExtraError(what, module, f"qdrant-embed[{extra}]", hint)


def pip_line(what: str) -> str:
    """Return what to type to install something; brackets are quoted, which shells would take for a pattern."""
    return f"pip install '{what}'" if "[" in what else f"pip install {what}"
