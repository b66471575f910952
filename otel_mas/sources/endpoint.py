"""The address of a server that traces are read from, the settings for all of them, and the errors they share."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from otel_mas.config import Settings
from otel_mas.config.connecting import TlsFailure, tls_failure, wants_tenant
from otel_mas.config.server import masked_url
from otel_mas.errors import SourceError
from otel_mas.privacy.redact import redact_text


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server as `scheme://` names it. `path` is "" or begins with a slash and does not end with one."""

    scheme: str
    host: str
    port: int
    path: str
    tls: bool

    @property
    def authority(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def location(self) -> str:
        """As `open_source` takes it."""
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def loopback(self) -> bool:
        """Whether it is this machine, where no proxy applies."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Access:
    """Settings of every server: headers (tokens, tenants), a file of certificates to trust, the timeout of a reply."""

    headers: tuple[tuple[str, str], ...] = ()
    certificate: str | None = None
    timeout_s: float = 30.0

    @classmethod
    def from_settings(cls) -> Access:
        """Raises `SourceError` where the file of certificates is none."""
        settings = Settings.from_env()
        certificate = settings.source_certificate
        if certificate is not None and os.path.exists(certificate) and not os.path.isfile(certificate):
            raise SourceError(f"OTEL_MAS_SOURCE_CERTIFICATE: {certificate} is no regular file")
        return cls(settings.source_headers, settings.source_certificate, settings.source_timeout_s)


def tls_error(endpoint: Endpoint, message: str, detail: str = "") -> SourceError | None:
    """Advice for a connection that fails because of TLS; None where TLS has nothing to do with it.

    Args:
        message: of the error.
        detail: why a certificate is not trusted.
    """
    failure, there = tls_failure(message, tls=endpoint.tls), endpoint.location
    if failure is TlsFailure.UNTRUSTED:
        shown = f" ({detail})" if detail else ""
        return SourceError(
            f"the certificate of {there} is not trusted{shown}: set OTEL_MAS_SOURCE_CERTIFICATE to the file of the"
            " authority that signed it, or of itself where it did"
        )
    if failure is TlsFailure.OTHER_HOST:
        return SourceError(f"the certificate of {there} is made out to another name: use that name in the address")
    if failure is TlsFailure.PLAIN_SERVER:
        return SourceError(f"{there} does not speak TLS: try without the s in the scheme")
    if failure is TlsFailure.TLS_SERVER:
        return SourceError(f"{there} hung up before it had answered: does it want TLS (an s at the end of the scheme)?")
    if failure is TlsFailure.CLIENT_CERTIFICATE:
        return SourceError(
            f"{there} hung up while TLS began: does it want a client certificate? otel-mas gives none when it reads:"
            " use an address that wants none, or a proxy that adds one"
        )
    return None


def not_this_server(location: str, product: str, answer: str, hint: str) -> SourceError:
    return SourceError(f"{location} does not answer as {product} does ({answer}): {hint}")


def truncated(location: str, reason: object) -> SourceError:
    return SourceError(f"the answer of {location} cannot be read ({reason}): ask again, or look into its log")


def timed_out(location: str, timeout_s: float) -> SourceError:
    return SourceError(
        f"{location} did not answer within {timeout_s:g} s: is it overloaded, or behind a firewall?"
        " OTEL_MAS_SOURCE_TIMEOUT sets how long to wait"
    )


def nothing_listens(location: str, hint: str) -> SourceError:
    return SourceError(f"nothing listens at {location} (connection refused): {hint}")


def access_hint(message: str) -> str:
    """The setting to name where a server refuses access with this message."""
    if wants_tenant(message):
        return "it has several tenants: set OTEL_MAS_SOURCE_HEADERS=X-Scope-OrgID=<tenant>"
    return "set OTEL_MAS_SOURCE_HEADERS, for instance authorization=Bearer%20<token>"


def parse_endpoint(scheme: str, target: str, default_port: int, *, paths: bool = True) -> Endpoint:
    """Parse the text after `scheme://`: `host`, `host:port`, `host:port/base/path`.

    Raises:
        SourceError: it is something else, or carries a password.
    """
    given = redact_text(masked_url(f"{scheme}://{target}"))
    example = f"{scheme}://localhost:{default_port}"
    if "://" in target:
        raise SourceError(f"{given} has two schemes: leave out the second, as in {example}")
    if "@" in target.partition("/")[0]:
        raise SourceError(
            f"{given} holds a password, which would end up in logs and histories: leave it out and set"
            " OTEL_MAS_SOURCE_HEADERS, for instance authorization=Basic%20<base64 of user:password>"
        )
    try:
        parts = urlsplit(f"//{target}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise SourceError(f"{given} is no address ({error}): give one like {example}") from None
    if not host or port == 0 or any(map(str.isspace, target)):
        raise SourceError(f"{given} names no host and port: give one like {example}")
    if parts.query or parts.fragment:
        raise SourceError(f"{given} has a query or a fragment: give only the address, like {example}")
    path = parts.path.rstrip("/")
    if path and not paths:
        raise SourceError(f"{given} has a path, and gRPC knows none: give only host and port, like {example}")
    return Endpoint(scheme, host, default_port if port is None else port, path, tls=scheme.endswith("s"))
