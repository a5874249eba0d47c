"""LoRA adapters, which are added to the weights that a graph is built of, as they are to those of torch."""

import shutil

import numpy as np
import pytest

from qdrant_embed.errors import ModelError
from qdrant_embed.models.resolve import resolve
from qdrant_embed.runtimes.families.known_families import unbuilt
from qdrant_embed.runtimes.torch.graph import build_graph
from tests.support.built_graphs import assert_alike, batch, built
from tests.support.tiny_adapters import save_tiny_adapter

pytest.importorskip("openvino")


@pytest.fixture
def adapted(folder_of, tmp_path):
    def make(kind, targets, **settings):
        folder = shutil.copytree(folder_of(kind), tmp_path / kind)
        save_tiny_adapter(folder / "for_texts", folder, targets, **settings)
        preset = tmp_path / "mine.toml"
        preset.write_text(f'[models.mine]\nsource = "{folder}"\npooling = "mean"\nadapter = "for_texts"\n')
        return resolve("mine", presets=preset)

    return make


@pytest.mark.parametrize(
    ("kind", "targets"),
    [
        ("jina_embeddings_v3", ("q_proj", "o_proj", "fc1", "word_embeddings")),
        ("modernbert", ("Wqkv", "Wi")),
        ("bert", ("query", "dense")),
    ],
)
def test_states_are_those_of_torch(adapted, folder_of, kind, targets):
    resolved, texts = adapted(kind, targets, prefix="model."), batch()
    assert unbuilt(resolved) == ""
    found = built(resolved)(texts)
    assert_alike(found, build_graph(resolved, pooled=True).run(texts))
    assert np.abs(found - built(resolve(str(folder_of(kind))))(texts)).max() > 1e-2


def test_the_adapter_of_another_model_is_refused(adapted, folder_of, tmp_path):
    resolved = adapted("qwen3", ("q_proj",))
    save_tiny_adapter(resolved.files.adapter, folder_of("bert"), ("query",))
    with pytest.raises(ModelError, match=r"does not fit .* encoder\.layer\.0\.attention\.self\.query, .*has nothing"):
        built(resolved)
