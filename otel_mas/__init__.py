"""See what caused what in a multi-agent run."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otel_mas import errors
    from otel_mas.api import flush, instrument, open, shutdown  # noqa: A004 - the public name

    __version__: str

__all__ = ["__version__", "errors", "flush", "instrument", "open", "shutdown"]

# Lazy: being installed means being imported by every instrumented process, whether it records or not.
_API = frozenset({"flush", "instrument", "open", "shutdown"})


def __getattr__(name: str) -> Any:
    if name in _API:
        return getattr(import_module("otel_mas.api"), name)
    if name == "errors":
        return import_module("otel_mas.errors")
    if name == "__version__":
        from importlib.metadata import version

        return version("otel-mas")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
