"""Retrievers in a replay: LangChain's own code asks a copy of the retriever that is answered from the recording."""

from __future__ import annotations

import functools
from typing import Any

from opentelemetry.trace import get_current_span

from otel_mas.instrumentation.langchain.retrievers import data_source
from otel_mas.instrumentation.replacements import Original
from otel_mas.record import snapshot
from otel_mas.replay import answers
from otel_mas.replay.active import answered_copy, session_for
from otel_mas.replay.recording import CallKind, RecordedCall
from otel_mas.replay.request import Request
from otel_mas.replay.session import ReplaySession


def invoke(original: Original) -> Original:
    """`BaseRetriever.invoke`."""

    @functools.wraps(original)
    def invoke(self: Any, *args: Any, **kwargs: Any) -> Any:
        return original(_answered(self), *args, **kwargs)

    return invoke


def ainvoke(original: Original) -> Original:
    """`BaseRetriever.ainvoke`."""

    @functools.wraps(original)
    async def ainvoke(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await original(_answered(self), *args, **kwargs)

    return ainvoke


def _answered(retriever: Any) -> Any:
    """A copy of the retriever that is answered by the replay; the retriever itself where there is none."""
    session = session_for(retriever)
    if session is None:
        return retriever
    asked = _Asked(retriever, session)
    methods = {"_get_relevant_documents": asked.documents, "_aget_relevant_documents": asked.adocuments}
    return answered_copy(retriever, methods)


class _Asked:
    """Queries to a retriever in a replay."""

    def __init__(self, retriever: Any, session: ReplaySession) -> None:
        self._retriever = retriever
        self._session = session

    def documents(self, query: Any, **kwargs: Any) -> Any:
        call = self._ask(query)
        if call is None:
            return self._retriever._get_relevant_documents(query, **kwargs)
        self._session.take_time(call)
        return answers.documents(call)

    async def adocuments(self, query: Any, **kwargs: Any) -> Any:
        call = self._ask(query)
        if call is None:
            return await self._retriever._aget_relevant_documents(query, **kwargs)
        await self._session.atake_time(call)
        return answers.documents(call)

    def _ask(self, query: Any) -> RecordedCall | None:
        name = data_source(self._retriever)
        head = {"retriever": name, "query": snapshot(query)[0]}
        request = Request(head, (), self._session.normaliser)
        return self._session.answer(CallKind.RETRIEVER, name, request, get_current_span()).call


__all__ = ["ainvoke", "invoke"]
