"""Outlook's messages."""

import pytest

from tests.support.ole_files import outlook_message


@pytest.fixture
def make_msg():
    """Return the function that makes a message of its properties."""
    return outlook_message
