"""Methods of LangChain's models that make a request: those that are called, and those that an integration has."""

from __future__ import annotations

from typing import Final

CALLS: Final = ("generate", "agenerate", "stream", "astream")
EVENT_STREAMS: Final = ("_iter_v2_events", "_aiter_v2_events")
"""Calls of chat models that some versions lack."""
REQUESTS: Final = ("_generate", "_agenerate", "_stream", "_astream")
"""Methods of an integration, which the calls lead to."""

__all__ = ["CALLS", "EVENT_STREAMS", "REQUESTS"]
