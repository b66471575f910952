"""Values as they may be shown: without what opens doors."""

from __future__ import annotations

import re

from otel_mas.config.server import HIDDEN, masked_url
from otel_mas.privacy.redact import is_secret_key, redact_text
from otel_mas.report.text import plain

_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s,'\"]+", re.IGNORECASE)
# Under these names stand paths of files, not the secrets in them.
_PATHS = ("_CLIENT_KEY", "_CERTIFICATE")


def shown(name: str, value: str) -> str:
    """The value of an environment variable."""
    if name.endswith("HEADERS"):
        return ",".join(f"{key.strip()}={HIDDEN}" if equals else HIDDEN for key, equals, _ in _pairs(value))
    if is_secret_key(name) and not name.endswith(_PATHS):
        return HIDDEN
    if name.endswith("ENDPOINT"):
        return plain(redact_text(masked_url(value)))
    return masked(value)


def masked(text: str) -> str:
    """Text that may hold addresses."""
    return plain(redact_text(_URL.sub(lambda found: masked_url(found[0]), text)))


def _pairs(value: str) -> list[tuple[str, str, str]]:
    return [pair.partition("=") for pair in value.split(",") if pair.strip()]
