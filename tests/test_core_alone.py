"""The smoke suite where only the core can be imported: neither torch and what stands on it, nor any other extra."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.model
def test_the_core_needs_no_extra():
    path = [str(ROOT / "tests/support/core_alone"), *filter(None, sys.path)]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "QDRANT_EMBED_RUNTIME": "auto",
    }
    command = [sys.executable, "-m", "pytest", "tests/smoke/test_core.py", "tests/smoke/test_missing_torch.py"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert "skipped" not in done.stdout
