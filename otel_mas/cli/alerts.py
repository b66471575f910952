"""`otel-mas alerts`: rules held against a source, rendered for Prometheus, and silences."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from otel_mas.cli.options import debug, json_option, parsed_by, source_options, store_option
from otel_mas.cli.output import note, print_json, print_line, print_lines

if TYPE_CHECKING:
    from rich.text import Text

    from otel_mas.alert.alerts import Alert
    from otel_mas.alert.rules_file import Rules

FIRING = 5
"""Exit code where an alert fires; 1 to 4 are errors of the command itself."""
_rules_option = click.option(
    "--rules", metavar="FILE", help="A rules file. [default: $OTEL_MAS_ALERTS, else the built-in rules]"
)


@click.group("alerts")
def command() -> None:
    """Check alert rules, tell receivers, silence alerts, and write the rules for Prometheus."""


@command.command("check")
@_rules_option
@click.option("--once", is_flag=True, help="What holds fires at once; nothing is kept, nobody is told. For CI.")
@click.option("--no-notify", "quiet", is_flag=True, help="Tell no receiver.")
@source_options
def check(rules: str | None, once: bool, quiet: bool, store: str | None, as_json: bool) -> None:
    """Hold the rules against what was recorded, and tell the receivers of the rules file what is new.

    Alerts are kept beside the store, in PATH.alerts: an alert fires once its rule has held for as long as its `for`
    says over several checks, and each receiver is told of it once. The exit code is 5 where an alert fires, else 0.
    """
    from otel_mas.alert.state import StateFile, path_of
    from otel_mas.api import open as open_source
    from otel_mas.api.alerts import AlertCheck
    from otel_mas.report.json.alerts import alerts

    chosen = _chosen(rules)
    if once:
        chosen = chosen.at_once()
    with open_source(store) as source:
        if not (once or source.capabilities.local):
            raise click.UsageError("alerts are kept beside a local store: give --once for another source.")
        with StateFile(None if once else path_of(source.location)) as state:
            found = AlertCheck(source, chosen, state).check(notify=not (once or quiet))
    problems = list(dict.fromkeys(f"{one.receiver}: {one.reason}" for one in found.problems))
    if as_json:
        print_json(alerts(found.alerts, problems, found.incomplete))
    else:
        print_lines(lambda width: _lines(found.alerts, width))
    for problem in problems:
        note(f"not notified: {problem}")
    if found.incomplete:
        note(found.incomplete)
    click.get_current_context().exit(FIRING if found.firing else 0)


@command.command("rules")
@_rules_option
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "prometheus", "kubernetes")),
    default="text",
    show_default=True,
    help="A rules file of Prometheus, or a PrometheusRule of its operator.",
)
@click.option("--namespace", metavar="NAME", help="Prefix of the metrics. [default: $OTEL_MAS_METRICS_NAMESPACE]")
@click.option("--name", default="otel-mas", show_default=True, help="Name of the PrometheusRule.")
@debug
def rules_command(rules: str | None, form: str, namespace: str | None, name: str) -> None:
    """Show the rules, or write them for Prometheus, where they fire for the same."""
    from otel_mas.config import Settings

    chosen = _chosen(rules)
    if form == "text":
        print_lines(lambda width: _rule_lines(chosen, width))
        return
    from otel_mas.alert.prometheus_rules import render

    prefix = Settings.from_env().metrics_namespace if namespace is None else namespace
    found = render(chosen.rules, "kubernetes" if form == "kubernetes" else "prometheus", prefix, name)
    for line in found.text.splitlines():
        print_line(line)
    if found.left_out:
        note(f"left out, since Prometheus has no label for it: {', '.join(found.left_out)}")


@command.command("silence")
@click.argument("matchers", metavar="NAME|LABEL=VALUE...", nargs=-1, required=True)
@click.option(
    "--for",
    "duration",
    default="2h",
    show_default=True,
    metavar="DURATION",
    callback=parsed_by("duration_ns"),
    help="For how long.",
)
@click.option("--comment", default="", help="Why, for others.")
@store_option
@debug
def silence(matchers: Sequence[str], duration: str, comment: str, store: str | None) -> None:
    """Tell nobody of alerts of this NAME, or with these labels, for a while."""
    from otel_mas.alert.alerts import ALERTNAME
    from otel_mas.api.when import duration_ns

    pairs = [one.partition("=") for one in matchers]
    wanted = {name if equals else ALERTNAME: value if equals else name for name, equals, value in pairs}
    _check_matchers(wanted)
    with _state(store) as state:
        added = state.silence(wanted, time.time_ns() + duration_ns(duration), comment)
    note(f"silence {added.id} holds for {duration}; end it with: otel-mas alerts unsilence {added.id}")


@command.command("silences")
@store_option
@json_option
def silences(store: str | None, as_json: bool) -> None:
    """List the silences that hold."""
    from otel_mas.report.text import local_time

    with _state(store) as state:
        found = state.silences(time.time_ns())
    if as_json:
        print_json([{"id": one.id, "matchers": dict(one.matchers), "until_ns": one.until_ns, "comment": one.comment}
                    for one in found])  # fmt: skip
        return
    for one in found:
        named = ", ".join(f"{label}={value}" for label, value in one.matchers.items())
        print_line(f"{one.id}  until {local_time(one.until_ns)}  {named}  {one.comment}".rstrip())
    if not found:
        note("no silence holds")


@command.command("unsilence")
@click.argument("number", metavar="ID", type=int)
@store_option
@debug
def unsilence(number: int, store: str | None) -> None:
    """End a silence."""
    with _state(store) as state:
        if not state.unsilence(number):
            raise click.UsageError(f"there is no silence {number}: `otel-mas alerts silences` lists them.")


def _chosen(file: str | None) -> Rules:
    from otel_mas.alert.rules_file import Rules
    from otel_mas.config import Settings

    named = file or Settings.from_env().alerts
    return Rules.built_in() if named in (None, "default") else Rules.read(named)


def _check_matchers(wanted: Mapping[str, str]) -> None:
    """Refuse labels that no alert has; say so where no rule that is known here has the name."""
    from otel_mas.alert.alerts import ALERTNAME
    from otel_mas.alert.rules import LABELS
    from otel_mas.errors import OtelMasError
    from otel_mas.errors.similar import did_you_mean

    for name, value in wanted.items():
        if name != ALERTNAME and name not in LABELS:
            raise click.BadParameter(f"no alert has a label {name!r}{did_you_mean(name, LABELS)}")
        if not value:
            raise click.BadParameter(f"{name} needs a value, as in {name}=search")
    rule = wanted.get(ALERTNAME)
    try:
        known = [] if rule is None else [one.name for one in _chosen(None).rules]
    except OtelMasError:
        return  # the rules are those of the server
    if rule is not None and rule not in known:
        note(f"no rule known here is called {rule}{did_you_mean(rule, known)}")


def _state(store: str | None) -> Any:
    from otel_mas.alert.state import StateFile, path_of
    from otel_mas.config import Settings
    from otel_mas.errors import StoreError

    path = Path(store or Settings.from_env().store).expanduser()
    if not path.exists():
        raise StoreError(f"there is no store at {path}: record a run first")
    return StateFile(path_of(path))


def _lines(alerts: Sequence[Alert], width: int) -> Iterator[Text]:
    from rich.text import Text

    from otel_mas.report.tables import Head, Table
    from otel_mas.report.terminal.table import table
    from otel_mas.report.text import local_time, plain

    if not alerts:
        yield Text("No alert fires.")
        return
    heads = (Head("state"), Head("severity"), Head("alert"), Head("value", numeric=True), Head("since"))
    rows = [
        [
            f"{one.state.value}{' (silenced)' if one.silenced else ''}",
            one.severity,
            one.rule,
            f"{one.value:.3g}",
            local_time(one.since_ns),
            plain(one.summary),
        ]
        for one in alerts
    ]
    yield from table(Table((*heads, Head("what", text=True)), rows, "alert"), width)


def _rule_lines(rules: Rules, width: int) -> Iterator[Text]:
    from otel_mas.alert.rules import period
    from otel_mas.report.tables import Head, Table
    from otel_mas.report.terminal.table import table
    from otel_mas.report.text import plain

    def bound(one: Any) -> str:
        if one.above is None and one.below is None:
            return ""
        return f"> {one.above:g}" if one.below is None else f"< {one.below:g}"

    heads = (Head("severity"), Head("alert"), Head("measure"), Head("bound", numeric=True), Head("window"), Head("for"))
    rows = [
        [
            one.severity.value,
            one.name,
            f"{one.measure} {', '.join(one.metric)}",
            bound(one),
            period(one.window) if one.window else "",
            period(one.hold) if one.hold else "",
            plain(one.summary),
        ]
        for one in rules.rules
    ]
    yield from table(Table((*heads, Head("what", text=True)), rows, "rule"), width)


__all__ = ["command"]
