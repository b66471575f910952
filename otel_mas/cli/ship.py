"""`otel-mas ship`: the store's log to destinations, by a process of its own."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from otel_mas.cli import ship_retry, ship_status
from otel_mas.cli.destinations import destination_options, hex_digits, opened_destinations
from otel_mas.cli.options import debug, parsed_by, store_option
from otel_mas.cli.output import note
from otel_mas.errors import DestinationError, OtelMasError

if TYPE_CHECKING:
    from otel_mas.shipping import Destination, Selection, ShippingLoop
    from otel_mas.store.log import Log

_TIMEOUT_S = 30.0


@click.group("ship", invoke_without_command=True)
@destination_options
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
    "--trace", metavar="ID", callback=hex_digits, help="With --again: spans of this trace; its first digits will do."
)
@store_option
@debug
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    """Ship recorded spans to an OTLP endpoint: a Collector, Jaeger, Tempo.

    It continues at the destination's cursor. Several may run at once: one of them ships. Content, and spans that were
    not sampled, stay on this machine. Endpoint, headers and certificates come from the standard OTEL_EXPORTER_OTLP_*
    variables. Several destinations are shipped to at once, and none waits for another.

    A backend that has lost spans gets them again with --again: `otel-mas ship --again --since 2h`. Neither the cursor
    nor the counts change. A backend that still has the spans may show them twice.
    """
    if ctx.invoked_subcommand is None:
        _ship(**options)


def _ship(
    wanted: tuple[str, ...],
    endpoints: tuple[str, ...],
    protocol: str | None,
    once: bool,
    from_start: bool,
    resend: bool,
    store: str | None,
    **chosen: str | None,
) -> None:
    from otel_mas.config import Settings
    from otel_mas.shipping import Resend
    from otel_mas.store.log import Log

    if resend is not any(chosen.values()):
        raise click.UsageError("--again needs --since, --until or --trace, and they need --again.")
    if resend and from_start:
        raise click.UsageError("--again sends what was shipped, --from-start what never was: give one of them.")

    settings = Settings.from_env(store=store)
    destinations = opened_destinations(settings, wanted, endpoints, protocol)
    loops: dict[str, ShippingLoop] = {}
    with ExitStack() as stack:
        for destination in destinations:
            log = Resend(settings.store, _selection(**chosen)) if resend else Log(settings.store)
            stack.callback(log.close)
            several = f"{destination.name} " if len(destinations) > 1 else ""
            loop = _loop(stack, log, destination, settings.shipped_content, f"{several}waits: ")
            loops[destination.name] = loop
            behind = None if resend else log.add(destination.name, from_start=from_start)
            if behind:
                note(f"{destination.name} is new here: {behind} spans of before stay, unless you say --from-start")
        waiting = _until_done(loops, once or resend)
        for name, loop in loops.items():
            note(f"{'sent again' if resend else 'shipped'} {loop.shipped} spans to {name}")
        if waiting:
            raise DestinationError("; ".join(f"spans wait for {name}: {reason}" for name, reason in waiting.items()))


def _loop(stack: ExitStack, log: Log, destination: Destination, content: int, waits: str) -> ShippingLoop:
    from otel_mas.shipping import Shipper, ShippingLoop

    shipper = Shipper(log, destination, content=content)
    stack.callback(shipper.close)
    return ShippingLoop(shipper, on_waiting=lambda reason: note(f"{waits}{reason}"))


def _selection(since: str | None, until: str | None, trace: str | None) -> Selection:
    from otel_mas.api.when import instant_ns
    from otel_mas.shipping import Selection

    given = {"since_ns": since and instant_ns(since), "until_ns": until and instant_ns(until), "trace": trace}
    return Selection(**{name: value for name, value in given.items() if value})  # type: ignore[arg-type]


def _until_done(loops: dict[str, ShippingLoop], once: bool) -> dict[str, str]:
    """Ship until it is done or interrupted; batches under way are finished.

    Returns:
        The reason, by destination, why not all is shipped there.
    """

    def ship(name: str) -> str | None:
        loop = loops[name]
        try:
            if once:
                return loop.run_until_empty(_TIMEOUT_S)
            loop.run()
            return None
        except OtelMasError as error:
            if len(loops) > 1:  # the others go on
                note(f"{name} is not shipped to any more: {error}")
            raise

    def interrupted(*_: object) -> None:
        for loop in loops.values():
            loop.stop()

    handlers = {number: signal.signal(number, interrupted) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        reasons = _at_once(ship, list(loops))
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return {name: reason for name, reason in zip(loops, reasons, strict=True) if reason is not None}


def _at_once(ship: Callable[[str], str | None], names: Sequence[str]) -> list[str | None]:
    """Call it for each name, in a thread of its own where there are several."""
    if len(names) == 1:
        return [ship(names[0])]
    with ThreadPoolExecutor(len(names), "otel-mas shipper") as pool:
        return list(pool.map(ship, names))


command.add_command(ship_status.command)
command.add_command(ship_retry.command)
