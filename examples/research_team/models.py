"""The models that the team talks to."""

from __future__ import annotations

from dataclasses import dataclass

from langchain_openai import ChatOpenAI
from openai import DefaultHttpxClient
from pydantic import SecretStr


@dataclass(frozen=True)
class Models:
    """Where the models are.

    Args:
        url: A server that speaks OpenAI's protocol, on this machine; None is OpenAI itself, with `OPENAI_API_KEY`.
        key: The key that server wants.
        seed: Passed on with every request.
    """

    url: str | None = None
    key: str = "local"
    seed: int = 7

    def large(self) -> ChatOpenAI:
        """Decides."""
        return self._chat("gpt-4o")

    def small(self, *, streaming: bool = False) -> ChatOpenAI:
        """Does the work."""
        return self._chat("gpt-4o-mini", streaming=streaming)

    def _chat(self, model: str, *, streaming: bool = False) -> ChatOpenAI:
        if self.url is None:
            return ChatOpenAI(model=model, temperature=0, seed=self.seed, streaming=streaming, stream_usage=True)
        return ChatOpenAI(
            model=model,
            temperature=0,
            seed=self.seed,
            streaming=streaming,
            stream_usage=True,
            base_url=self.url,
            api_key=SecretStr(self.key),
            # The server is on this machine: a proxy set in the environment is not the way to it.
            http_client=DefaultHttpxClient(trust_env=False),
        )
