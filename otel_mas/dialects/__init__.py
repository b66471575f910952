"""Spans of other instrumentation in one vocabulary: agents, tasks, models, tools, retrievers, messages, usage.

One module for each dialect, with `MARKERS`, of which each of its spans has one at least; `structure`, the span in our
names without content; `content`, content other than messages; and `messages`. A span may be in several dialects: for
each name the first in `_DIALECTS` that knows it counts. The attributes themselves stay as they came. docs/dialects.md
says what is read of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from otel_mas.dialects import gen_ai, openinference
from otel_mas.dialects.control_flow import is_no_error, outcome
from otel_mas.dialects.messages import ROLES, Body, message_of, with_arguments
from otel_mas.dialects.reading import Attributes, ForeignSpan, count, first
from otel_mas.semconv import Operation, RecordKind, record_kind
from otel_mas.semconv import attributes as names

OWN_SCOPE: Final = "otel_mas"
"""Name of the instrumentation scope of spans that we record."""

_OURS: Final = ("langchain", "langgraph")
"""Parts of the names of scopes whose spans tell of what we record."""
_DIALECTS: Final = (
    "koog",
    "crewai",
    "vercel",
    "google_adk",
    "logfire",
    "mlflow",
    "langsmith",
    "openllmetry",
    "openinference",
    "datadog",
    "langfuse",
    "otel_langchain",
    "gen_ai",
)
"""Modules, the most special first: what several say, the first counts."""


@cache
def _modules() -> tuple[ModuleType, ...]:
    return tuple(import_module(f"{__name__}.{name}") for name in _DIALECTS)


MARKERS: Final = frozenset(name for module in _modules() for name in module.MARKERS)
"""Names of attributes of which a span has one if it is in any dialect."""
DERIVED: Final = frozenset(
    {names.MAS_TASK_TRIGGERS, names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, names.MAS_COST_SOURCE}
)
"""Names that a translation may give, and that are no columns."""
_COMMAND: Final = {"graph", "update", "resume", "goto"}
"""Fields of LangGraph's `Command`."""
_WITHOUT_MESSAGES: Final = frozenset({RecordKind.TOOL_CALL, RecordKind.RETRIEVAL})
_EMPTY: Final = (None, "", "{}", "null")
"""Content that stands for none."""
_PLAIN_KINDS: Final[Mapping[object, str]] = {
    operation.value: kind.value
    for operation in Operation
    if (kind := record_kind(operation)) in (RecordKind.LLM_CALL, RecordKind.TOOL_CALL, RecordKind.RETRIEVAL)
}
_PLAIN: Final = frozenset(
    {
        names.GEN_AI_OPERATION_NAME,
        names.GEN_AI_PROVIDER_NAME,
        names.GEN_AI_REQUEST_MODEL,
        names.GEN_AI_AGENT_NAME,
        names.GEN_AI_TOOL_NAME,
    }
)
NOT_PLAIN: Final = (MARKERS - _PLAIN) | gen_ai.OLDER_TOKENS | {names.SESSION_ID}
"""Names of which one tells that a span says more than the conventions have now."""
TOTALS: Final = (*gen_ai.TOTALS, openinference.TOTAL)
COUNTS: Final = frozenset(
    (*TOTALS, *openinference.TOKENS, *(older for names_of in gen_ai.TOKENS.values() for older in names_of))
)
"""Names of counts of tokens in dialects."""
MESSAGE_PREFIXES: Final = (*gen_ai.PREFIXES.values(), *openinference.PREFIXES.values())
"""Beginnings of the names that hold a message each, or a piece of one."""


def translated(span: ForeignSpan) -> dict[str, Any]:
    """The attributes of a span in our names, without content: those that it does not have itself, or has otherwise.

    A value of None says that the span has none such, whatever its own attributes say: of `error.type`, that its status
    ERROR is control flow. Empty for a span in no dialect, and for one that says its `mas.record.kind`.
    """
    found: dict[str, Any] = {}
    if names.MAS_RECORD_KIND in span.attributes:
        return found
    for dialect in _of(span.attributes):
        found = {**dialect.structure(span), **found}
    if found.get(names.MAS_RECORD_KIND) == RecordKind.AGENT_TASK and span.span_id:
        _make_task(found, span)
    if span.failed and is_no_error(span):
        found[names.ERROR_TYPE] = None
    return found


def _make_task(found: dict[str, Any], span: ForeignSpan) -> None:
    """Name an agent's or a node's work as a task of its own, where its framework has no id for it."""
    if found.setdefault(names.MAS_TASK_ID, span.span_id) == span.span_id:
        agent = found.get(names.GEN_AI_AGENT_NAME) or span.attributes.get(names.GEN_AI_AGENT_NAME)
        found.setdefault(names.MAS_TASK_NAME, str(agent or span.name))
        found.setdefault(names.MAS_TASK_OUTCOME, outcome(span).value)


def translated_beside_ours(span: ForeignSpan, scope: str) -> dict[str, Any]:
    """As `translated`, of a span from a process in which we record, too: our own spans tell of what we record.

    So LangChain's and LangGraph's spans stay what they are, and calls of models are none that are counted.

    Args:
        scope: name of its instrumentation scope.
    """
    if any(framework in scope for framework in _OURS):
        return {}
    found = translated(span)
    if is_model_call(found):
        del found[names.MAS_RECORD_KIND]
    return found


def contents(span: ForeignSpan) -> dict[str, Any]:
    """Content of a span other than messages in our names: arguments and result of a tool, query and documents,
    and the input and result of a task."""
    found: dict[str, Any] = {}
    for dialect in _of(span.attributes):
        for name, value in dialect.content(span).items():
            if value is not None and span.attributes.get(name) in _EMPTY:
                found.setdefault(name, value)
    return found or _of_task(span)


def _of_task(span: ForeignSpan) -> dict[str, Any]:
    """Input of a task of LangGraph, and its result where that is no update of the state."""
    if names.MAS_TASK_ID not in translated(span):
        return {}
    given, result = _task_value(span, "input"), _task_value(span, "output")
    found = {names.MAS_TASK_INPUT: given, names.MAS_TASK_RESULT: None if isinstance(result, Mapping) else result}
    return {name: value for name, value in found.items() if value and isinstance(value, Mapping | list)}


def state_writes(span: ForeignSpan) -> Mapping[str, Any]:
    """Values that a task of LangGraph wrote to the state, by channel: its result, or the update of its `Command`.

    Empty for any other span.
    """
    if names.MAS_TASK_ID not in translated(span):
        return {}
    result = _task_value(span, "output")
    if isinstance(result, Mapping) and result.keys() == _COMMAND:
        result = result["update"]
    return result if isinstance(result, Mapping) else {}


def _task_value(span: ForeignSpan, side: str) -> Any:
    """The input or the output of a task, as JSON has it; None where it has none."""
    values = (one.value(span, side) for one in _of(span.attributes) if hasattr(one, "value"))
    return next((value for value in values if value is not None), None)


def foreign_messages(side: str, span: ForeignSpan) -> list[Body]:
    """The messages that a span consumed (`input`) or produced (`output`): role and parts, in order.

    Of several dialects the one that has messages in the words of the conventions counts. A tool or a retriever has
    arguments and results, and no messages.
    """
    kind = span.attributes.get(names.MAS_RECORD_KIND) or translated(span).get(names.MAS_RECORD_KIND)
    if kind in _WITHOUT_MESSAGES:
        return []
    for dialect in (gen_ai, *_modules()):
        if found := dialect.messages(span, side):
            return [with_arguments(message_of(one, ROLES[side])) for one in found]
    return []


def plain_kind(known: frozenset[str], operation: object) -> str | None:
    """The record kind of a call in the conventions as they are now, which needs no other translation; else None.

    Args:
        known: the names of its attributes, as far as they are in `MARKERS` or `NOT_PLAIN`.
        operation: its `gen_ai.operation.name`.
    """
    if operation not in _PLAIN_KINDS or not known.isdisjoint(NOT_PLAIN):
        return None
    return _PLAIN_KINDS[operation]


def is_control_flow(translation: Attributes) -> bool:
    """Whether a span's status ERROR is no error, by its translation."""
    return names.ERROR_TYPE in translation and translation[names.ERROR_TYPE] is None


def total_tokens(attributes: Attributes) -> int | None:
    """The total of a model call's tokens, where its span has one."""
    return count(first(attributes, TOTALS))


def is_model_call(translation: Attributes) -> bool:
    """Whether a translated span is a call of a model."""
    return translation.get(names.MAS_RECORD_KIND) == RecordKind.LLM_CALL


def _of(attributes: Attributes) -> tuple[ModuleType, ...]:
    """The dialects that a span is in, the most special first."""
    return _with_markers(MARKERS.intersection(attributes))


@lru_cache(1024)
def _with_markers(markers: frozenset[str]) -> tuple[ModuleType, ...]:
    return tuple(module for module in _modules() if not module.MARKERS.isdisjoint(markers))


__all__ = [
    "COUNTS",
    "DERIVED",
    "MARKERS",
    "MESSAGE_PREFIXES",
    "NOT_PLAIN",
    "OWN_SCOPE",
    "TOTALS",
    "ForeignSpan",
    "contents",
    "foreign_messages",
    "is_control_flow",
    "is_model_call",
    "plain_kind",
    "state_writes",
    "total_tokens",
    "translated",
    "translated_beside_ours",
]
