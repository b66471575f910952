"""`otel-mas ship`: the store's log to a destination, by a process of its own; and how far each destination is."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import click

from otel_mas.cli.options import debug, json_option, parsed_by, store_option
from otel_mas.cli.output import note, print_json, print_line
from otel_mas.report.forms import form_of

if TYPE_CHECKING:
    from otel_mas.shipping import Selection, ShippingLoop
    from otel_mas.store.log_reader import DestinationStatus

_TIMEOUT_S = 30.0
_MAX_REJECTIONS = 5
_PREFIX = "OTEL_EXPORTER_OTLP_"

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


def _hex(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and (not value or set(value.lower()) - set("0123456789abcdef")):
        raise click.BadParameter(f"{value!r} is no trace id, nor the beginning of one: hex digits.", ctx, param)
    return value


@click.group("ship", invoke_without_command=True)
@click.option(
    "--to",
    "wanted",
    metavar="NAME[:TARGET]",
    default="otlp",
    show_default=True,
    help="otlp, file:PATH, or another.",
)
@click.option("--endpoint", metavar="URL", help="OTLP endpoint. [default: $OTEL_EXPORTER_OTLP_ENDPOINT]")
@click.option(
    "--protocol",
    type=click.Choice(["grpc", "http/protobuf"]),
    help="OTLP protocol. [default: $OTEL_EXPORTER_OTLP_PROTOCOL]",
)
@click.option("--once/--follow", default=False, help="End when all is shipped, or wait for more. [default: --follow]")
@click.option("--from-start", is_flag=True, help="Also ship spans from before the first use of this destination.")
@click.option(
    "--again",
    "resend",
    is_flag=True,
    help="Send spans again that it has acknowledged, and end. Needs one of the next three.",
)
@click.option("--since", metavar="TIME", callback=parsed_by("instant_ns"), help="With --again: spans that ended since.")
@click.option(
    "--until", metavar="TIME", callback=parsed_by("instant_ns"), help="With --again: spans that began by then."
)
@click.option(
    "--trace", metavar="ID", callback=_hex, help="With --again: spans of this trace; its first digits will do."
)
@store_option
@debug
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    """Ship recorded spans to an OTLP endpoint: a Collector, Jaeger, Tempo.

    It continues at the destination's cursor. Several may run at once: one of them ships. Content, and spans that were
    not sampled, stay on this machine. Endpoint, headers and certificates come from the standard OTEL_EXPORTER_OTLP_*
    variables.

    A backend that has lost spans gets them again with --again: `otel-mas ship --again --since 2h`. Neither the cursor
    nor the counts change. A backend that still has the spans may show them twice.
    """
    if ctx.invoked_subcommand is None:
        _ship(**options)


@command.command("status")
@store_option
@json_option
def status(store: str | None, as_json: bool) -> None:
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
        rejections=[form_of(RejectionForm, rejection) for rejection in one.rejections],
        held_back=one.not_consented,
        exported_by_the_app=one.exported_by_app,
    )


def _lines(one: DestinationStatus) -> Iterator[str]:
    from otel_mas.report.text import local_time, plain

    yield one.name
    behind = f", the oldest {one.behind_ns / 1e9:.1f} s old" if one.waiting else ""
    sent = "" if one.sent_ns is None else f"; last at {local_time(one.sent_ns)}"
    yield f"  shipped    {one.shipped}{sent}"
    yield f"  waiting    {one.waiting}{behind}{'' if one.shipping else '; no process ships now'}"
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
    for span in one.rejections[:_MAX_REJECTIONS]:
        yield f"    span {span.span_id} {plain(span.name)!r} of trace {span.trace_id}: {plain(span.reason)}"
    if len(one.rejections) > _MAX_REJECTIONS:
        yield "    and more: otel-mas ship status --json"
    if one.error is not None and one.error_ns is not None:
        yield f"  error      {local_time(one.error_ns)}: {plain(one.error)}"


def _ship(
    wanted: str,
    endpoint: str | None,
    protocol: str | None,
    once: bool,
    from_start: bool,
    resend: bool,
    store: str | None,
    **chosen: str | None,
) -> None:
    from otel_mas.config import Settings
    from otel_mas.errors import DestinationError
    from otel_mas.shipping import Resend, Shipper, ShippingLoop, open_destination
    from otel_mas.store.log import Log

    if resend is not any(chosen.values()):
        raise click.UsageError("--again needs --since, --until or --trace, and they need --again.")
    if resend and from_start:
        raise click.UsageError("--again sends what was shipped, --from-start what never was: give one of them.")

    if endpoint is not None:
        if wanted != "otlp":
            raise click.UsageError("--endpoint is of --to otlp: give one or the other.")
        wanted = f"otlp:{endpoint}"
    settings = Settings.from_env(store=store)
    destination = open_destination(wanted, settings, _environ(protocol))
    log = Resend(settings.store, _selection(**chosen)) if resend else Log(settings.store)
    shipper = Shipper(log, destination, content=settings.shipped_content)
    loop = ShippingLoop(shipper, on_waiting=lambda reason: note(f"waits: {reason}"))
    try:
        behind = None if resend else log.add(destination.name, from_start=from_start)
        if behind:
            note(f"{destination.name} is new here: {behind} spans of before stay, unless you say --from-start")
        reason = _until_done(loop, once or resend)
        note(f"{'sent again' if resend else 'shipped'} {loop.shipped} spans to {destination.name}")
        if reason is not None:
            raise DestinationError(f"spans wait for {destination.name}: {reason}")
    finally:
        shipper.close()
        log.close()


def _selection(since: str | None, until: str | None, trace: str | None) -> Selection:
    from otel_mas.api.when import instant_ns
    from otel_mas.shipping import Selection

    given = {"since_ns": since and instant_ns(since), "until_ns": until and instant_ns(until), "trace": trace}
    return Selection(**{name: value for name, value in given.items() if value})  # type: ignore[arg-type]


def _until_done(loop: ShippingLoop, once: bool) -> str | None:
    """Ship until it is done or interrupted; a batch under way is finished."""
    handlers: dict[signal.Signals, Any] = {}

    def interrupted(*_: object) -> None:
        loop.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        handlers[number] = signal.signal(number, interrupted)
    try:
        if once:
            return loop.run_until_empty(_TIMEOUT_S)
        loop.run()
        return None
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _environ(protocol: str | None) -> dict[str, str]:
    environ = dict(os.environ)
    if protocol is not None:
        environ[f"{_PREFIX}TRACES_PROTOCOL"] = protocol
    return environ
