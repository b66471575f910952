"""HTTP API of a source of traces: JSON under /api/v1, described by /api/v1/openapi.json."""

from otel_mas.server.api.app import create_app

__all__ = ["create_app"]
