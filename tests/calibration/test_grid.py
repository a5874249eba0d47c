from functools import partial
from types import SimpleNamespace

import pytest

from qdrant_embed.calibration.grid import Grid, build_key, oversampled
from qdrant_embed.compression import Compression
from qdrant_embed.compression.transitions import require_kept
from qdrant_embed.errors import ConfigurationError, UnsupportedByEngineError
from qdrant_embed.servers.features import lacked_by_server

FOLDER = SimpleNamespace(lacks=lambda feature: "")


def server(version):
    return SimpleNamespace(lacks=partial(lacked_by_server, version=version, grpc=True))


def grid_of(held="float32", *, engine=FOLDER, full=768, trained=(512, 256, 128), compare_by="cosine"):
    held = Compression.parse(held)
    dim = full if held.full or held.dim is None else held.dim
    return Grid(engine=engine, held=held, model="a model", full=full, dim=dim, trained=trained, compare_by=compare_by)


def everything(grid):
    codes = grid.codes()
    coded = [*codes, *(found for code in codes for found in (*grid.asked(code), *grid.rotated(code)))]
    signs = grid.signs()
    found = [
        *grid.formats(),
        *coded,
        *grid.products(),
        *signs,
        *(one for sign in signs for one in grid.with_whole_vectors(sign)),
    ]
    found += [setting for code in coded for setting in grid.stored_under(code)]
    return [*found, *(setting for dim in grid.cuts() for setting in grid.cut(dim, coded[:2]))]


HELD = [
    "float32", "float16", "uint8", "turbo8", "256d", "100d!+float16", "int8+rescore2", "rotate+binary+rescore4",
    "128d+full+rescore4", "full+bits+rescore8", "center+itq+float16", "opq+pq16", "512d+turbo8+binary+query8+rescore4",
]  # fmt: skip


@pytest.mark.parametrize("held", HELD)
def test_whatever_is_tried_can_be_made_of_what_the_collection_holds(held):
    grid = grid_of(held)
    found = everything(grid)
    assert found[0] == grid.held
    assert {setting.code for setting in found} >= {"binary", "int8", "turbo2"}
    assert {setting.datatype for setting in found} >= {"bits", "turbo8"}
    for setting in found:
        if setting.points != grid.held.points:
            require_kept(grid.held, setting)
        setting.dim_of("a model", 768, (512, 256, 128))


def test_the_dimensions_that_a_collection_kept_stand_in_every_name():
    assert {setting.dim for setting in everything(grid_of("256d"))} == {256, 128}
    assert {str(setting).split("+")[0] for setting in everything(grid_of("100d!"))} == {"100d!"}
    assert {setting.dim for setting in everything(grid_of("256d+full+rescore2"))} == {None, 512, 256, 128}


def test_the_product_has_the_settings_that_save_disk_and_bits():
    names = {str(setting) for setting in everything(grid_of())}
    assert names >= {
        "float16+binary", "float16+int8", "uint8+int8", "turbo8+binary+query8", "float16+rotate+binary",
        "binary1.5", "binary+query4", "binary2+query8", "turbo16", "center+itq+binary", "pq16", "opq+pq16",
        "bits+center", "bits+median", "bits+center+itq+median", "full+float16+bits+rescore8",
        "256d+full+float16+rescore4", "256d+full+float16+int8+rescore4", "256d+float16",
    }  # fmt: skip
    assert "bits+itq+median" not in names


def test_what_a_model_or_its_width_does_not_allow_is_left_out():
    assert "uint8" not in {setting.datatype for setting in everything(grid_of(compare_by="dot"))}
    assert not {setting.code for setting in everything(grid_of(full=48, trained=()))} & {"binary", "binary2"}


@pytest.mark.parametrize(
    ("held", "setting", "said"),
    [
        ("256d", "binary", "does not hold the numbers"),
        ("float16", "int8", "does not hold the numbers"),
        ("float32", "100d", "not trained to be cut to 100"),
        ("float32", "1000d!", "cannot be kept"),
        ("float32", "32d!+binary", "32 dimensions"),
    ],
)
def test_what_cannot_be_had_is_refused(held, setting, said):
    with pytest.raises(ConfigurationError, match=said):
        grid_of(held).require(Compression.parse(setting))


def test_an_amount_of_rescoring_that_is_named_stays():
    assert [str(one) for one in oversampled(Compression.parse("binary+rescore3"))] == ["binary+rescore3"]
    assert len(list(oversampled(Compression.parse("binary")))) == 6
    assert len(list(oversampled(Compression.parse("float16")))) == 1


def test_what_differs_in_rescoring_alone_is_built_once():
    settings = ("rescore4", "rescore20", "rescore20+rounds")
    assert len({build_key(Compression.parse(f"full+bits+learned64+{setting}")) for setting in settings}) == 1


@pytest.mark.parametrize(
    ("version", "codes"), [("1.18.3", {"turbo1", "turbo1.5", "turbo2", "turbo4"}), ("1.17.1", set())]
)
def test_only_what_the_location_can_store_is_tried(version, codes):
    grid = grid_of(engine=server(version))
    found = everything(grid)
    assert {setting.code for setting in found if setting.code.startswith("turbo")} == codes
    assert not any(setting.datatype.startswith("turbo") for setting in found)
    with pytest.raises(UnsupportedByEngineError, match="nearest that can be had here is 'uint8'"):
        grid.require(Compression.parse("turbo8"))
