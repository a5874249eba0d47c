from types import SimpleNamespace

from qdrant_embed.calibration.grid import Grid, build_key, oversampled
from qdrant_embed.calibration.grid_search import search_grid
from qdrant_embed.calibration.selection import Constraints
from qdrant_embed.calibration.trial import Trial
from qdrant_embed.compression import Compression

FOLDER = SimpleNamespace(lacks=lambda feature: "")
BITS = {"binary": 1, "binary1.5": 1.5, "binary2": 2, "turbo1": 1.2, "turbo1.5": 1.7, "turbo2": 2.2, "turbo4": 4.2,
        "int8": 8, "pq16": 2}  # fmt: skip
STORED = {"float32": 32, "float16": 16, "turbo16": 16, "turbo8": 8, "uint8": 8, "bits": 1}


def told(setting, dim):
    """Return what a made-up model loses: bits and dimensions, less what rescoring and a query's bits bring back."""
    kept = setting.dim or dim
    whole = 1.0 if setting.full else min(1.0, 0.9 + 0.1 * kept / dim)
    bits = BITS.get(setting.code, STORED[setting.datatype])
    loss = {1: 0.4, 1.2: 0.3, 1.5: 0.25}.get(bits, 0.2 if bits < 3 else 0.05 if bits < 8 else 0.0)
    loss *= (0.5 if setting.query_bits else 1.0) / (setting.rescore or 1.0) ** 1.2
    ram = kept * bits / 8
    disk = kept * STORED[setting.datatype] / 8 + (ram if setting.code else 0) + (4 * dim if setting.full else 0)
    return max(0.0, whole - loss), ram, disk


class Measured:
    def __init__(self, dim):
        self.dim, self.builds, self.trials = dim, [], {}

    def __call__(self, settings):
        found = []
        for setting in (one for given in settings for one in oversampled(given)):
            if setting in self.trials:
                continue
            recall, ram, disk = told(setting, self.dim)
            self.trials[setting] = Trial(setting=str(setting), recall=recall, low=recall - 0.002, high=recall, ram=ram,
                                         disk=disk, p50=1, p95=2, build=1, resident=True, found=())  # fmt: skip
            self.builds += [build_key(setting)] if build_key(setting) not in self.builds else []
            found.append(self.trials[setting])
        return found


def walked(held="float32", *, target=0.98, dim=384, trained=()):
    grid = Grid(
        engine=FOLDER, held=Compression.parse(held), model="m", full=dim, dim=dim, trained=trained, compare_by="cosine"
    )
    measured = Measured(dim)
    constraints = Constraints(held=grid.held, target=target)
    found = search_grid(grid, constraints, measured)
    assert len({trial.setting for trial in found}) == len(found) == len(measured.trials)
    return constraints, found, {str(build) for build in measured.builds}


def test_few_are_built_and_the_cheapest_is_found():
    constraints, found, builds = walked()
    assert len(builds) < 40
    best = constraints.in_order(found)[0]
    setting = Compression.parse(best.setting)
    assert (setting.code, setting.datatype) == ("binary", "turbo8")
    assert {"float16+binary", "binary+query8", "binary+query4", "center+itq+binary+query4", "bits+median"} <= builds
    assert "binary2+query8" not in builds, "larger than what is good enough"
    assert "pq16" not in builds


def test_more_is_tried_where_nothing_small_is_good_enough():
    _, _, builds = walked(target=0.9999)
    assert {"pq16", "opq+pq16"} <= builds
    assert len(builds) < 45


def test_dimensions_are_cut_until_they_lose_too_much():
    constraints, found, builds = walked(dim=768, trained=(512, 256, 128, 64), target=0.93)
    assert any(name.startswith("256d+full+") for name in builds)
    assert Compression.parse(constraints.in_order(found)[0].setting).dim in (256, 128, 64)
    _, _, builds = walked(dim=768, trained=(512, 256, 128, 64), target=0.9999)
    assert not any(name.startswith("256d") for name in builds)


def test_a_coded_collection_is_walked_in_its_own_numbers():
    _, found, _ = walked("float16+rotate+binary+rescore4")
    settings = [Compression.parse(trial.setting) for trial in found]
    assert all(setting.datatype != "float32" for setting in settings if not setting.full)
    assert all(setting.rotation for setting in settings if setting.datatype == "float16")
