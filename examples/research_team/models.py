"""The models that the team talks to."""

from __future__ import annotations

from dataclasses import dataclass

from langchain_openai import ChatOpenAI
from openai import DefaultHttpxClient
from pydantic import SecretStr


@dataclass(frozen=True)
class Models:
    """Address of the models, and the options of each request.

    Args:
        url: A server that speaks OpenAI's protocol; None is OpenAI itself, with `OPENAI_API_KEY`.
        key: API key of that server.
        http_client: HTTP client of the requests; by default one that uses the proxies of the environment.
        seed: Sent with every request.
    """

    url: str | None = None
    key: str = "local"
    http_client: DefaultHttpxClient | None = None
    seed: int = 7

    def large(self) -> ChatOpenAI:
        """The model that decides."""
        return self._chat("gpt-4o")

    def small(self, *, streaming: bool = False) -> ChatOpenAI:
        """The model that does the work."""
        return self._chat("gpt-4o-mini", streaming=streaming)

    def _chat(self, model: str, *, streaming: bool = False) -> ChatOpenAI:
        return ChatOpenAI(
            model=model,
            temperature=0,
            seed=self.seed,
            streaming=streaming,
            stream_usage=True,
            base_url=self.url,
            api_key=None if self.url is None else SecretStr(self.key),
            http_client=self.http_client,
        )
