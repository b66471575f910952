"""HTTP requests to models in a replay, of clients that LangChain does not call: refused where nothing is live.

Such a request is no recorded call that could be answered: of a provider's own client, an embedding, a reranker.
"""

from __future__ import annotations

import functools
import re
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

from opentelemetry.trace import SpanKind

from otel_mas.errors import ReplayMiss
from otel_mas.instrumentation.replacements import Original
from otel_mas.record import recorder
from otel_mas.replay.active import active
from otel_mas.replay.place import current_place
from otel_mas.replay.session import ReplaySession
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import ReplayOutcome

_OF_MODELS: Final = re.compile(
    r"(/chat/completions|/v\d\w*/(completions|responses|embeddings|messages|rerank)"
    r"|:(generateContent|streamGenerateContent|embedContent|batchEmbedContents)|:predict)$"
)
"""Ends of paths by which the usual protocols ask a model, wherever it is served."""
_GENERAL: Final = ("google", "modal")  # whose patterns have all of their services, storage among them


def send(original: Original) -> Original:
    """`httpx.Client.send`, and httpx2's: the clients of most providers."""

    @functools.wraps(original)
    def send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        refuse_model(str(request.url))
        return original(self, request, *args, **kwargs)

    return send


def asend(original: Original) -> Original:
    """`httpx.AsyncClient.send`."""

    @functools.wraps(original)
    async def asend(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        refuse_model(str(request.url))
        return await original(self, request, *args, **kwargs)

    return asend


def urlopen(original: Original) -> Original:
    """`urllib3.HTTPConnectionPool.urlopen`: requests and botocore."""

    @functools.wraps(original)
    def urlopen(self: Any, method: Any, url: Any, *args: Any, **kwargs: Any) -> Any:
        refuse_model(url if "://" in str(url) else f"{self.scheme}://{self.host}{url}")
        return original(self, method, url, *args, **kwargs)

    return urlopen


def arequest(original: Original) -> Original:
    """`aiohttp.ClientSession._request`."""

    @functools.wraps(original)
    async def arequest(self: Any, method: Any, url: Any, *args: Any, **kwargs: Any) -> Any:
        refuse_model(str(url))
        return await original(self, method, url, *args, **kwargs)

    return arequest


def refuse_model(url: str) -> None:
    """Refuse a request to a model in a replay where nothing is live.

    Raises:
        ReplayMiss: It is one.
    """
    session = active()
    if session is not None and _refuses(session) and asks_model(url):
        parts = urlsplit(url)
        raise _refused(session, f"{parts.scheme}://{parts.hostname}", parts.path)


def asks_model(url: str) -> bool:
    """Whether a URL is one of a model: by its path, or by the host of a provider that prices are known of."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return bool(_OF_MODELS.search(parts.path) or _providers().match(f"https://{host}{parts.path}"))


def _refuses(session: ReplaySession) -> bool:
    """Whether nothing is live, also not by a change: a stub may be a real model."""
    changed = session.counterfactual
    return session.policy.nothing_live and changed.stub is None and not changed.changes


def _refused(session: ReplaySession, host: str, path: str) -> ReplayMiss:
    """The error about a request, which is recorded as a span of its own: it is in none that says what became of it."""
    place = str(current_place().place)
    miss = ReplayMiss(
        f"no recorded answer for a request to {host}{path} in {place}: the app makes it without LangChain, which "
        "no recording can answer; mark its function with @otel_mas.tool and record it anew, or replay with live",
        place=place,
    )
    session.note_miss(miss)
    attributes = {names.SERVER_ADDRESS: host, names.MAS_REPLAY_OUTCOME: ReplayOutcome.MISSED.value}
    span = recorder().start_span(f"POST {path}", attributes, kind=SpanKind.CLIENT)
    recorder().record_exception(span, miss)
    span.end()
    return miss


@cache
def _providers() -> re.Pattern[str]:
    from genai_prices.data import providers

    return re.compile("|".join(f"(?:{one.api_pattern})" for one in providers if one.id not in _GENERAL))


__all__ = ["arequest", "asend", "asks_model", "refuse_model", "send", "urlopen"]
