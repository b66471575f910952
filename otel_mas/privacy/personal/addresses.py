"""IP addresses in a text, v4 and v6, that are of somebody: not loopback, multicast, masks, networks and the like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_network
from typing import Final

from otel_mas.privacy.personal.candidates import Finding, Pause, is_named, matches, names

_V4: Final = re.compile(
    r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?![\w]|[.+][0-9]|-(?:rc|alpha|beta|dev|post|[0-9]+(?![0-9.])))"
)
# Digits and dots before it would make it a part; the rest are versions: `v1.2.3.4`, `pkg-1.2.3.4`, `pkg==1.2.3.4`,
# `Chrome/120.0.0.0`.
_PART: Final = re.compile(
    r"(?:[\w.]|[A-Za-z]-|[A-Za-z]/|[=~<>!^]=\s?|[A-Za-z]@|\bv(?:er(?:sion|\.)?)?\.?[ :=]{0,2})\Z", re.I
)
_VERSION: Final = names("versions?|release|upgraded? (?:to|from)|section|chapter|oid")
_ADDRESS: Final = names(
    "ip|ipv4|ipv6|ips|addr|address(?:es)?|host|peer|client|remote|server|gateway|dns|nameserver|subnet|x-forwarded-for"
)
_PREFIX: Final = re.compile(r"/[0-9]{1,3}(?![\w/])")
_V6_INSIDE: Final = re.compile(r":[0-9A-Fa-f]{0,4}:")
_V6_CHARS: Final = frozenset("0123456789abcdefABCDEF:")
_MAX_V6: Final = 39
_BYTES: Final = 8  # groups of two digits each: an EUI-64 or a fingerprint


def addresses(text: str, name: str, pause: Pause | None) -> Iterator[Finding]:
    """Each address. Four single digits (1.2.3.4) are one only if the name or a word before says so."""
    for match in matches(_V4, text, pause):
        start, end = match.span()
        if _PART.search(text, max(0, start - 10), start) is not None:
            continue
        if _is_v4(match[0], text, name, start) and not _is_network(text, start, end):
            yield Finding(start, end, "ip", match[0])
    for start, end in _v6_candidates(text, pause):
        value = _v6(text[start:end])
        if value and not _is_network(text, start, end):
            yield Finding(start, end, "ip", value)


def _is_v4(text: str, whole: str, name: str, start: int) -> bool:
    try:
        address = IPv4Address(text)
    except AddressValueError:
        return False
    if address.is_loopback or address.is_multicast or address.is_link_local or address.is_reserved:
        return False
    if address.packed[0] == 0:
        return False
    if is_named(_ADDRESS, name, whole, start):
        return True
    return len(text) > len("1.2.3.4") and not is_named(_VERSION, name, whole, start)


def _is_network(text: str, start: int, end: int) -> bool:
    """Whether it is a whole network, such as `10.0.0.0/8`, rather than a host."""
    prefix = _PREFIX.match(text, end)
    if prefix is None:
        return False
    try:
        return ip_network(text[start : prefix.end()]).num_addresses > 1
    except ValueError:  # bits of a host, or a longer prefix than there can be
        return False


def _v6_candidates(text: str, pause: Pause | None) -> Iterator[tuple[int, int]]:
    done = 0
    for match in matches(_V6_INSIDE, text, pause):
        if match.start() < done:
            continue
        start, end = match.span()
        while start > done and end - start <= _MAX_V6 and text[start - 1] in _V6_CHARS:
            start -= 1
        while end < len(text) and end - start <= _MAX_V6 and text[end] in _V6_CHARS:
            end += 1
        done = end
        inside = text[max(0, start - 1) : start] + text[end : end + 1]
        if not any(char.isalnum() or char in "_:" for char in inside):
            yield start, end - 1 if text[end - 1] == ":" and text[end - 2] != ":" else end


def _v6(text: str) -> str:
    """The address in its shortest form; empty where it is none of somebody, or code such as `face::add`."""
    try:
        address = IPv6Address(text)
    except AddressValueError:
        return ""
    if address.is_loopback or address.is_unspecified or address.is_multicast:
        return ""
    groups = text.split(":")
    first_tells = len(groups[0]) >= 3 and any(map(str.isdigit, groups[0]))
    whole = len(groups) == _BYTES and all(groups)
    if whole and all(len(group) == 2 for group in groups):
        return ""
    return address.compressed if whole or first_tells else ""
