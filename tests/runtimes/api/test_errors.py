"""What an answer means."""

from datetime import UTC, datetime

import pytest

from qdrant_embed.runtimes.api.errors import (
    Hopeless,
    Passing,
    PerhapsTooLarge,
    Refused,
    TooLarge,
    fault_of,
    retry_after,
    said_by,
)

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "Sun, 01 Mar 2026 12:00:30 GMT"}, 30),
        ({"retry-after": "Sun, 01 Mar 2026 11:00:00 GMT"}, 0),
        ({"retry-after": "Sunday, 01-Mar-26 12:00:30 GMT"}, 30),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({}, None),
    ],
)
def test_the_wait_a_server_asks_for(headers, seconds):
    assert retry_after(headers, NOW) == seconds


def test_a_date_is_read_by_the_servers_own_clock():
    headers = {"retry-after": "Sun, 01 Mar 2020 12:00:30 GMT", "date": "Sun, 01 Mar 2020 12:00:00 GMT"}
    assert retry_after(headers) == 30


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (413, "", TooLarge),
        (400, "This model's maximum context length is 8192 tokens, however you requested 9000", TooLarge),
        (400, "Invalid 'input[3]': maximum input length is 8192 tokens.", TooLarge),
        (400, "Requested 400000 tokens, max 300000 tokens per request", TooLarge),
        (422, "batch size 64 > maximum allowed batch size 32", TooLarge),
        (413, "Input validation error: `inputs` must have less than 512 tokens. Given: 600", TooLarge),
        (400, "the input length exceeds the context length", TooLarge),
        (500, "input is too large to process. increase the physical batch size", PerhapsTooLarge),
        (500, "upstream request exceeded the time limit", Passing),
        (500, "exceeded the rate limit of the backend", Passing),
        (500, "the batch exceeds the maximum batch size", PerhapsTooLarge),
        (400, "The max allowed tokens per submitted batch is 120000.", TooLarge),
        (400, "invalid request: total number of texts must be at most 96 texts", TooLarge),
        (400, "Invalid 'input': array too long. Expected an array with maximum length 2048", TooLarge),
        (400, "'$.input' is invalid.", Refused),
        (422, "unknown field", Refused),
        (429, "Rate limit reached for requests", Passing),
        (429, "Too many tokens this minute, max 30000 tokens", Passing),
        (
            429,
            "Request too large for text-embedding-3-small on tokens per min (TPM): Limit 1000, Requested 4000. The "
            "input or output tokens must be reduced in order to run successfully.",
            TooLarge,
        ),
        (429, "You exceeded your current quota", Hopeless),
        (500, "internal error", Passing),
        (503, "Model is overloaded", Passing),
        (529, "", Passing),
        (401, "Incorrect API key", Hopeless),
        (404, "no such model", Hopeless),
    ],
)
def test_what_should_be_done_about_an_answer(status, message, kind):
    assert type(fault_of(status, {}, message)) is kind


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "no", "code": 3}}', "no"),
        (b'{"error": "no"}', "no"),
        (b'{"message": "no"}', "no"),
        (b'{"detail": [{"msg": "no"}]}', '[{"msg": "no"}]'),
        (b"<html>\n no </html>", "<html> no </html>"),
        (b"\xff", "\ufffd"),
        (b"", ""),
    ],
)
def test_the_servers_message_is_found(body, said):
    assert said_by(body) == said
