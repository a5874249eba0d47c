"""Tiny models, saved once for all tests of this folder."""

import pytest

from tests.support.tiny_models import save_tiny_model


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory):
    made = {}

    def make(kind, **settings):
        key = repr((kind, settings))
        if key not in made:
            made[key] = save_tiny_model(tmp_path_factory.mktemp(kind), kind, **settings)
        return made[key]

    return make
