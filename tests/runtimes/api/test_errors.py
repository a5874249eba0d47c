"""What an answer means."""

from datetime import UTC, datetime

import pytest

from qdrant_embed.runtimes.api.errors import (
    PerhapsTooLargeError,
    PermanentError,
    RejectedError,
    TooLargeError,
    TransientError,
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
        (413, "", TooLargeError),
        (400, "This model's maximum context length is 8192 tokens, however you requested 9000", TooLargeError),
        (400, "Invalid 'input[3]': maximum input length is 8192 tokens.", TooLargeError),
        (400, "Requested 400000 tokens, max 300000 tokens per request", TooLargeError),
        (422, "batch size 64 > maximum allowed batch size 32", TooLargeError),
        (413, "Input validation error: `inputs` must have less than 512 tokens. Given: 600", TooLargeError),
        (400, "the input length exceeds the context length", TooLargeError),
        (500, "input is too large to process. increase the physical batch size", PerhapsTooLargeError),
        (500, "upstream request exceeded the time limit", TransientError),
        (500, "exceeded the rate limit of the backend", TransientError),
        (500, "the batch exceeds the maximum batch size", PerhapsTooLargeError),
        (400, "The max allowed tokens per submitted batch is 120000.", TooLargeError),
        (400, "invalid request: total number of texts must be at most 96 texts", TooLargeError),
        (400, "Invalid 'input': array too long. Expected an array with maximum length 2048", TooLargeError),
        (400, "'$.input' is invalid.", RejectedError),
        (422, "unknown field", RejectedError),
        (429, "Rate limit reached for requests", TransientError),
        (429, "Too many tokens this minute, max 30000 tokens", TransientError),
        (
            429,
            "Request too large for text-embedding-3-small on tokens per min (TPM): Limit 1000, Requested 4000. The "
            "input or output tokens must be reduced in order to run successfully.",
            TooLargeError,
        ),
        (429, "You exceeded your current quota", PermanentError),
        (500, "internal error", TransientError),
        (503, "Model is overloaded", TransientError),
        (529, "", TransientError),
        (401, "Incorrect API key", PermanentError),
        (404, "no such model", PermanentError),
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
