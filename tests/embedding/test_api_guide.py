"""The presets in the guide are presets."""

import re
import tomllib
from pathlib import Path

import pytest

from qdrant_embed.models.preset_checks import check_values
from qdrant_embed.models.presets import Preset, make_preset
from qdrant_embed.runtimes.api.providers import PROTOCOLS
from qdrant_embed.runtimes.api.settings import settings_of

PAGE = (Path(__file__).parents[2] / "docs/guide/api-models.md").read_text()
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_every_preset_of_the_page_can_be_read(block):
    for name, values in tomllib.loads(block)["models"].items():
        check_values(name, values)
        if values["runtime"] == "api":
            assert settings_of(make_preset(name, values)).address == "http://localhost:8080/v1/embeddings"


def test_every_protocol_and_key_is_on_the_page():
    assert all(f"| `{name}` |" in PAGE for name in PROTOCOLS)
    fields = list(Preset.__dataclass_fields__)
    for key in fields[fields.index("api_model") :]:
        assert f"`{key}`" in PAGE, key


@pytest.mark.parametrize(
    ("api", "endpoint", "address"),
    [
        ("openai", "", "https://api.openai.com/v1/embeddings"),
        ("openai", "http://localhost:7997/embeddings", "http://localhost:7997/embeddings"),
        ("openai", "http://localhost:8080", "http://localhost:8080/v1/embeddings"),
        ("openai", "http://localhost:8080/", "http://localhost:8080/v1/embeddings"),
        ("openai", "https://x.example/api/v3/", "https://x.example/api/v3/embeddings"),
        (
            "openai",
            "https://x.example/deployments/e?api-version=2024-02-01",
            "https://x.example/deployments/e/embeddings?api-version=2024-02-01",
        ),
        ("cohere", "", "https://api.cohere.com/v2/embed"),
        ("cohere", "http://localhost:9", "http://localhost:9/v2/embed"),
        ("voyage", "", "https://api.voyageai.com/v1/embeddings"),
        ("jina", "", "https://api.jina.ai/v1/embeddings"),
    ],
)
def test_where_requests_go(api, endpoint, address):
    assert PROTOCOLS[api].address(endpoint) == address
