"""Fixtures that every part uses: a folder of real-looking pages, and collections over each local engine."""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("fixed", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("fixed")  # a test that is green is green again; no example depends on how busy a machine is

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("QDRANT_EMBED_RUNTIME", "torch")  # exact, and quick to load; tests of `auto` unset it
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")  # the same numbers everywhere; name a GPU to test on it (test_gpu.py)

PAGES = {
    "index.md": "# Harbour handbook\n\nThis handbook tells how the harbour works.\n\n"
    "## Opening hours\n\nThe gates open at six in the morning and close at ten at night.\n",
    "guide/keys.md": "# Keys\n\n## Rotation\n\nMaster keys are rotated every ninety days by the harbour master.\n\n"
    "## Loss\n\nA lost key is reported to the night watch within one hour.\n",
    "guide/cranes.md": "# Cranes\n\nCrane four lifts at most twelve tons.\n\n"
    "## Maintenance\n\nThe cables are inspected every Tuesday before the first shift.\n",
    "notes/fish.txt": "Herring is landed at pier two.\n\nCod is landed at pier seven, and weighed there.\n",
}


@pytest.fixture
def pages(tmp_path):
    """Write the harbour's pages and return their folder."""
    folder = tmp_path / "harbour"
    for name, text in PAGES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture(scope="session")
def self_extend_grid():
    """Return a function: tokens, g, w → the distance of each pair (key's place - query's) that SelfExtend attends by.

    (LongEmbed, section 3.3; the whole grid at once, which nothing but a test could afford.)
    """
    import numpy as np

    def grid(tokens, group, window):
        places = np.arange(tokens)
        true = places[None, :] - places[:, None]
        far = places[None, :] // group - places[:, None] // group
        moved = np.sign(true) * (window - window // group)
        return np.where(np.abs(true) < window, true, far + moved)

    return grid


@pytest.fixture
def make_collection(tmp_path):
    """Return a function that opens (and at the end closes) collections, in a folder unless told otherwise."""
    from qdrant_embed import Collection, Recipe

    opened = []

    def make(name="harbour", *, at=None, **recipe):
        settings = {"model": "hashing", **recipe}
        collection = Collection.open(name, at=at or tmp_path / "qdrant_data", recipe=Recipe(**settings))
        opened.append(collection)
        return collection

    yield make
    for collection in opened:
        collection.close()


@pytest.fixture(params=["folder", "memory"])
def collection(request, make_collection):
    """Return an empty collection on the embedded engine and on `QdrantClient(":memory:")`."""
    return make_collection(at=":memory:" if request.param == "memory" else None, chunk_tokens=24)
