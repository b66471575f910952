"""Other instrumentations of LangChain and OpenAI: packages from PyPI, each family in an environment of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.bench.environments import environment

REPOSITORY = Path(__file__).resolve().parents[2]
_OURS = ("langgraph", "langchain", "langchain-openai", "opentelemetry-sdk", "opentelemetry-proto", "orjson")
"""Requirements of the app and of recording; the repository itself is put on the path."""

PEERS: dict[str, tuple[str, ...]] = {
    "openinference": (
        "openinference-instrumentation-langchain==0.1.80",
        "openinference-instrumentation-openai==0.1.66",
    ),
    "openllmetry": (
        "opentelemetry-instrumentation-langchain==0.62.4",
        "opentelemetry-instrumentation-openai==0.62.4",
    ),
    "otel-genai": (
        "opentelemetry-instrumentation-genai-langchain==1.3b0",
        "opentelemetry-instrumentation-genai-openai==1.3b0",
    ),
    "openai-v2": (
        "opentelemetry-instrumentation-openai-v2==2.4b0",
        "opentelemetry-util-genai==1.0b0",  # with the newest, which it allows, it cannot be imported
    ),
}


def python_with(peer: str, environ: Mapping[str, str]) -> str:
    """The interpreter of an environment in which both the peer and we can run."""
    pinned = dict(
        line.split("==") for line in (REPOSITORY / "constraints.txt").read_text().splitlines() if "==" in line
    )
    ours = [f"{name}=={pinned[name]}" for name in (*_OURS, "genai-prices")]
    return environment(f"beside-{peer}", (*ours, *PEERS[peer]), environ)


__all__ = ["PEERS", "REPOSITORY", "python_with"]
