"""Spans of retrievers, around `BaseRetriever.invoke` and `ainvoke`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from opentelemetry.trace import Span, SpanKind

from otel_mas.instrumentation.langchain.running import Running
from otel_mas.record import field_of, guarded, instance_dict, is_empty, items_of, recorder, text_of
from otel_mas.semconv import attributes as names
from otel_mas.semconv import record_kind
from otel_mas.semconv.enums import Operation

Original = Callable[..., Any]

_ATTRIBUTES: Final[dict[str, Any]] = {
    names.MAS_RECORD_KIND: str(record_kind(Operation.RETRIEVAL)),
    names.GEN_AI_OPERATION_NAME: Operation.RETRIEVAL.value,
}
_MAX_READ: Final = 10_000  # documents
# Where vector stores keep the name of what they search.
_COLLECTIONS: Final = ("collection_name", "_collection_name", "index_name", "_index_name", "table_name")


def invoke(original: Original) -> Original:
    """`BaseRetriever.invoke`."""

    @functools.wraps(original)
    def invoke(self: Any, input: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: A002
        running = _begin(self, input) if recorder().active else None
        if running is None:
            return original(self, input, *args, **kwargs)
        try:
            documents = original(self, input, *args, **kwargs)
        except BaseException as error:
            running.end(error)
            raise
        _found(running.span, documents)
        running.end()
        return documents

    return invoke


def ainvoke(original: Original) -> Original:
    """`BaseRetriever.ainvoke`."""

    @functools.wraps(original)
    async def ainvoke(self: Any, input: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: A002
        running = _begin(self, input) if recorder().active else None
        if running is None:
            return await original(self, input, *args, **kwargs)
        try:
            documents = await original(self, input, *args, **kwargs)
        except BaseException as error:
            running.end(error)
            raise
        _found(running.span, documents)
        running.end()
        return documents

    return ainvoke


@guarded("langchain: retriever")
def _begin(retriever: Any, query: Any) -> Running:
    rec = recorder()
    name = data_source(retriever)
    attributes = _ATTRIBUTES | {names.GEN_AI_DATA_SOURCE_ID: name}
    if type(count := field_of(field_of(retriever, "search_kwargs"), "k")) is int:
        attributes[names.GEN_AI_RETRIEVAL_TOP_K] = count
    span = rec.start_span(f"retrieval {name}", attributes, kind=SpanKind.CLIENT)
    if span.is_recording():
        rec.content(span, names.GEN_AI_RETRIEVAL_QUERY_TEXT, query)
    return Running(span)


def data_source(retriever: Any) -> str:
    """Data source: the app's name for it, else the vector store's collection, else the classes' names."""
    name = text_of(field_of(retriever, "name"))
    if name:
        return name
    store = field_of(retriever, "vectorstore")
    if store is None:
        return type(retriever).__name__
    # Read without running the store's properties: those may ask a server.
    collection = next((name for key in _COLLECTIONS if (name := text_of(field_of(store, key)))), None)
    return collection or type(store).__name__


@guarded("langchain: documents")
def _found(span: Span, documents: Any) -> None:
    if span.is_recording():
        found = items_of(documents)
        if found is not None:  # beyond these nothing is kept: each is four values or more
            found[:_MAX_READ] = map(_document, found[:_MAX_READ])
        recorder().content(span, names.GEN_AI_RETRIEVAL_DOCUMENTS, documents if found is None else found)


def _document(document: Any) -> Any:
    fields = instance_dict(document)
    if "page_content" not in fields:
        return document
    document = {"id": fields.get("id"), "content": fields["page_content"], "metadata": fields.get("metadata")}
    return {key: value for key, value in document.items() if not is_empty(value)}


__all__ = ["ainvoke", "data_source", "invoke"]
