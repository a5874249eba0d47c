import socket
import threading

import httpx
import pytest

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.explore import ExplorerPage


def explorers():
    return [thread for thread in threading.enumerate() if thread.name.startswith("qdrant-embed-explore")]


def test_the_page_is_there_until_it_is_closed(harbour):
    pytest.importorskip("pandas")
    with harbour.explore() as page:
        assert isinstance(page, ExplorerPage)
        assert page.url.startswith("http://127.0.0.1:")
        assert page.url not in repr(page)
        with httpx.Client(trust_env=False) as client:
            assert "<title>" in client.get(page.url).text
            assert client.post(f"{page.url}api/about", json={}).json()["name"] == "harbour"
            assert client.get(page.url.rpartition("/")[0][:-3] + "/").status_code == 403
        assert len(page.selection) == 0
        port = int(page.url.split(":")[2].split("/")[0])
    page.close()
    assert explorers() == []
    with socket.socket() as again:
        assert again.connect_ex(("127.0.0.1", port)) != 0
    assert harbour.count() > 0
    assert "closed" in repr(page)


def test_every_page_has_a_token_of_its_own(harbour):
    with harbour.explore() as one, harbour.explore() as other:
        assert one.url.split("/")[3] != other.url.split("/")[3]
        assert len(one.url.split("/")[3]) >= 43


def test_a_port_that_is_taken_is_said(harbour):
    with harbour.explore() as page:
        port = int(page.url.split(":")[2].split("/")[0])
        with pytest.raises(ConfigurationError, match=f"port {port} cannot be used"):
            harbour.explore(port=port)
    with pytest.raises(ConfigurationError, match="port 70000 cannot be used"):
        harbour.explore(port=70_000)


def test_closing_calls_off_what_is_computed(harbour):
    page = harbour.explore()
    httpx.post(f"{page.url}api/map", json={}, trust_env=False)
    httpx.post(f"{page.url}api/statistics", json={}, trust_env=False)
    page.close()
    assert explorers() == []
