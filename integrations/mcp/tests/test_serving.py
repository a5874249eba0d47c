"""Servers as agents meet them: a process at the other end of two pipes, and an address of this machine."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest
import uvicorn
from mcp import Client, StdioServerParameters
from qdrant_embed_mcp import OpenCollections, Settings, serve_http
from qdrant_embed_mcp.serving import http_app

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import ConfigurationError

NOISY = """
import os, sys, warnings
from qdrant_embed import Collection
from qdrant_embed_mcp import Settings, serve_stdio
ask = Collection.search
def search(*given, **more):
    print("loading weights"); os.write(1, b"from native code\\n"); warnings.warn("old"); os.system("echo a child")
    return ask(*given, **more)
Collection.search = search
serve_stdio(Settings(at=sys.argv[1]))
"""
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
TOKEN = "a token of this test"


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a collection of one document."""
    with Collection.open("notes", at=tmp_path / "data", recipe=Recipe(model="hashing")) as notes:
        notes.ingest([Document(text="Keys are rotated every ninety days.", source="keys.md")], progress=None)
    return str(tmp_path / "data")


def ingest_tides(folder):
    """Ingest in this process what the server is to find."""
    with Collection.open("notes", at=folder) as notes:
        notes.ingest([Document(text="High tide is at noon.", source="tides.md")], progress=None)


async def test_the_program_serves_the_sdks_client_beside_other_processes_and_ends_with_it(folder):
    program = StdioServerParameters(
        command=sys.executable, args=["-m", "qdrant_embed", "mcp", "--at", folder], env=dict(os.environ)
    )
    async with Client(program) as client:
        found = await client.call_tool("search", {"query": "keys"})
        assert found.structured_content["hits"][0]["source"] == "keys.md"
        await asyncio.to_thread(ingest_tides, folder)
        found = await client.call_tool("search", {"query": "high tide"})
        assert found.structured_content["hits"][0]["source"] == "tides.md"
    with Collection.open("notes", at=folder) as notes:  # which the server has let go of
        assert notes.count() == 2


def test_only_messages_of_the_protocol_on_stdout_and_an_end_at_ctrl_c(folder):
    server = subprocess.Popen(
        [sys.executable, "-c", NOISY, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:

        def send(method, params, number=None):
            asked = {"jsonrpc": "2.0", "method": method, "params": params}
            server.stdin.write(json.dumps(asked | ({} if number is None else {"id": number})) + "\n")
            server.stdin.flush()
            return None if number is None else json.loads(server.stdout.readline())

        send("initialize", HELLO, 1)
        send("notifications/initialized", {})
        asked = {"name": "search", "arguments": {"query": "keys", "filter": {"nope": 1}}}
        answer = send("tools/call", asked, 2)
        assert "nope" in answer["result"]["structuredContent"]["notes"][0]
        server.send_signal(signal.SIGINT)
        assert server.wait(10) == 130
        assert server.stdout.read() == ""
        said = server.stderr.read()
        assert all(noise in said for noise in ("loading weights", "from native code", "a child", "nope"))
    finally:
        server.kill()
        server.communicate()


async def test_http_on_this_machine_with_a_token(folder, unused_tcp_port):
    url = f"http://127.0.0.1:{unused_tcp_port}/mcp"
    allowed = {"Authorization": f"Bearer {TOKEN}"}
    with OpenCollections(Settings(at=folder)) as collections:
        app = http_app(collections, unused_tcp_port, token=TOKEN)
        server = uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=unused_tcp_port, ws="none", log_config=None, access_log=False)
        )
        running = asyncio.create_task(server.serve())
        try:
            while not server.started:
                await asyncio.sleep(0.01)
            await _refuses_strangers(url, allowed)
            await _search_over_http(url, allowed)
        finally:
            server.should_exit = True
            await running


async def _refuses_strangers(url, allowed):
    async with httpx.AsyncClient() as browser:
        assert (await browser.post(url, json={})).status_code == 401
        assert (await browser.post(url, json={}, headers={**allowed, "Host": "evil.example"})).status_code == 421
        assert (
            await browser.post(url, json={}, headers={**allowed, "Origin": "http://evil.example"})
        ).status_code == 403
        large = await browser.post(url, content=b" " * (2 << 20), headers=allowed)
        assert large.status_code == 413


async def _search_over_http(url, headers):
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    async with httpx2.AsyncClient(headers=headers) as http:
        for mode, version in (("auto", "2026-07-28"), ("legacy", "2025-11-25")):
            async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
                assert client.protocol_version == version
                found = await client.call_tool("search", {"query": "keys"})
                assert found.structured_content["hits"][0]["source"] == "keys.md"


def test_a_port_that_is_taken_is_said(unused_tcp_port):
    with socket.create_server(("127.0.0.1", unused_tcp_port)), pytest.raises(ConfigurationError, match="--http PORT"):
        serve_http(Settings(at=":memory:"), unused_tcp_port)


def test_settings_that_make_no_sense_are_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="at least 16"):
        http_app(OpenCollections(Settings(at=":memory:")), 8000, token="short")
    with pytest.raises(ConfigurationError, match="QDRANT_EMBED_MCP_TOKEN"):
        http_app(OpenCollections(Settings(at=":memory:", allow_writes=True)), 8000)
    with pytest.raises(ConfigurationError, match="is no folder"):
        Settings(at=":memory:", allow_writes=True, folders=(tmp_path / "none",))
    with pytest.raises(ConfigurationError, match="--allow-writes"):
        Settings(at=":memory:", folders=(tmp_path,))
