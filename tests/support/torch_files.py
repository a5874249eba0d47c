"""Which worker runs which file of tests: those that load PyTorch share as few workers as can be."""

from zlib import crc32

from xdist.scheduler import LoadFileScheduling

LOAD_TORCH = (
    "integrations/llama-index/", "tests/attachment/", "tests/benchmarks/", "tests/embedding/", "tests/long_context/",
    "tests/models/", "tests/pooling/", "tests/presets/", "tests/reranking/", "tests/runtimes/", "tests/tokenization/",
    "tests/training/",
    "tests/cli/commands/test_calibrate.py", "tests/cli/commands/test_doctor.py", "tests/cli/commands/test_extend.py",
    "tests/cli/commands/test_ingest.py", "tests/cli/commands/test_models.py", "tests/compression/test_truncation.py",
    "tests/ingest/test_auxiliary_stage.py", "tests/ingest/test_long_texts.py", "tests/ingest/test_memory.py",
    "tests/retrieval/test_distances.py", "tests/retrieval/test_explanation.py",
    "tests/test_documents.py", "tests/test_native.py", "tests/test_notebook.py", "tests/test_plugins.py",
)  # fmt: skip
"""Folders and files of tests that load it with sentence-transformers, which takes four seconds of the processor's time
in each worker. A file that is missing here costs no more than that."""


class TorchOnFewWorkers(LoadFileScheduling):
    """Sends each file to whichever worker is free, and those that load PyTorch to half of the workers."""

    def _split_scope(self, nodeid):
        file = super()._split_scope(nodeid)
        if not file.startswith(LOAD_TORCH):
            return file
        return f"files that load PyTorch, part {crc32(file.encode()) % max(1, self.numnodes // 2)}"
