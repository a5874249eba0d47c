import signal
import subprocess

import httpx


def test_the_page_is_served_until_it_is_stopped(ingested, start):
    with start("explore", stdout=subprocess.PIPE) as running:
        url = running.stdout.readline().strip()
        assert "harbour" in httpx.post(f"{url}api/documents", json={}, trust_env=False).text
        running.send_signal(signal.SIGINT)
        assert running.wait(20) == 130


def test_a_collection_that_is_not_there_is_said(cli, ingested):
    assert cli("explore", "-c", "none").code == 1
