"""Tensors where they lie in a file."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from qdrant_embed.errors import ModelError
from qdrant_embed.models.files.tensors import map_tensors, read_tensors

STORED = {
    "wide": np.linspace(-2, 2, 12, dtype=np.float64).reshape(3, 4),
    "usual": np.arange(6, dtype=np.float32).reshape(2, 3),
    "half": np.array([1.5, -2.25], np.float16),
    "odd": np.arange(3, dtype=np.int8),
    "whole": np.arange(4, dtype=np.int64),
    "none": np.zeros((0, 4), np.float32),
    "one": np.array(3, np.float32),
}


def test_numbers_are_those_that_were_saved_and_are_not_copied(tmp_path):
    save_file(STORED, tmp_path / "t.safetensors", metadata={"heads": "4"})
    for name, found in read_tensors(tmp_path / "t.safetensors").items():
        np.testing.assert_array_equal(found, STORED[name])
        assert found.dtype == STORED[name].dtype
    assert isinstance(map_tensors(tmp_path / "t.safetensors")["usual"].data.base, np.memmap)


def test_bf16_is_widened_to_the_same_numbers(tmp_path):
    import torch
    from safetensors.torch import save_file as save

    numbers = torch.randn(5, 7, generator=torch.Generator().manual_seed(1)).bfloat16()
    save({"half": numbers}, tmp_path / "t.safetensors")
    np.testing.assert_array_equal(read_tensors(tmp_path / "t.safetensors")["half"], numbers.float().numpy())


@pytest.mark.parametrize("spoil", [lambda whole: whole[:-9], lambda whole: whole[: len(whole) // 2], lambda _: b"{}"])
def test_a_file_that_is_cut_short_is_refused(tmp_path, spoil):
    place = tmp_path / "t.safetensors"
    save_file(STORED, place)
    place.write_bytes(spoil(place.read_bytes()))
    with pytest.raises(ModelError, match=r"cut short|cannot be read as safetensors"):
        map_tensors(place)


def test_types_that_are_not_read_are_named(tmp_path):
    save_file({"yes": np.array([True])}, tmp_path / "t.safetensors")
    with pytest.raises(ModelError, match="yes is stored as BOOL"):
        read_tensors(tmp_path / "t.safetensors")
