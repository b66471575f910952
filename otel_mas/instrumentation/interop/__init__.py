"""Recording beside other instrumentation: spans nest in our tasks and model calls as the code ran."""

from __future__ import annotations

MODULES = (
    "opentelemetry.instrumentation.langchain",
    "opentelemetry.instrumentation.genai.langchain",
    "opentelemetry.instrumentation.instrumentor",
    "langchain_core.language_models.chat_models",
)
"""Instrumentation that makes its spans current in LangChain's callbacks, the base of all, and LangChain's models."""
