"""On the path of a process, it and what it starts find only the core: what extras bring cannot be imported.

Python imports this module first of all. None stands for a module that is not there.
"""

import sys

ABSENT = (
    "torch", "transformers", "sentence_transformers", "pandas", "onnxruntime", "onnx", "onnxscript", "sklearn", "scipy",
    "pyarrow", "matplotlib", "fastembed", "starlette", "uvicorn", "anywidget", "mcp", "opentelemetry", "tree_sitter",
)  # fmt: skip

sys.modules.update(dict.fromkeys(ABSENT))
