"""Text of recordings for version control: a span a line, and what differs from run to run numbered."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from otel_mas.semconv import attributes as names

BEGIN_NS: Final = 1_767_225_600 * 10**9
"""Start of every numbered recording, in nanoseconds since the Unix epoch: 2026-01-01."""
_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}|[0-9a-f]{16}")
_IN_TEXT: Final = re.compile(rf"(?<![0-9a-f.])(?:{_ID.pattern})(?![0-9a-f])")
_FOLDER: Final = re.compile(r'(File \\*")/[^"\\]*/')
"""Folder of a file in a traceback, which is of this machine."""
_ID_FIELDS: Final = ("traceId", "spanId", "parentSpanId")
_MACHINE: Final = {
    *(names.HOST_NAME, "host.arch", "process.command_args", "process.executable.path", "process.owner"),
    *("process.parent_pid", "process.pid", "process.working_directory"),
    *(names.MAS_RUN_ID, names.MAS_STORE_ID, names.SERVICE_INSTANCE_ID, names.OS_TYPE),
}


def numbered(text: str, before: str = "") -> str:
    """OTLP/JSON lines of one span each by start, without what tells the machine.

    Ids are numbered in order of appearance, and the run begins at a fixed instant, so that a diff shows what changed.
    Text of messages, tool calls and results that is no such id stays as it is.

    Args:
        text: the lines of a recording.
        before: the numbered recording that this one takes the place of. Its times stay if both have the same spans.
    """
    lines = [json.loads(line) for line in text.splitlines()]
    lines.sort(key=_start)
    begin = _start(lines[0]) if lines else 0
    ids: set[str] = set()
    for line in lines:
        resource = line["resourceSpans"][0]["resource"]
        resource["attributes"] = [one for one in resource["attributes"] if one["key"] not in _MACHINE]
        span = _span(line)
        span["attributes"] = [one for one in span.get("attributes", ()) if one["key"] != names.SERVER_PORT]
        _shift(line, BEGIN_NS - begin)
        ids.update(_ids(resource), _ids(span))
    numbers: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        known = found.group()
        return numbers.setdefault(known, _form(known, len(numbers) + 1)) if known in ids else known

    written = _FOLDER.sub(r"\1…/", _IN_TEXT.sub(number, _written(lines)))
    return _timed_as(written, before) if before else written


def _written(lines: Iterable[Any]) -> str:
    return "".join(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n" for line in lines)


def _timed_as(text: str, before: str) -> str:
    """The lines with the times of the ones before, where these are of the same spans."""
    lines = [json.loads(line) for line in text.splitlines()]
    try:
        known = [json.loads(line) for line in before.splitlines()]
        same = list(map(_shape, lines)) == list(map(_shape, known))
    except (ValueError, LookupError, TypeError):  # something else, which somebody has written
        same = False
    if not same:
        return text
    for line, one in zip(lines, known, strict=True):
        for here, there in zip(_timed(line), _timed(one), strict=True):
            here.update({name: value for name, value in there.items() if name.endswith("UnixNano")})
    return _written(lines)


def _timed(line: Any) -> list[Any]:
    """The span and its events."""
    return [_span(line), *_span(line).get("events", ())]


def _shape(line: Any) -> Any:
    span = _span(line)
    ids = [span.get(name) for name in _ID_FIELDS]
    return span["name"], ids, [one["name"] for one in span.get("events", ())]


def _ids(described: Any) -> Iterator[str]:
    """Ids in a resource or a span: its own, those of its links, and attributes that are one."""
    for field in (described, *described.get("links", ())):
        yield from (field[name] for name in _ID_FIELDS if field.get(name))
        for attribute in field.get("attributes", ()):
            value = attribute["value"]
            texts = [value, *value.get("arrayValue", {}).get("values", ())]
            yield from (one["stringValue"] for one in texts if _ID.fullmatch(one.get("stringValue", "")))


def _form(known: str, number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}" if "-" in known else f"{number:0{len(known)}x}"


def _span(line: Any) -> Any:
    return line["resourceSpans"][0]["scopeSpans"][0]["spans"][0]


def _start(line: Any) -> int:
    return int(_span(line)["startTimeUnixNano"])


def _shift(value: Any, by_ns: int) -> None:
    if isinstance(value, dict):
        for name, item in value.items():
            if name.endswith("UnixNano"):
                value[name] = str(int(item) + by_ns)
            else:
                _shift(item, by_ns)
    elif isinstance(value, list):
        for item in value:
            _shift(item, by_ns)


__all__ = ["BEGIN_NS", "numbered"]
