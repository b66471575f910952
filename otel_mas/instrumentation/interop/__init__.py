"""Beside other instrumentation: whose span is current in our tasks and model calls, so that all nest as they ran."""

from __future__ import annotations

MODULES = (
    "opentelemetry.instrumentation.langchain",
    "opentelemetry.instrumentation.genai.langchain",
    "opentelemetry.instrumentation.instrumentor",
    "langchain_core.language_models.chat_models",
)
"""Instrumentation that makes its spans current in LangChain's callbacks, the base of all, and LangChain's models."""
