"""The key of an API: read from the environment when a request goes out, and kept nowhere."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from qdrant_embed.errors import ConfigurationError

HIDDEN = "[key]"


@dataclass(frozen=True, slots=True)
class Key:
    """Where a key is to be found. Holds no secret, so that neither `repr` nor a pickle nor a traceback can show one.

    :param variable: Environment variable; empty for a server that wants no key.
    """

    variable: str

    def value(self) -> str:
        """Return the key, empty if none is wanted.

        :raises ConfigurationError: The variable is not set, or holds what no HTTP header can.
        """
        if not self.variable:
            return ""
        found = os.environ.get(self.variable, "").strip()
        if not found:
            raise ConfigurationError(
                f"the environment variable {self.variable} is not set; it must hold the key of this API. "
                f"Type: export {self.variable}=…"
            )
        if not (found.isascii() and found.isprintable()) or " " in found:
            raise ConfigurationError(
                f"the environment variable {self.variable} holds a space, a line break or a letter outside ASCII, "
                "which no key has. Copy the key again."
            )
        return found

    def scrub(self, text: str) -> str:
        """Return the text without the key, should a server have repeated it."""
        found = os.environ.get(self.variable, "").strip() if self.variable else ""
        return text.replace(found, HIDDEN) if found else text


def require_safe(endpoint: str, key: Key) -> None:
    """Refuse an address to which a key must not be sent.

    :raises ConfigurationError: It is no HTTP address, holds a password, or would carry the key unencrypted.
    """
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(
            f"endpoint = {shown(endpoint)!r} is no address of an API; write it as https://host/v1 or "
            "http://localhost:8080/v1."
        )
    if parts.username or parts.password:
        raise ConfigurationError(
            f"the endpoint {shown(endpoint)!r} holds a user name or password. Presets are stored and shown; put the "
            "secret into an environment variable and name that in key_variable."
        )
    if key.variable and parts.scheme == "http" and not is_local(parts.hostname):
        raise ConfigurationError(
            f"the key in {key.variable} is not sent to {shown(endpoint)!r}: over http:// everybody on the way could "
            "read it. Use https://, or remove key_variable if that server wants no key."
        )


def is_local(host: str) -> bool:
    """Tell whether a host is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def shown(address: str) -> str:
    """Return an address without what may be secret in it: user, password and query."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{parts.path}" if parts.scheme else parts.path
