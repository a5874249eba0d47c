"""What is told of a server's failures: no secret in any form, and what to look at where no Qdrant answers."""

import base64
import json
from urllib.parse import quote

import httpx
import pytest
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from qdrant_embed.store.client.errors import LONGEST, diagnose, struck, told

KEY = "qdr_5ecretKEY/abcdefghijklmnopqrstuvwxyz+0123456789"

FORMS = {
    "plain": KEY,
    "escaped": KEY.replace("5", r"\u0035").replace("a", r"\u0061"),
    "percent": quote(KEY, safe=""),
    "entities": KEY.replace("_", "&#95;"),
    "base64": base64.b64encode(KEY.encode()).decode(),
    "basic": base64.b64encode(f"user:{KEY}".encode()).decode(),
    "cut": KEY[:30],
    "its end": KEY[-20:],
}


def longest_part(text):
    # The first and last group of "basic" hold one or two characters of the key.
    forms = [KEY, FORMS["base64"], FORMS["basic"][8:-4]]
    return max(
        (
            size
            for form in forms
            for size in range(8, len(form))
            for at in range(len(form) - size)
            if form[at : at + size] in text
        ),
        default=0,
    )


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("before", [0, 200, LONGEST - 20, LONGEST - 5])
def test_no_part_of_a_key_is_shown_in_any_form(form, before):
    message = "x" * before + f" api-key: {form} may not do this"
    for content in (message, json.dumps({"status": {"error": message}}), f"<html><p>{message}</p></html>"):
        error = UnexpectedResponse(403, "Forbidden", content.encode(), httpx.Headers())
        shown = str(told(diagnose(error, KEY), "http://localhost", None))
        assert longest_part(shown) == 0, shown


def test_a_text_without_the_key_is_left_as_it_is():
    assert struck("100%25 of &amp; qdr_5 stays", KEY) == "100%25 of &amp; qdr_5 stays"
    assert struck("no key", None) == "no key"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (json.JSONDecodeError("x", "<html><h1>Log in</h1>", 0), "it sent HTML"),
        (json.JSONDecodeError("x", "", 0), "an empty answer"),
        (json.JSONDecodeError("x", '{"result": {', 3), "no JSON"),
        (ResponseHandlingException(ValueError("shape")), "not Qdrant's"),
        (ResponseHandlingException(httpx.DecodingError("gzip")), "not Qdrant's"),
        (UnexpectedResponse(302, "Found", b"", httpx.Headers({"location": "/login"})), "redirects to /login"),
    ],
)
def test_what_is_no_qdrant_server_is_said_to_be_none(error, says):
    message = str(told(diagnose(error, None), "http://localhost", None))
    assert message.startswith("what answers at http://localhost is no Qdrant server: ")
    assert says in message
    assert "Check the address" in message
