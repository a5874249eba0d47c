"""Every preset of an API asks its server for the right model, in the right words, with the key it names."""

import numpy as np
import pytest

from qdrant_embed import load_embedder
from qdrant_embed.models.preset_files import read_presets
from tests.support.api_server import ApiServer, vector_of

PRESETS = {name: entry.values for name, entry in read_presets().items() if entry.values.get("runtime") == "api"}
YOURS = {"dim": 24, "max_tokens": 128, "api_model": "served-by-you"}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_reaches_its_model(name, tmp_path, monkeypatch):
    values = PRESETS[name]
    lacking = {key: value for key, value in YOURS.items() if key not in values}
    assert not lacking or values.get("endpoint", "").startswith("http://localhost"), "a provider's preset is complete"
    dim = values.get("dim", YOURS["dim"])
    if values.get("key_variable"):
        monkeypatch.setenv(values["key_variable"], "sk-preset")
    with ApiServer(dim=dim, kinds=True) as server:
        lines = {"endpoint": server.endpoint, **lacking}
        path = tmp_path / "own.toml"
        path.write_text(f"[models.{name!r}]\n" + "".join(f"{key} = {value!r}\n" for key, value in lines.items()))
        embedder = load_embedder(name, presets=path)
        documents, questions = embedder.embed_documents(["harbour", "crane"]), embedder.embed_queries(["harbour"])
        told_apart = values["api"] != "openai"
        for vectors, text, kind, prompt in (
            (documents, "harbour", "document", values.get("document_prompt", "")),
            (questions, "harbour", "query" if told_apart else "document", values.get("query_prompt", "")),
        ):
            np.testing.assert_allclose(vectors[0], vector_of(prompt + text, dim, kind), atol=1e-6)
        for few in values.get("dims", ())[:1]:
            cut = load_embedder(name, presets=path, compression=f"{few}d").embed_documents(["harbour"])
            assert cut.shape == (1, few)
    assert all(seen.body["model"] == embedder.preset.api_model for seen in server.seen)
    assert {seen.headers.get("authorization") for seen in server.seen} == {
        "Bearer sk-preset" if values.get("key_variable") else None
    }


def test_there_are_presets_of_every_protocol():
    assert {values["api"] for values in PRESETS.values()} == {"openai", "cohere", "voyage", "jina"}
