"""An exception's text, and the span that it comes from, which it carries on its way up."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_mas.record.content.fields import field_of, instance_dict
from otel_mas.record.sdk.lazy_span import LazySpan

if TYPE_CHECKING:
    from opentelemetry.trace import Span

_TRAIL = "__otel_mas_error__"
_PLAIN = frozenset((str, int, float, bool, list, dict))
_HEADERS = ("retry-after", "x-ratelimit-", "x-should-retry", "x-request-id", "request-id")


class _Trail(NamedTuple):
    """The span that an exception comes from, and how far up it has come."""

    trace_id: int
    span_id: int
    start: int  # of that span, in nanoseconds since the Unix epoch
    reached: int  # the id of the last span that it left
    above: int | None  # the id of that one's parent
    causes: tuple[int, ...]  # the ids of its callers, which the exception may reach though they are its siblings


def error_type(exc: BaseException) -> str:
    """The class of an exception, with its module unless that is `builtins`."""
    kind = type(exc)
    module = kind.__module__
    return f"{module}.{kind.__qualname__}" if isinstance(module, str) and module != "builtins" else kind.__qualname__


def describe(exc: BaseException) -> tuple[str, str]:
    """An exception's message and stack. Its own `__str__` may raise anything, `SystemExit` too, which ends here."""
    try:
        message = str(exc)
    except BaseException:
        message = "(its message could not be read)"
    try:
        stack = "".join(traceback.format_exception(exc))
    except BaseException:
        stack = ""
    return message, stack


def error_fields(exc: BaseException) -> dict[str, Any]:
    """The plain fields of an exception, by reference; of an HTTP response's, status and the headers about waiting.

    Retries decide by them. Read without running code of the exception's class.
    """
    own = instance_dict(exc)
    found = {name: value for name, value in own.items() if type(value) in _PLAIN and not name.startswith("_")}
    response = own.get("response")
    status = field_of(response, "status_code")
    if type(status) is int:
        listed = field_of(field_of(response, "headers"), "_list")
        pairs = [pair for pair in listed if len(pair) == 3] if type(listed) is list else []
        headers = {_header(name): _header(value) for _, name, value in pairs if type(name) is type(value) is bytes}
        kept = {name: value for name, value in headers.items() if name.startswith(_HEADERS)}
        found["response"] = {"status_code": status, "headers": kept}
    return found


def _header(text: bytes) -> str:
    return text.decode("latin-1")


def mark_origin(exc: BaseException, span: Span) -> None:
    """Have the exception carry `span` as its origin."""
    context = span.get_span_context()
    _carry(exc, _Trail(*context[:2], _start(span), context.span_id, _parent(span), _causes(span)))


def origin(exc: BaseException, span: Span) -> str | None:
    """The span that `exc` comes from, as `traceid-spanid`, if that is a descendant of `span`.

    The same object may be raised again elsewhere (a retry, a constant, a sibling in parallel). So a descendant is in
    the same trace, starts not before its ancestor, and the last span that the exception left is no sibling of an
    ancestor, unless that one called it.
    """
    trail = _carried(exc)
    if trail is None:
        return None
    trace_id, span_id = span.get_span_context()[:2]
    if trail.trace_id != trace_id or trail.span_id == span_id or trail.start < _start(span):
        return None
    if trail.reached != span_id:
        above = _parent(span)
        if above is not None and above == trail.above and span_id not in trail.causes:
            return None
        _carry(exc, trail._replace(reached=span_id, above=above, causes=_causes(span)))
    return f"{trail.trace_id:032x}-{trail.span_id:016x}"


# Not by `getattr` and `setattr`, which an exception's class may answer itself.


def _carried(exc: BaseException) -> _Trail | None:
    try:
        return _Trail(*BaseException.__getattribute__(exc, _TRAIL))
    except (AttributeError, TypeError):
        return None


def _carry(exc: BaseException, trail: _Trail) -> None:
    # Nothing of ours: the exception may be unpickled where otel-mas is not.
    BaseException.__setattr__(exc, _TRAIL, tuple(trail))


def _start(span: Span) -> int:
    return getattr(span, "start_time", None) or 0


def _parent(span: Any) -> int | None:
    parent = getattr(span, "parent", None)
    return None if parent is None else parent.span_id


def _causes(span: Any) -> tuple[int, ...]:
    if isinstance(span, LazySpan) and not span.materialized:
        return tuple(context.span_id for context, _ in span.causes)
    return tuple(link.context.span_id for link in getattr(span, "links", None) or ())


__all__ = ["describe", "error_fields", "error_type", "mark_origin", "origin"]
