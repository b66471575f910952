"""How we name ourselves to servers."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def user_agent() -> str:
    """As the OTLP specification asks for, so that a server's owner can tell who sends."""
    try:
        return f"otel-mas/{version('otel-mas')}"
    except PackageNotFoundError:  # bundled with the app, without its metadata
        return "otel-mas"
