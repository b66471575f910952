"""Placeholders for the keys of models and tools, without which their clients are not constructed."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Final

PLACEHOLDER: Final = "otel-mas-replay"
KEYS: Final = (
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "GOOGLE_API_KEY",
    "GEMINI_API_KEY",
    "AZURE_OPENAI_API_KEY",
    "MISTRAL_API_KEY",
    "GROQ_API_KEY",
    "COHERE_API_KEY",
    "CO_API_KEY",
    "TOGETHER_API_KEY",
    "FIREWORKS_API_KEY",
    "DEEPSEEK_API_KEY",
    "XAI_API_KEY",
    "OPENROUTER_API_KEY",
    "HUGGINGFACEHUB_API_TOKEN",
    "NVIDIA_API_KEY",
    "PPLX_API_KEY",
    "VOYAGE_API_KEY",
    "TAVILY_API_KEY",
    "SERPER_API_KEY",
)
"""Variables from which clients of models and tools take their keys, and without which they are not constructed."""


def place_keys(environ: MutableMapping[str, str], *, nothing_live: bool) -> Mapping[str, str | None]:
    """Set placeholders for keys, so that clients are constructed: of all where nothing is live, else of absent ones.

    Returns:
        The values from before, for `restore_keys`.
    """
    before = {name: environ.get(name) for name in KEYS if nothing_live or not environ.get(name)}
    environ.update(dict.fromkeys(before, PLACEHOLDER))
    return before


def restore_keys(environ: MutableMapping[str, str], before: Mapping[str, str | None]) -> None:
    """Put back what `place_keys` has replaced."""
    for name, value in before.items():
        if value is not None:
            environ[name] = value
        elif environ.get(name) == PLACEHOLDER:
            del environ[name]


__all__ = ["KEYS", "PLACEHOLDER", "place_keys", "restore_keys"]
