"""`otel-mas ship status`: how far each destination is, and what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, TypedDict

import click

from otel_mas.cli.options import json_option, store_option
from otel_mas.cli.output import note, print_json, print_line
from otel_mas.report.forms import form_of

if TYPE_CHECKING:
    from otel_mas.store.log_reader import DestinationStatus, Rejection

_MAX_REJECTIONS = 5
_SHOWN_RATE = 0.05

# The second part of each Annotated is the field's documentation: docs/cli.md is generated from it.


class RejectionForm(TypedDict):
    trace_id: Annotated[str, "of the span that was refused, in hex"]
    span_id: Annotated[str, "the same"]
    name: Annotated[str, "of the span"]
    reason: Annotated[str, "the destination's message, or why it could not be sent"]
    rejected_ns: Annotated[int, "when that was; nanoseconds since the Unix epoch"]


class DestinationForm(TypedDict):
    name: Annotated[str, "kind and address"]
    cursor: Annotated[int, "key of the last span in the log that is dealt with"]
    waiting: Annotated[int, "spans that are still to be shipped"]
    behind_seconds: Annotated[float, "age of the oldest of them"]
    history_waiting: Annotated[int, "spans of before it was named that are still to be shipped (--from-start)"]
    shipped: Annotated[int, "spans that it has taken"]
    spans_per_second: Annotated[float, "spans that it takes, over the last minute"]
    rejected: Annotated[int, "spans that it has refused for good"]
    set_aside: Annotated[int, "those of them that `otel-mas ship retry` can send again, the latest 10,000"]
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


@click.command("status")
@store_option
@json_option
def command(store: str | None, as_json: bool) -> None:
    """Show where the store is shipped to, how far that is, and what went wrong."""
    from otel_mas.config import Settings
    from otel_mas.store.log_reader import LogReader

    path = Settings.from_env(store=store).store
    with closing(LogReader(path)) as log:
        destinations = log.destinations()
    if as_json:
        print_json({"destinations": [destination_form(one) for one in destinations]})
        return
    for one in destinations:
        for line in _lines(one):
            print_line(line)
    if not destinations:
        note(f"{path} is shipped nowhere yet: `otel-mas ship`, or OTEL_MAS_EXPORT=otlp for the app to do it")


def destination_form(one: DestinationStatus) -> DestinationForm:
    """A destination as JSON."""
    return form_of(
        DestinationForm,
        one,
        behind_seconds=round(one.behind_ns / 1e9, 3),
        spans_per_second=round(one.rate, 3),
        rejections=[rejection_form(rejection) for rejection in one.rejections],
        held_back=one.not_consented,
        exported_by_the_app=one.exported_by_app,
    )


def rejection_form(one: Rejection) -> RejectionForm:
    """A span that was refused as JSON."""
    return form_of(RejectionForm, one)


def rejection_line(one: RejectionForm) -> str:
    """A span that was refused, and why."""
    from otel_mas.report.text import plain

    return f"span {one['span_id']} {plain(one['name'])!r} of trace {one['trace_id']}: {plain(one['reason'])}"


def _lines(one: DestinationStatus) -> Iterator[str]:
    from otel_mas.report.text import local_time, plain

    yield one.name
    behind = f", the oldest {one.behind_ns / 1e9:.1f} s old" if one.waiting else ""
    sent = "" if one.sent_ns is None else f"; last at {local_time(one.sent_ns)}"
    yield f"  shipped    {one.shipped}{sent}"
    yield f"  waiting    {one.waiting}{behind}{'' if one.shipping else '; no process ships now'}"
    if one.rate >= _SHOWN_RATE:
        yield f"  rate       {one.rate:.1f} spans a second over the last minute"
    if one.history_waiting:
        yield f"  history    {one.history_waiting} of before it was named"
    for number, line in (
        (one.not_consented, "held back  {} that may not leave"),
        (one.exported_by_app, "elsewhere  {} that the app sends there itself"),
        (one.withheld, "withheld   {} values that are content"),
        (one.rejected, "rejected   {} that it refused"),
        (one.lost, "lost       {} that the store's caps deleted first"),
    ):
        if number:
            yield f"  {line.format(number)}"
    if one.set_aside:
        yield f"  set aside  {one.set_aside} of them: otel-mas ship retry sends them again"
    for span in one.rejections[:_MAX_REJECTIONS]:
        yield f"    {rejection_line(rejection_form(span))}"
    if one.set_aside > _MAX_REJECTIONS:
        yield "    and more: otel-mas ship retry --list"
    if one.error is not None and one.error_ns is not None:
        yield f"  error      {local_time(one.error_ns)}: {plain(one.error)}"
