"""`otel-mas ship retry`: the spans that a destination has refused for good, listed, or sent again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, TypedDict

import click

from otel_mas.cli.destinations import destination_options, hex_digits, opened_destinations
from otel_mas.cli.options import json_option, store_option
from otel_mas.cli.output import note, print_json, print_line
from otel_mas.cli.ship_status import RejectionForm, rejection_form, rejection_line

if TYPE_CHECKING:
    from otel_mas.config import Settings
    from otel_mas.shipping import Destination
    from otel_mas.store.log_reader import LogReader


class RetriedForm(TypedDict):
    name: Annotated[str, "kind and address of the destination"]
    accepted: Annotated[int, "spans that it has taken now"]
    refused: Annotated[int, "spans that it has refused again"]
    gone: Annotated[int, "spans that the store has no more, or has a later version of"]
    set_aside: Annotated[list[RejectionForm], "spans that are set aside now, the last one first"]


class RetriesDocument(TypedDict):
    destinations: Annotated[list[RetriedForm], "with --list all of the store, else those that were sent to"]


@click.command("retry")
@destination_options
@click.option("--list", "only_list", is_flag=True, help="Show what is set aside, for all destinations; send nothing.")
@click.option("--trace", metavar="ID", callback=hex_digits, help="Spans of this trace; its first digits will do.")
@store_option
@json_option
def command(
    wanted: tuple[str, ...],
    endpoints: tuple[str, ...],
    protocol: str | None,
    only_list: bool,
    trace: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Send spans again that a destination has refused for good.

    They are set aside with its reason. Each is sent alone, so that none holds up another. Those that it takes now count
    as shipped, the others stay set aside. --list shows all of them.
    """
    from otel_mas.config import Settings
    from otel_mas.errors import DestinationError
    from otel_mas.store.log_reader import LogReader

    settings = Settings.from_env(store=store)
    with closing(LogReader(settings.store)) as reader:
        if only_list:
            done = [_form(reader, one.name, trace or "") for one in reader.destinations()]
        else:
            opened = opened_destinations(settings, wanted, endpoints, protocol)
            done = [_retried(settings, reader, destination, trace or "") for destination in opened]
    if as_json:
        print_json(RetriesDocument(destinations=done))
    else:
        _print(done, only_list)
    refused = sum(one["refused"] for one in done)
    if refused:
        raise DestinationError(f"{refused} spans are refused again, and stay set aside")


def _retried(settings: Settings, reader: LogReader, destination: Destination, trace: str) -> RetriedForm:
    from otel_mas.shipping.retry import Retry
    from otel_mas.store.set_aside import SetAside

    with closing(destination), closing(SetAside(settings.store)) as log:
        done = Retry(log, destination, content=settings.shipped_content).run(trace)
    return _form(reader, destination.name, trace, done.accepted, done.refused, done.gone)


def _form(reader: LogReader, name: str, trace: str, accepted: int = 0, refused: int = 0, gone: int = 0) -> RetriedForm:
    set_aside = [rejection_form(one) for one in reader.rejections(name, trace=trace)]
    return RetriedForm(name=name, accepted=accepted, refused=refused, gone=gone, set_aside=set_aside)


def _print(done: Sequence[RetriedForm], only_list: bool) -> None:
    for one in done:
        if only_list:
            note(f"{one['name']}: {len(one['set_aside'])} spans are set aside")
        else:
            gone = f", {one['gone']} are no longer in the store" if one["gone"] else ""
            note(f"{one['name']}: {one['accepted']} accepted now, {one['refused']} refused again{gone}")
        for span in one["set_aside"]:
            print_line(rejection_line(span))
