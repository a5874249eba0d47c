"""The distributions for LlamaIndex, LangChain and agents, where they are installed."""

import asyncio
import os
import sys

import pytest


def test_llama_index(opened):
    retriever = pytest.importorskip("llama_index.retrievers.qdrant_embed").QdrantEmbedRetriever
    assert "ninety days" in retriever(opened(), k=1).retrieve("rotated keys")[0].text


def test_langchain(opened):
    retriever = pytest.importorskip("langchain_qdrant_embed").QdrantEmbedRetriever
    assert "ninety days" in retriever(collection=opened(), k=1).invoke("rotated keys")[0].page_content


def test_mcp(opened, pages, tmp_path):
    pytest.importorskip("qdrant_embed_mcp")
    from mcp import Client, StdioServerParameters

    opened(at=tmp_path / "data", given=pages).close()
    words = ["-m", "qdrant_embed", "mcp", "--at", str(tmp_path / "data")]
    program = StdioServerParameters(command=sys.executable, args=words, env=dict(os.environ))

    async def ask():
        async with Client(program) as client:
            return await client.call_tool("search", {"query": "rotated keys"})

    assert "ninety days" in str(asyncio.run(ask()))
