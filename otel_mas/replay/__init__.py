"""Replay: an app runs again as it is, and its models, tools and retrievers answer what was recorded."""

from __future__ import annotations
