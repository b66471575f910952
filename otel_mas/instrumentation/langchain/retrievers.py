"""Spans of retrievers, around `BaseRetriever.invoke` and `ainvoke`."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.trace import SpanKind

from otel_mas.instrumentation.langchain.running import Running
from otel_mas.instrumentation.replacements import around
from otel_mas.record import field_of, instance_dict, is_empty, items_of, recorder, text_of
from otel_mas.semconv import attributes as names
from otel_mas.semconv import record_kind
from otel_mas.semconv.enums import Operation

_ATTRIBUTES: Final[dict[str, Any]] = {
    names.MAS_RECORD_KIND: str(record_kind(Operation.RETRIEVAL)),
    names.GEN_AI_OPERATION_NAME: Operation.RETRIEVAL.value,
}
_MAX_READ: Final = 10_000  # documents
# Where vector stores keep the name of what they search.
_COLLECTIONS: Final = ("collection_name", "_collection_name", "index_name", "_index_name", "table_name")


def _begin(retriever: Any, input: Any, *_: Any, **__: Any) -> Running | None:  # noqa: A002
    rec = recorder()
    if not rec.active:
        return None
    name = data_source(retriever)
    attributes = _ATTRIBUTES | {names.GEN_AI_DATA_SOURCE_ID: name}
    if type(count := field_of(field_of(retriever, "search_kwargs"), "k")) is int:
        attributes[names.GEN_AI_RETRIEVAL_TOP_K] = count
    span = rec.start_span(f"retrieval {name}", attributes, kind=SpanKind.CLIENT)
    if span.is_recording():
        rec.content(span, names.GEN_AI_RETRIEVAL_QUERY_TEXT, input)
    return Running(name, span)


def _end(running: Running, error: BaseException | None, result: Any) -> None:
    try:
        if error is None and running.span.is_recording():
            found = items_of(result)
            if found is not None:  # beyond these nothing is kept: each is four values or more
                found[:_MAX_READ] = map(_document, found[:_MAX_READ])
            recorder().content(running.span, names.GEN_AI_RETRIEVAL_DOCUMENTS, result if found is None else found)
    finally:
        running.end(error)


invoke, ainvoke = around(_begin, _end, "langchain: retriever")


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


def _document(document: Any) -> Any:
    fields = instance_dict(document)
    if "page_content" not in fields:
        return document
    document = {"id": fields.get("id"), "content": fields["page_content"], "metadata": fields.get("metadata")}
    return {key: value for key, value in document.items() if key == "content" or not is_empty(value)}


__all__ = ["ainvoke", "data_source", "invoke"]
