"""`otel-mas ship`: the store's log to a destination, by a process of its own."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import click

from otel_mas.cli.options import answering, debug, place, readable
from otel_mas.cli.output import note

if TYPE_CHECKING:
    from otel_mas.shipping import Selection, ShippingLoop

_PATIENCE_S = 30.0
_PREFIX = "OTEL_EXPORTER_OTLP_"


def _hex(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and (not value or set(value.lower()) - set("0123456789abcdef")):
        raise click.BadParameter(f"{value!r} is no trace id, nor the beginning of one: hex digits.", ctx, param)
    return value


@click.group("ship", invoke_without_command=True)
@click.option(
    "--to", "wanted", metavar="NAME[:TARGET]", default="otlp", show_default=True, help="otlp, or file:PATH, or another."
)
@click.option("--endpoint", metavar="URL", help="Of OTLP. [default: $OTEL_EXPORTER_OTLP_ENDPOINT]")
@click.option("--protocol", type=click.Choice(["grpc", "http/protobuf"]), help="Of OTLP.")
@click.option("--once/--follow", default=False, help="End when all is shipped, or wait for more. [default: --follow]")
@click.option("--from-start", is_flag=True, help="Also what was recorded before this destination was first named.")
@click.option(
    "--again", is_flag=True, help="Send again what it has taken before, and end. Needs one of the next three."
)
@click.option("--since", metavar="TIME", callback=readable("instant_ns"), help="With --again: spans that ended since.")
@click.option(
    "--until", metavar="TIME", callback=readable("instant_ns"), help="With --again: spans that began by then."
)
@click.option(
    "--trace", metavar="ID", callback=_hex, help="With --again: spans of this trace; its first digits will do."
)
@place
@debug
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    """Ship what is recorded to an OTLP endpoint: a Collector, Jaeger, Tempo.

    It goes on where it ended the last time, and several may run at once: one of them ships. What may not leave this
    machine stays: content, and spans that were not sampled. Address, headers and certificates come from the standard
    OTEL_EXPORTER_OTLP_* variables.

    A backend that has lost what it took gets it again with --again: `otel-mas ship --again --since 2h`. What is shipped
    otherwise, and what is counted, stays the same. A backend that has the spans still may show them twice.
    """
    if ctx.invoked_subcommand is None:
        _ship(**options)


@command.command("status")
@place
@answering
def status(store: str | None, as_json: bool) -> None:
    """Show where the store is shipped to, how far that is, and what went wrong."""
    from otel_mas.cli import ship_status

    ship_status.show(store, as_json)


def _ship(
    wanted: str,
    endpoint: str | None,
    protocol: str | None,
    once: bool,
    from_start: bool,
    again: bool,
    store: str | None,
    **chosen: str | None,
) -> None:
    from otel_mas.config import Settings
    from otel_mas.errors import DestinationError
    from otel_mas.shipping import Resend, Shipper, ShippingLoop, open_destination
    from otel_mas.store.log import Log

    if again is not any(chosen.values()):
        raise click.UsageError("--again needs --since, --until or --trace, and they need --again.")
    if again and from_start:
        raise click.UsageError("--again sends what was shipped, --from-start what never was: give one of them.")

    if endpoint is not None:
        if wanted != "otlp":
            raise click.UsageError("--endpoint is of --to otlp: give one or the other.")
        wanted = f"otlp:{endpoint}"
    settings = Settings.from_env(store=store)
    destination = open_destination(wanted, settings, _environ(protocol))
    log = Resend(settings.store, _selection(**chosen)) if again else Log(settings.store)
    shipper = Shipper(log, destination, content=settings.shipped_content)
    loop = ShippingLoop(shipper, on_waiting=lambda reason: note(f"waits: {reason}"))
    try:
        behind = None if again else log.add(destination.name, from_start=from_start)
        if behind:
            note(f"{destination.name} is new here: {behind} spans of before stay, unless you say --from-start")
        reason = _until_done(loop, once or again)
        note(f"{'sent again' if again else 'shipped'} {loop.shipped} spans to {destination.name}")
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
    """Ships until it is done or interrupted; what is under way then is finished."""
    before: dict[signal.Signals, Any] = {}

    def interrupted(*_: object) -> None:
        loop.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, interrupted)
    try:
        if once:
            return loop.run_until_empty(_PATIENCE_S)
        loop.run()
        return None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _environ(protocol: str | None) -> dict[str, str]:
    environ = dict(os.environ)
    if protocol is not None:
        environ[f"{_PREFIX}TRACES_PROTOCOL"] = protocol
    return environ
