"""One trace of a run, as handles on runs see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from otel_mas.model import MessageRef, Span
from otel_mas.sources import Source as Port


class Part(Protocol):
    """One trace of a run, with the source that it was read from."""

    _port: Port

    @property
    def trace_id(self) -> str: ...
    @property
    def spans(self) -> tuple[Span, ...]: ...
    @property
    def _refs(self) -> Sequence[MessageRef]: ...
    def _stored_contents(self, span_id: str) -> Mapping[str, Any]: ...


__all__ = ["Part"]
