"""Runs exported from LangSmith: what `Client.list_runs` gives, as JSON, one run a line or all in a list, and Parquet
of its bulk exports."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from otel_mas.dialects.control_flow import is_control_flow
from otel_mas.dialects.reading import parsed_json
from otel_mas.model import StatusCode
from otel_mas.semconv import Operation
from otel_mas.semconv import attributes as names
from otel_mas.sources.exports import parquet
from otel_mas.sources.exports.gen_ai import described, is_plain, json_text
from otel_mas.sources.exports.source import ExportSource, beginning, documents
from otel_mas.sources.exports.spans import ExportedEvent, ExportedSpan, iso_ns
from otel_mas.sources.first_object import names_of_first_object

_OPERATIONS: Final = {
    "tool": Operation.EXECUTE_TOOL,
    "retriever": Operation.RETRIEVAL,
    "embedding": Operation.EMBEDDINGS,
}
_THREADS: Final = ("thread_id", "session_id", "conversation_id")
_STRUCTURES: Final = ("inputs", "outputs", "extra", "prompt_token_details", "completion_token_details")
_ERROR_TYPE: Final = re.compile(r"([A-Za-z_][\w.]*)\(")
_COUNTS: Final = {
    "prompt_tokens": names.GEN_AI_USAGE_INPUT_TOKENS,
    "completion_tokens": names.GEN_AI_USAGE_OUTPUT_TOKENS,
}
_DETAILS: Final = {
    ("prompt_token_details", "cache_read"): names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    ("prompt_token_details", "cache_creation"): names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
    ("completion_token_details", "reasoning"): names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
}


class LangSmithFile(ExportSource):
    """Files of LangSmith's runs. The project is the service where its name is there; metadata are attributes."""

    reads: ClassVar[str] = (
        "runs exported from LangSmith: JSON, a list or lines, or Parquet; a file, a folder, a pattern"
    )
    form: ClassVar[str] = "file of LangSmith's runs"
    suffixes: ClassVar[tuple[str, ...]] = (".json", ".jsonl", ".ndjson", ".gz", ".zst", ".parquet")

    @staticmethod
    def is_one(path: Path) -> bool:
        if parquet.has_columns(path, (b"run_type", b"trace_id", b"dotted_order")):
            return True
        found = names_of_first_object(beginning(path).lstrip(b"[ \t\r\n"))
        return {b"id", b"run_type"} <= found and not found.isdisjoint((b"trace_id", b"dotted_order", b"session_id"))

    @classmethod
    def spans(cls, path: Path, problems: list[str]) -> Iterator[ExportedSpan]:
        for document in _documents(path):
            for run in document if isinstance(document, list) else [document]:
                try:
                    yield _span(run)
                except (KeyError, TypeError, ValueError, AttributeError) as error:
                    problems.append(f"leaves out a run that cannot be read: {error!r}")


def _documents(path: Path) -> Iterator[Any]:
    """Runs, or lists of them. In Parquet structures are JSON text."""
    if not parquet.is_parquet(path):
        yield from documents(path)
        return
    for row in parquet.rows(path):
        yield row | {key: parsed_json(row[key]) for key in _STRUCTURES if key in row}


def _span(run: Mapping[str, Any]) -> ExportedSpan:
    extra = run.get("extra") or {}
    metadata = extra.get("metadata") or {}
    error = run.get("error") or ""
    failed = bool(error) and not is_control_flow(error)
    start = iso_ns(run["start_time"])
    end = iso_ns(run["end_time"]) if run.get("end_time") else None
    return ExportedSpan(
        trace_id=str(run.get("trace_id") or run["id"]),
        span_id=str(run["id"]),
        parent_id=run.get("parent_run_id"),
        name=run["name"],
        start_ns=start,
        end_ns=end,
        status=StatusCode.ERROR if failed else StatusCode.UNSET,
        message=_message(error) if failed else "",
        attributes=_attributes(run, metadata),
        events=[_exception(error, start if end is None else end)] if error else (),
        service=run.get("session_name") or metadata.get("LANGSMITH_PROJECT") or "",
    )


def _attributes(run: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    kind, inputs, outputs = run["run_type"], run.get("inputs") or None, run.get("outputs") or None
    operation = _OPERATIONS.get(kind)
    if kind == "llm":
        operation = (
            Operation.CHAT if isinstance(inputs, Mapping) and "messages" in inputs else Operation.TEXT_COMPLETION
        )
    found = {f"langsmith.metadata.{key}": value for key, value in metadata.items() if is_plain(value)}
    found |= {"langsmith.span.kind": kind, **described(operation, run["name"], inputs, outputs)}
    if operation is None:
        found |= {"inputs": json_text(inputs), "outputs": json_text(outputs)}
    if kind == "llm":
        found[names.GEN_AI_REQUEST_MODEL] = metadata.get("ls_model_name")
        found[names.GEN_AI_PROVIDER_NAME] = metadata.get("ls_provider")
        found |= _usage(run) | _cost(run)
    thread = next((metadata[key] for key in _THREADS if metadata.get(key)), None)
    if thread is not None:
        found[names.GEN_AI_CONVERSATION_ID] = str(thread)
    return found


def _usage(run: Mapping[str, Any]) -> dict[str, Any]:
    """Tokens of a call of a model: as LangSmith counted them, or else as the provider told LangChain."""
    found = {named: run[key] for key, named in _COUNTS.items() if isinstance(run.get(key), int) and run[key]}
    for (part, key), named in _DETAILS.items():
        if isinstance(run.get(part), Mapping) and isinstance(run[part].get(key), int):
            found[named] = run[part][key]
    usage = _usage_metadata(run.get("outputs"))
    counts = {names.GEN_AI_USAGE_INPUT_TOKENS: "input_tokens", names.GEN_AI_USAGE_OUTPUT_TOKENS: "output_tokens"}
    return {named: usage[key] for named, key in counts.items() if isinstance(usage.get(key), int)} | found


def _cost(run: Mapping[str, Any]) -> dict[str, Any]:
    """The cost that LangSmith worked out, in US dollars."""
    try:
        cost = float(run.get("total_cost") or 0)
    except (TypeError, ValueError):
        return {}
    return {names.MAS_COST_USD: cost, names.MAS_COST_SOURCE: "LangSmith"} if cost > 0 else {}


def _usage_metadata(outputs: Any) -> Mapping[str, Any]:
    """LangChain's `usage_metadata`: of the outputs, or of the first message among them."""
    while isinstance(outputs, Mapping | list) and outputs:
        if isinstance(outputs, list):
            outputs = outputs[0]
        elif isinstance(outputs.get("usage_metadata"), Mapping):
            found: Mapping[str, Any] = outputs["usage_metadata"]
            return found
        else:
            outputs = next((outputs[key] for key in ("generations", "message", "kwargs") if key in outputs), None)
    return {}


def _exception(error: str, time_ns: int) -> ExportedEvent:
    kind = _ERROR_TYPE.match(error)
    attributes = {names.EXCEPTION_MESSAGE: _message(error), names.EXCEPTION_STACKTRACE: error}
    return ExportedEvent("exception", time_ns, attributes | {names.EXCEPTION_TYPE: kind[1] if kind else None})


def _message(error: str) -> str:
    """The exception, without the traceback that LangSmith puts right behind it."""
    return error.partition("Traceback (most recent call last)")[0].strip() or error.partition("\n")[0]


__all__ = ["LangSmithFile"]
