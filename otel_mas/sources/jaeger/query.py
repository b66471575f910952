"""One question to Jaeger's query service, and the port of the two ways to ask it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from otel_mas.errors import SourceError

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

HTTP_PORT, GRPC_PORT = 16686, 16685
SEARCH_DEPTH = "search depth"
"""Part of the message of a server that does not give so many traces at once."""
# Messages of the query service, over HTTP and gRPC; in older versions of the storages.
_SERVICE_REQUIRED = re.compile("requires a service name|service name must be set", re.IGNORECASE)


class ServiceRequired(SourceError):
    """The storage searches within a service only."""

    @staticmethod
    def is_meant(message: str) -> bool:
        """Whether a server's refusal means this."""
        return _SERVICE_REQUIRED.search(message) is not None


@dataclass(frozen=True, slots=True)
class JaegerSearch:
    """Jaeger matches spans one by one, and answers with their whole traces."""

    lo_ns: int
    hi_ns: int
    limit: int
    service: str = ""
    attributes: tuple[tuple[str, str], ...] = ()


class JaegerClient(Protocol):
    """A connection to Jaeger's query service."""

    @property
    def location(self) -> str: ...

    def trace(self, trace_id: str) -> Iterator[ResourceSpans]:
        """The spans of a trace; none where there is no such trace."""
        ...

    def search(self, search: JaegerSearch) -> Iterator[ResourceSpans]:
        """The traces that match.

        Raises:
            FewerTraces: that is too many at once.
            ServiceRequired: the storage takes no search over all services.
        """
        ...

    def services(self) -> Sequence[str]: ...

    def takes_attributes(self, search: JaegerSearch) -> bool:
        """Whether the server looks at attributes at all, found out by a search for some that no span has."""
        ...

    def close(self) -> None: ...
