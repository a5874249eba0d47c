"""A small model, and how it is found."""

import pytest

from qdrant_embed.models.resolve import resolve


@pytest.fixture(scope="module")
def folder(save_model):
    return save_model()


@pytest.fixture
def model(folder):
    return resolve(str(folder))
