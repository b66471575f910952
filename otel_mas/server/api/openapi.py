"""The API's OpenAPI document, made of its endpoints and of the forms of their documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import version
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from otel_mas.report.json.schema import model_of, modelled
from otel_mas.server.api.endpoints import Endpoint, Parameter
from otel_mas.server.api.errors import ErrorDocument
from otel_mas.server.api.stream_events import StreamSpanForm

_SCHEMAS = "#/components/schemas/{model}"
_JSON = "application/json"
_IN_PATHS = {
    "trace_id": "id of a trace, or the unique beginning of one",
    "thread": "`gen_ai.conversation.id`; for LangGraph the `thread_id`",
    "span": "id of a span, the beginning of one, or the label of a task: `researcher#1/model#2`",
}


_STREAM = {
    "operationId": "get_stream",
    "summary": "Live stream: server-sent events of spans, summaries and findings, as apps record.",
    "description": "`span.start` and `span.end` have a StreamSpanForm, `trace` has a TraceForm, `finding` has a "
    "FindingForm with `trace_id`; `heartbeat` comes after 15 seconds of silence; after `reset` a client reads its "
    "document anew. The `id` of an event is a position in the store's log, the same at every server: `Last-Event-ID` "
    "or `cursor` goes on from there. An event may come twice.",
    "parameters": [
        {
            "name": "trace",
            "in": "query",
            "description": "id of a trace; by default all",
            "schema": {"type": "string", "default": "all"},
        },
        {
            "name": "cursor",
            "in": "query",
            "description": "`cursor` of the document that is shown, to go on from there",
            "schema": {"type": "string"},
        },
    ],
    "responses": {
        "200": {
            "description": "events, without end",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        "default": {
            "description": "an error",
            "content": {_JSON: {"schema": {"$ref": _SCHEMAS.format(model="ErrorDocument")}}},
        },
    },
}


def openapi(endpoints: Iterable[tuple[str, Endpoint]]) -> dict[str, Any]:
    """The document. Each endpoint comes with its path below /api/v1."""
    given = list(endpoints)
    models = [model_of(form) for form in dict.fromkeys(_forms(given))]
    _, components = models_json_schema([(one, "serialization") for one in models], ref_template=_SCHEMAS)
    paths: dict[str, Any] = {"/stream": {"get": _STREAM}}
    for path, endpoint in given:
        paths.setdefault(path.replace(":path}", "}"), {})[endpoint.method] = _operation(path, endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "otel-mas",
            "version": version("otel-mas"),
            "description": "Recorded runs of multi-agent apps: what caused what, and why it took so long.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/api/v1"}],
        "paths": paths,
        "components": {"schemas": components.get("$defs", {})},
    }


def _forms(given: Iterable[tuple[str, Endpoint]]) -> Iterator[Any]:
    for _, one in given:
        yield one.form
        if one.body is not None:
            yield one.body
    yield from (ErrorDocument, StreamSpanForm)


def _operation(path: str, endpoint: Endpoint) -> dict[str, Any]:
    posted = {}
    if endpoint.body is not None:
        content = {_JSON: {"schema": _reference(endpoint.body.__name__)}}
        posted["requestBody"] = {"required": True, "content": content}
    return {
        **posted,
        "operationId": _operation_id(path, endpoint.method),
        "summary": endpoint.meaning.partition("\n")[0],
        "parameters": list(_parameters(path, endpoint)),
        "responses": {
            "200": _response("the answer", _reference(endpoint.form.__name__)),
            "304": {"description": "the client has it: `If-None-Match` names its `ETag`"},
            "default": _response("an error", _reference(ErrorDocument.__name__)),
        },
    }


def _operation_id(path: str, method: str) -> str:
    words = path.replace("{", "").replace("}", "").replace(":path", "").replace("-", "_").split("/")
    return "_".join([method, *filter(None, words)])


def _response(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {_JSON: {"schema": schema}}}


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": _SCHEMAS.format(model=name)}


def _parameters(path: str, endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    for part in path.split("/"):
        if part.startswith("{"):
            name = part[1:-1].partition(":")[0]
            schema = {"type": "string"}
            yield {"name": name, "in": "path", "required": True, "description": _IN_PATHS[name], "schema": schema}
    for one in endpoint.parameters.values():
        yield {
            "name": one.name,
            "in": "query",
            "required": one.required,
            "description": one.meaning,
            "schema": _schema(one),
        }


def _schema(one: Parameter) -> dict[str, Any]:
    kinds = TypeAdapter(modelled(one.type)).json_schema()
    kinds = next((kind for kind in kinds.get("anyOf", ()) if kind != {"type": "null"}), kinds)
    return kinds if one.default in (None, (), []) else {**kinds, "default": one.default}


__all__ = ["openapi"]
