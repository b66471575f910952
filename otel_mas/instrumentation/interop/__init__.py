"""Beside other instrumentation: whose span is current in our tasks and model calls, so that all nest as they ran."""

from __future__ import annotations

MODULES = (
    "opentelemetry.instrumentation.langchain",
    "opentelemetry.instrumentation.genai.langchain",
    "opentelemetry.instrumentation.instrumentor",
    "langchain_core.language_models.chat_models",
)
"""What makes its own spans current from LangChain's callbacks; what any instrumentation imports; where models run."""
