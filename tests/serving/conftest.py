"""Servers for the tests of `otel-mas serve`."""

from tests.serving.server import serve

__all__ = ["serve"]
