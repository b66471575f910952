"""Whether two endpoints are the same server, however they are written."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

HIDDEN = "***"
_OTLP_PORTS = frozenset({4317, 4318})
_PORTS = {"http": 80, "https": 443}


def masked_url(endpoint: str) -> str:
    """A URL, or `host:port`, without user, password, query and fragment: so it may be kept and shown."""
    scheme, separator, rest = endpoint.partition("://") if "://" in endpoint else ("", "", endpoint)
    _, user, address = rest.rpartition("@")  # the last one: a password may hold anything
    address, query, _ = address.partition("#")[0].partition("?")
    return f"{scheme}{separator}{f'{HIDDEN}@' if user else ''}{address}{f'?{HIDDEN}' if query else ''}"


def server_key(endpoint: str) -> str:
    """A name that all endpoints of one server share.

    `localhost`, `127.0.0.1` and `::1` are one host; the two ports on which one server takes OTLP, 4317 (gRPC) and 4318
    (HTTP), are one port.

    Args:
        endpoint: a URL, or `host:port`.
    """
    scheme, _, rest = endpoint.rpartition("://")
    try:
        parts = urlsplit(f"//{rest}")
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return masked_url(endpoint)
    port = port or _PORTS.get(scheme.lower(), 4317)
    return f"{'localhost' if _is_loopback(host) else host}:{'otlp' if port in _OTLP_PORTS else port}"


def _is_loopback(host: str) -> bool:
    if host in ("localhost", "0.0.0.0"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
