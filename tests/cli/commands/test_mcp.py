"""`qdrant-embed mcp` without what it starts; the server itself is tested with its own distribution."""

import sys

import pytest
import qdrant_embed_mcp
from typer.testing import CliRunner

from qdrant_embed.cli import app


@pytest.mark.parametrize("missing", ["qdrant_embed_mcp", "mcp"])
def test_a_missing_package_says_what_to_type(monkeypatch, missing):
    for name in list(sys.modules):
        if name.partition(".")[0] == "qdrant_embed_mcp":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    done = CliRunner().invoke(app, ["mcp"])
    assert done.exit_code == 1
    assert "pip install 'qdrant-embed[mcp]'" in done.stderr.replace("\n", " ")


def test_flags_reach_the_server(monkeypatch, tmp_path):
    served = []
    monkeypatch.setattr(
        qdrant_embed_mcp, "serve_http", lambda settings, port, token: served.append((settings, port, token))
    )
    monkeypatch.setenv("QDRANT_EMBED_MCP_TOKEN", "a token of this test")
    flags = ["--at", str(tmp_path), "--allow-writes", "--folder", str(tmp_path), "--http", "8765", "--model", "hashing"]
    assert CliRunner().invoke(app, ["mcp", *flags]).exit_code == 0
    ((settings, port, token),) = served
    assert (settings.folders, settings.model, port, token) == (
        (tmp_path.resolve(),),
        "hashing",
        8765,
        "a token of this test",
    )
    assert CliRunner().invoke(app, ["mcp", "--folder", str(tmp_path), "--http", "1"]).exit_code == 1
