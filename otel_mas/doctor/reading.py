"""The places that traces are to be read from: whether they answer, and what they can do."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from otel_mas.doctor import kinds
from otel_mas.doctor.findings import Finding
from otel_mas.doctor.forms import SourceForm
from otel_mas.doctor.words import parted
from otel_mas.errors import OtelMasError
from otel_mas.model import Query
from otel_mas.report.text import duration
from otel_mas.sources import open_source

_RECENT_NS = 3600 * 10**9
_PASSWORD = re.compile(r"(?<=://)[^/]*@")


@dataclass(slots=True)
class Read:
    """What was found."""

    form: SourceForm
    finding: Finding | None


def read(target: str) -> Read:
    """Open a source and ask it for one trace of the last hour."""
    form = blank(target)
    began = time.monotonic()
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
        wrong, remedy = parted(error)
        return Read(form, kinds.SOURCE_FAILS.found(error=wrong, remedy=remedy))
    took_s = time.monotonic() - began
    form["reachable"], form["took_ms"] = True, took_s * 1e3
    return Read(form, kinds.SOURCE_ANSWERS.found(source=form["source"], took=duration(round(took_s * 1e9))))


def blank(target: str) -> SourceForm:
    """Of a source of which nothing is known yet."""
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
