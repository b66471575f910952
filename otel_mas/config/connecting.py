"""Failures of TLS, told apart by the messages of gRPC, Python's ssl and servers, which share no codes."""

from __future__ import annotations

from enum import Enum, auto


class TlsFailure(Enum):
    """A failure of TLS, by what has to change about the connection."""

    UNTRUSTED = auto()
    """No trusted authority has signed the server's certificate."""
    OTHER_HOST = auto()
    """The server's certificate is made out to another name."""
    PLAIN_SERVER = auto()
    """The server does not speak TLS, the client does."""
    TLS_SERVER = auto()
    """The server wants TLS, or seems to."""
    CLIENT_CERTIFICATE = auto()
    """The server wants a certificate of the client, or seems to."""


_OTHER_HOST = ("hostname verification", "hostname mismatch", "ip address mismatch")
_UNTRUSTED = ("certificate_verify_failed", "certificate verify failed")
_CLIENT_CERTIFICATE = ("certificate required", "alert unknown ca", "alert handshake failure", "alert bad certificate")
_PLAIN_SERVER = ("wrong version number", "record layer failure", "packet length too long", "http request")
_TLS_SERVER = ("https server", "\\x15\\x03", "\x15\x03")
_HUNG_UP = ("socket closed", "connection reset", "closed connection", "broken pipe", "eof occurred", "unexpected eof")


def tls_failure(message: str, *, tls: bool) -> TlsFailure | None:
    """The failure of a connection; None where TLS has nothing to do with it.

    Args:
        message: of the error.
        tls: whether the client speaks TLS.
    """
    lowered = message.lower()
    spaced = lowered.replace("_", " ")
    if any(sign in spaced for sign in _OTHER_HOST):
        return TlsFailure.OTHER_HOST
    if any(sign in lowered for sign in _UNTRUSTED):
        return TlsFailure.UNTRUSTED
    if not tls:
        found = any(sign in lowered for sign in _TLS_SERVER) or any(sign in spaced for sign in _HUNG_UP)
        return TlsFailure.TLS_SERVER if found else None
    if any(sign in spaced for sign in _PLAIN_SERVER):
        return TlsFailure.PLAIN_SERVER
    found = any(sign in spaced for sign in (*_CLIENT_CERTIFICATE, *_HUNG_UP))
    return TlsFailure.CLIENT_CERTIFICATE if found else None


def wants_tenant(message: str) -> bool:
    """Whether a server with several tenants misses the name of one (Tempo, Mimir, Loki: "no org id")."""
    return "org id" in message.lower()
