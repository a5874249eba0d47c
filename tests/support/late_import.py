"""Heavy modules that a file of tests names at its head and loads with the first test that uses them.

Every worker imports every file to find its tests; few run one that needs PyTorch.
"""

from importlib import import_module


class Late:
    """Stands for a module, or for a class or function of it, which is imported when it is used.

    >>> torch, Dense = Late("torch"), Late("sentence_transformers.base.modules.dense", "Dense")
    """

    def __init__(self, module, name=""):
        self._module, self._name = module, name

    def _loaded(self):
        module = import_module(self._module)
        return getattr(module, self._name) if self._name else module

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)  # pytest asks everything at a file's head whether it is a fixture
        return getattr(self._loaded(), name)

    def __getitem__(self, key):
        return self._loaded()[key]

    def __call__(self, *given, **named):
        return self._loaded()(*given, **named)
