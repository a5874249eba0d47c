import json

import pytest

from qdrant_embed.explore.http_guard import MOST_BYTES


def test_the_page_and_its_answers_come_with_a_strict_policy(request_page):
    for answer in (request_page("GET", ""), request_page("GET", "main.js"), request_page("POST", "api/about", json={})):
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("token", ["", "another", "a-toke", "a-token2"])
def test_nothing_is_told_without_the_token(request_page, token):
    for method, path in (("GET", ""), ("GET", "main.js"), ("POST", "api/about")):
        answer = request_page(method, path, token=token)
        assert answer.status_code == 403
        assert "harbour" not in answer.text
        assert "content-security-policy" in answer.headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1"}, 421),
        ({"host": "127.0.0.1:4001"}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_other_sites_are_refused_even_with_the_token(request_page, headers, status):
    assert request_page("POST", "api/about", json={}, headers=headers).status_code == status


def test_requests_are_bounded_and_have_to_be_json(request_page):
    large = json.dumps({"points": "0" * MOST_BYTES})
    assert request_page("POST", "api/select", content=large).status_code == 413
    assert request_page("POST", "api/about", content="{}", headers={"content-type": "text/plain"}).status_code == 415
    for body in ("", "[1]", "{", "[" * 100_000, b"\xff\xfe"):
        answer = request_page("POST", "api/about", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 400


@pytest.mark.parametrize("path", ["../a.toml", "%2e%2e/explorer.py", "explorer.py", "static/main.js", "main.js/"])
def test_no_other_file_is_served(request_page, path):
    assert request_page("GET", path).status_code in (307, 403, 404)


def test_reading_needs_post(request_page):
    assert request_page("GET", "api/about").status_code == 405
