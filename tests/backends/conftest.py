"""Servers of ours that backends' tests send to."""

from tests.serving.server import serve

__all__ = ["serve"]
