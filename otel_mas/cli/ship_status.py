"""`otel-mas ship status`: how far each destination is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, TypedDict

from otel_mas.cli.output import note, print_json, say
from otel_mas.config import Settings
from otel_mas.model.instants import instant
from otel_mas.store.log_reader import DestinationStatus, LogReader

_REJECTIONS_SHOWN = 5

# The second part of each Annotated is the field's documentation: docs/cli.md is generated from it.


class RejectionForm(TypedDict):
    trace_id: Annotated[str, "of the span that was refused, in hex"]
    span_id: Annotated[str, "the same"]
    name: Annotated[str, "of the span"]
    reason: Annotated[str, "what the destination said, or why it could not be sent"]
    rejected_ns: Annotated[int, "when that was; nanoseconds since the Unix epoch"]


class DestinationForm(TypedDict):
    name: Annotated[str, "kind and address"]
    cursor: Annotated[int, "key of the last span in the log that is dealt with"]
    waiting: Annotated[int, "spans that are still to be shipped"]
    behind_seconds: Annotated[float, "age of the oldest of them"]
    history_waiting: Annotated[int, "spans of before it was named that are still to be shipped (--from-start)"]
    shipped: Annotated[int, "spans that it has taken"]
    rejected: Annotated[int, "spans that it has refused for good"]
    rejections: Annotated[list[RejectionForm], "the latest 100 of them, the last one first"]
    held_back: Annotated[int, "spans that may not leave: not sampled, or imported"]
    exported_by_the_app: Annotated[int, "spans that the app sends there itself"]
    withheld: Annotated[int, "values that were taken out of spans because they are content"]
    lost: Annotated[int, "spans that the store's caps deleted before they were shipped"]
    added_ns: Annotated[int, "when it was first named; nanoseconds since the Unix epoch"]
    sent_ns: Annotated[int | None, "when it last took something; null where it never did"]
    error: Annotated[str | None, "what went wrong since"]
    error_ns: Annotated[int | None, "when that was"]
    shipping: Annotated[bool, "a process is shipping to it now"]


class DestinationsDocument(TypedDict):
    destinations: Annotated[list[DestinationForm], "in the order in which they were first named"]


def show(store: str | None, as_json: bool) -> None:
    """Print what there is to say of every destination."""
    path = Settings.from_env(store=store).store
    reader = LogReader(path)
    try:
        found = reader.destinations()
    finally:
        reader.close()
    if as_json:
        print_json(DestinationsDocument(destinations=[form(one) for one in found]))
        return
    for one in found:
        for line in _lines(one):
            say(line)
    if not found:
        note(f"{path} is shipped nowhere yet: `otel-mas ship`, or OTEL_MAS_EXPORT=otlp for the app to do it")


def form(one: DestinationStatus) -> DestinationForm:
    """A destination as JSON."""
    return DestinationForm(
        name=one.name,
        cursor=one.cursor,
        waiting=one.waiting,
        behind_seconds=round(one.behind_ns / 1e9, 3),
        history_waiting=one.history_waiting,
        shipped=one.shipped,
        rejected=one.rejected,
        rejections=[
            RejectionForm(
                trace_id=span.trace_id,
                span_id=span.span_id,
                name=span.name,
                reason=span.reason,
                rejected_ns=span.rejected_ns,
            )
            for span in one.rejections
        ],
        held_back=one.not_consented,
        exported_by_the_app=one.exported_by_app,
        withheld=one.withheld,
        lost=one.lost,
        added_ns=one.added_ns,
        sent_ns=one.sent_ns,
        error=one.error,
        error_ns=one.error_ns,
        shipping=one.shipping,
    )


def _lines(one: DestinationStatus) -> Iterator[str]:
    from otel_mas.report.text import plain

    yield one.name
    behind = f", the oldest {one.behind_ns / 1e9:.1f} s old" if one.waiting else ""
    sent = "" if one.sent_ns is None else f"; last at {_when(one.sent_ns)}"
    yield f"  shipped    {one.shipped}{sent}"
    yield f"  waiting    {one.waiting}{behind}{'' if one.shipping else '; nobody ships now'}"
    if one.history_waiting:
        yield f"  history    {one.history_waiting} of before it was named"
    for number, what in (
        (one.not_consented, "held back  {} that may not leave"),
        (one.exported_by_app, "elsewhere  {} that the app sends there itself"),
        (one.withheld, "withheld   {} values that are content"),
        (one.rejected, "rejected   {} that it refused"),
        (one.lost, "lost       {} that the store's caps deleted first"),
    ):
        if number:
            yield f"  {what.format(number)}"
    for span in one.rejections[:_REJECTIONS_SHOWN]:
        yield f"    span {span.span_id} {plain(span.name)!r} of trace {span.trace_id}: {plain(span.reason)}"
    if len(one.rejections) > _REJECTIONS_SHOWN:
        yield "    and more: otel-mas ship status --json"
    if one.error is not None and one.error_ns is not None:
        yield f"  error      {_when(one.error_ns)}: {plain(one.error)}"


def _when(time_ns: int) -> str:
    return instant(time_ns).isoformat(" ")
