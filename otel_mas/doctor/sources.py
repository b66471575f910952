"""Places that traces are read from: whether they answer, and what they can do."""

from __future__ import annotations

import re
import time

from otel_mas.doctor.findings import Finding, finding
from otel_mas.doctor.forms import SourceForm
from otel_mas.errors import OtelMasError
from otel_mas.model import Query
from otel_mas.report.text import duration
from otel_mas.sources import open_source

_RECENT_NS = 3600 * 10**9
_PASSWORD = re.compile(r"(?<=://)[^/]*@")
_STATUS = re.compile(r"\(\d{3}\)$")


def check_source(target: str) -> tuple[SourceForm, Finding]:
    """Open a source and ask it for one trace of the last hour."""
    form = empty_form(target)
    start = time.monotonic()
    try:
        source = open_source(target)
        try:
            can = source.capabilities
            form["filters"] = sorted(can.filters)
            form["id_prefixes"], form["conversations"] = can.id_prefixes, can.conversations
            form["content"], form["runs"] = can.content, can.runs
            since_ns = time.time_ns() - _RECENT_NS if "since_ns" in can.filters else None
            source.traces(Query(limit=1, since_ns=since_ns))
        finally:
            source.close()
    except OtelMasError as error:
        message, advice = message_and_advice(error)
        return form, finding("source-fails", error=message, advice=advice)
    took_s = time.monotonic() - start
    form["reachable"], form["took_ms"] = True, took_s * 1e3
    return form, finding("source-answers", source=form["source"], took=duration(round(took_s * 1e9)))


def empty_form(target: str) -> SourceForm:
    """The form of a source that has not answered."""
    return {
        "source": _PASSWORD.sub("***@", target),
        "reachable": False,
        "took_ms": None,
        "filters": [],
        "id_prefixes": False,
        "conversations": False,
        "content": False,
        "runs": False,
    }


def message_and_advice(error: Exception) -> tuple[str, str]:
    """An error's message and its advice: after a colon, or after a semicolon behind a server's own message."""
    message = " ".join(str(error).split()) or type(error).__name__
    wrong, mark, advice = message.partition(": ")
    if mark and _STATUS.search(wrong):
        wrong, mark, advice = message.partition("; ")
    return wrong, advice
