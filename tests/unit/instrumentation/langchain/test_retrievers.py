"""Retrievers, sync and async, of the app's own and of vector stores."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.vectorstores import VectorStore
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode


class Shelf(BaseRetriever):
    """Finds one document that says which span it was found in."""

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        if query == "fail":
            raise LookupError(query)
        return [Document(trace.get_current_span().name, metadata={"page": 7})]


class Store(VectorStore):
    """Finds as many documents as are wanted."""

    def __init__(self) -> None:
        self._collection_name = "manuals"

    def similarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        return [Document(str(number)) for number in range(k)]

    @classmethod
    def from_texts(cls, *args: Any, **kwargs: Any) -> Store:
        return cls()


def test_a_retrieval_has_query_documents_and_source(recorded: Any) -> None:
    (found,) = Shelf().invoke("what?")
    assert found.page_content == "retrieval Shelf"
    span = recorded.named("retrieval Shelf")
    assert span.kind is SpanKind.CLIENT
    assert dict(span.attributes) == {
        "mas.record.kind": "RETRIEVAL",
        "gen_ai.operation.name": "retrieval",
        "gen_ai.data_source.id": "Shelf",
    }
    assert recorded.content_of(span, "gen_ai.retrieval.query.text") == "what?"
    assert recorded.content_of(span, "gen_ai.retrieval.documents") == [
        {"content": "retrieval Shelf", "metadata": {"page": 7}}
    ]


async def test_an_async_retrieval_runs_inside_its_span(recorded: Any) -> None:
    (found,) = await Shelf(name="books").ainvoke("what?")
    assert found.page_content == "retrieval books"
    assert recorded.named("retrieval books").attributes["gen_ai.data_source.id"] == "books"


def test_a_vector_store_is_called_by_its_collection_and_says_how_much_was_wanted(recorded: Any) -> None:
    assert len(Store().as_retriever(search_kwargs={"k": 2}).invoke("a")) == 2
    span = recorded.named("retrieval manuals")
    assert span.attributes["gen_ai.retrieval.top_k"] == 2
    assert len(recorded.content_of(span, "gen_ai.retrieval.documents")) == 2


def test_a_failed_retrieval_is_an_error(recorded: Any) -> None:
    with pytest.raises(LookupError):
        Shelf().invoke("fail")
    (span,) = recorded.spans
    assert span.status.status_code is StatusCode.ERROR
    assert not trace.get_current_span().get_span_context().is_valid
