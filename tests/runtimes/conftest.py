"""A small model, and how it is found; int8 on every processor."""

import logging

import pytest

from qdrant_embed.models.resolve import resolve
from qdrant_embed.runtimes.openvino import requests
from qdrant_embed.runtimes.openvino import runtime as openvino
from qdrant_embed.runtimes.openvino.requests import core

LIBRARIES = ("torch", "torch.onnx", "transformers")
"""Loggers that print by themselves; what is told to the second is not told to the first."""


@pytest.fixture(scope="module")
def folder(save_model):
    return save_model()


@pytest.fixture
def model(folder):
    return resolve(str(folder))


@pytest.fixture
def said_by_libraries():
    """Return what torch and transformers log meanwhile, all of which a user would see on the terminal."""
    records, handler, theirs = [], logging.Handler(), [logging.getLogger(name) for name in LIBRARIES]
    handler.emit = lambda record: records.append(record.getMessage())
    for logger in theirs:
        logger.addHandler(handler)
    yield records
    for logger in theirs:
        logger.removeHandler(handler)


@pytest.fixture
def int8_anywhere(monkeypatch):
    """Let int8 run where the processor has no instructions for it: exactly, and slowly."""
    if not openvino.multiplies_int8():
        monkeypatch.setattr(openvino, "multiplies_int8", lambda: True)
        monkeypatch.setattr(requests, "core", lambda: Exactly())


class Exactly:
    def compile_model(self, model, device, settings=None):
        return core().compile_model(model, device, {**(settings or {}), "LP_TRANSFORMS_MODE": "OFF"})

    def __getattr__(self, name):
        return getattr(core(), name)
