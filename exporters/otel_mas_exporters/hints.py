"""Settings to name where an OTLP server cannot be reached, or does not know the client."""

from __future__ import annotations

from otel_mas.config.connecting import TlsFailure, tls_failure, wants_tenant
from otel_mas_exporters.endpoint import Endpoint

_PREFIX = "OTEL_EXPORTER_OTLP_"
_OF_TLS = {
    TlsFailure.UNTRUSTED: "its certificate is not trusted: set {p}CERTIFICATE to the file of the authority that signed"
    " it, or of itself where it did",
    TlsFailure.OTHER_HOST: "its certificate is made out to another name: use that name in {p}ENDPOINT",
    TlsFailure.PLAIN_SERVER: "it does not speak TLS: http:// instead of https:// in {p}ENDPOINT",
    TlsFailure.TLS_SERVER: "does it want TLS: https:// instead of http:// in {p}ENDPOINT?",
    TlsFailure.CLIENT_CERTIFICATE: "does it want a client certificate: {p}CLIENT_CERTIFICATE and {p}CLIENT_KEY?",
}


def connecting(words: str, endpoint: Endpoint) -> str:
    """Advice about TLS, as " (...)"; "" where TLS has nothing to do with the failure."""
    failure = tls_failure(words, tls=endpoint.tls)
    if failure is None:
        return ""
    if failure is TlsFailure.CLIENT_CERTIFICATE and endpoint.client_certificate:
        return f" (is {_PREFIX}CLIENT_CERTIFICATE one that it trusts?)"
    return f" ({_OF_TLS[failure].format(p=_PREFIX)})"


def access(words: str) -> str:
    """The setting to name for a server that refuses access."""
    if wants_tenant(words):
        return f" (it has several tenants: {_PREFIX}HEADERS=X-Scope-OrgID=<tenant>)"
    return f" (a token belongs into {_PREFIX}HEADERS=authorization=Bearer%20<token>)"


__all__ = ["access", "connecting"]
