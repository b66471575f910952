"""The exception that a recorded call ended with, raised again: of its own class where that is loaded here."""

from __future__ import annotations

import ast
import builtins
import inspect
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from otel_mas.errors import RecordedError
from otel_mas.model import EXCEPTION_EVENT, StatusCode
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from otel_mas.replay.recording import RecordedCall

_HANDLED: Final = "tool_error"
"""`error.type` of a tool that dealt with its exception itself: it returned an answer."""
_STATUS_IN_TEXT: Final = re.compile(r"\b(?:Error code|status code|status)\W{1,3}([45]\d\d)\b", re.IGNORECASE)
_URL: Final = "https://localhost/replayed"


def recorded_exception(call: RecordedCall) -> BaseException | None:
    """The exception that the call ended with; None where it ended with an answer.

    Its class is found by the recorded name among the modules that are loaded, and in packages of which a part is;
    nothing else is imported for a recording's sake. The exception is a `RecordedError` if there is no such class, or it
    does not let itself be made.
    """
    kind = call.span.get(names.ERROR_TYPE)
    if not kind or kind == _HANDLED:
        return None
    if call.span.status is not StatusCode.ERROR and not str(kind).endswith("CancelledError"):
        return None
    message = _message(call)
    found = exception_class(str(kind))
    fields = call.get(names.MAS_ERROR_FIELDS)
    fields = dict(fields) if isinstance(fields, Mapping) else {}
    made = None if found is None else _made(found, message, fields)
    if made is None:
        return RecordedError(str(kind), message)
    for name, value in fields.items():
        if name != "response" and getattr(made, name, None) != value:
            with suppress(Exception):  # a property, or a slot that does not take it
                setattr(made, name, value)
    return made


def _message(call: RecordedCall) -> str:
    found = call.get(names.EXCEPTION_MESSAGE)
    if found is None:
        events = [event for event in call.span.events if event.name == EXCEPTION_EVENT]
        found = events[-1].attributes.get(names.EXCEPTION_MESSAGE) if events else None
    return found if isinstance(found, str) else call.span.status_message


def exception_class(name: str) -> type[BaseException] | None:
    """The exception class of a qualified name; of a name without a module, the built-in one."""
    if "." not in name:
        found = getattr(builtins, name, None)
        return found if _is_exception(found) else None
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        module = _module(".".join(parts[:cut]))
        if module is None:
            continue
        found = module
        for part in parts[cut:]:
            found = getattr(found, part, None)
        if _is_exception(found):
            return found
    return None


def _is_exception(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, BaseException)


def _module(name: str) -> Any:
    module = sys.modules.get(name)
    if module is not None or name.partition(".")[0] not in sys.modules:
        return module
    try:
        return import_module(name)
    except Exception:  # the recorded version of the package had it
        return None


def _made(kind: type[BaseException], message: str, fields: Mapping[str, Any]) -> BaseException | None:
    """An exception of this class whose text is the message; None where it cannot be made."""
    for make in (_of_response, _of_message, _bare):
        try:
            made = make(kind, message, fields)
            if made is not None and str(made) == message:
                return made
        except Exception:  # another signature than this way expects
            continue
    return None


def _of_message(kind: type[BaseException], message: str, _: Mapping[str, Any]) -> BaseException:
    return kind(message)


def _bare(kind: type[BaseException], message: str, _: Mapping[str, Any]) -> BaseException:
    """Without its constructor, which wants what no recording has."""
    made = kind.__new__(kind)
    BaseException.__init__(made, message)
    return made


def _of_response(kind: type[BaseException], message: str, fields: Mapping[str, Any]) -> BaseException | None:
    """Make the error of a client that wants the HTTP response, such as OpenAI's, Anthropic's and httpx's own."""
    wanted = inspect.signature(kind).parameters
    if "response" not in wanted and "request" not in wanted:
        return None
    import httpx

    request, body = httpx.Request("POST", _URL), _body(message)
    given: dict[str, Any] = {}
    if "response" in wanted:
        known = fields.get("response") or {}
        status = known.get("status_code") or getattr(kind, "status_code", None) or _status(message)
        given["response"] = httpx.Response(int(status), headers=known.get("headers") or {}, json=body, request=request)
    if "request" in wanted:
        given["request"] = request
    if "body" in wanted:
        given["body"] = body.get("error", body) if isinstance(body, Mapping) else body
    if "message" in wanted and wanted["message"].kind is not inspect.Parameter.KEYWORD_ONLY:
        return kind(message, **given)
    return kind(**given, **({"message": message} if "message" in wanted else {}))


def _status(message: str) -> int:
    found = _STATUS_IN_TEXT.search(message)
    return int(found[1]) if found else 500


def _body(message: str) -> Any:
    """The body that clients of OpenAI's kind repeat in their message: `Error code: 429 - {...}`."""
    _, _, text = message.partition(" - ")
    try:
        return ast.literal_eval(text) if text.startswith("{") else {}
    except (ValueError, SyntaxError, RecursionError):
        return {}


__all__ = ["exception_class", "recorded_exception"]
