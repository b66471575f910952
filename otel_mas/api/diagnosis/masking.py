"""Values as they may be shown: without what opens doors."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from otel_mas.report.text import plain
from otel_mas.store.redact import is_secret_key, redact_text

HIDDEN = "***"
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s,]+", re.IGNORECASE)
_USER = re.compile(r"^.*@")
# Under these names stand paths of files, not the secrets in them.
_PATHS = ("_CLIENT_KEY", "_CERTIFICATE")


def shown(name: str, value: str) -> str:
    """The value of an environment variable."""
    if name.endswith("HEADERS"):
        return ",".join(f"{key.strip()}={HIDDEN}" if equals else HIDDEN for key, equals, _ in _pairs(value))
    if is_secret_key(name) and not name.endswith(_PATHS):
        return HIDDEN
    if name.endswith("ENDPOINT"):
        return plain(redact_text(address(value)))
    return plain(redact_text(_URL.sub(lambda found: address(found[0]), value)))


def header_names(value: str) -> list[str]:
    """The names of `name=value,name=value`."""
    return [key.strip().lower() for key, equals, _ in _pairs(value) if equals and key.strip()]


def address(endpoint: str) -> str:
    """A URL, or `host:port`, without user, password, query and fragment."""
    try:
        parts = urlsplit(endpoint if "://" in endpoint else f"//{endpoint}")
    except ValueError:
        return HIDDEN if "@" in endpoint or "?" in endpoint else endpoint
    host = _USER.sub(f"{HIDDEN}@", parts.netloc)
    path = _USER.sub(HIDDEN, parts.path)  # of a password with a slash in it
    cleaned = urlunsplit((parts.scheme, host, path, HIDDEN if parts.query else "", ""))
    return cleaned if "://" in endpoint else cleaned.removeprefix("//")


def _pairs(value: str) -> list[tuple[str, str, str]]:
    return [pair.partition("=") for pair in value.split(",") if pair.strip()]
