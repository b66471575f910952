"""Hosts that may get something: names, names below a domain, addresses and networks of addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

LOOPBACK: Final = "loopback"
"""Stands for this machine: localhost, names below it, and the addresses of the loopback interface."""
ANY: Final = "*"
_NONE: Final = "none"
_NAME = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_MEANING: Final = "hosts, such as agents.example.org, *.example.org, 10.0.0.0/8, `loopback`, `*` for all, or `none`"


def hosts(text: str) -> tuple[str, ...]:
    """Hosts with commas between; `none` is an empty list."""
    if text.strip().lower() == _NONE:
        return ()
    return checked_hosts([one for one in map(str.strip, text.split(",")) if one])


def checked_hosts(given: Sequence[str]) -> tuple[str, ...]:
    """The same hosts in small letters.

    Raises:
        ValueError: One of them is a URL, has a port, or is no host.
    """
    found = [one.lower() if isinstance(one, str) else "" for one in given]
    if not all(one in (LOOPBACK, ANY) or _network(one) is not None or _NAME.fullmatch(one) for one in found):
        raise ValueError(_MEANING)
    return tuple(found)


@lru_cache(maxsize=1024)
def is_listed(host: str, listed: tuple[str, ...]) -> bool:
    """Whether a host, by its name or address as the app uses it, is one of `listed`. Names are not resolved."""
    bare = host.lower().strip("[]").rstrip(".")
    if not bare:
        return False
    address = _address(bare)
    return any(_matches(bare, address, one) for one in listed)


def _matches(host: str, address: _Address | None, listed: str) -> bool:
    if listed in (ANY, host):
        return True
    if listed == LOOPBACK:
        return address.is_loopback if address is not None else host == "localhost" or host.endswith(".localhost")
    if listed.startswith("*."):
        return address is None and host.endswith(listed[1:])
    network = _network(listed)
    return address is not None and network is not None and address in network


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _address(text: str) -> _Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)  # ::ffff:10.0.0.1
    return found if mapped is None else mapped


@lru_cache(maxsize=256)
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text.strip("[]"), strict=False)
    except ValueError:
        return None


__all__ = ["ANY", "LOOPBACK", "checked_hosts", "hosts", "is_listed"]
