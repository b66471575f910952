"""`otel-mas evaluate`: recorded runs held against a suite of cases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from otel_mas.cli.files import written
from otel_mas.cli.filters import filter_options, limit_option
from otel_mas.cli.options import not_empty, source_options
from otel_mas.cli.output import note, print_json, print_lines
from otel_mas.errors import ConfigError, OtelMasError

if TYPE_CHECKING:
    from rich.text import Text

    from otel_mas.api import Conversation, Source, Trace
    from otel_mas.evaluate import BaselineComparison, EvalReport, Suite

_EXIT_CODES = {"passed": 0, "failed": 1, "insufficient_evidence": 3}


@click.command("evaluate")
@click.argument("suite", metavar="SUITE")
@click.option("--trace", metavar="TRACE", callback=not_empty, help="Only this trace, and every case against it.")
@click.option("--judge", is_flag=True, help="Ask the judges of the cases, which costs what their models cost.")
@click.option("--junit", metavar="FILE", callback=not_empty, help="Write the results as JUnit XML, for CI.")
@click.option(
    "--baseline",
    metavar="FILE",
    callback=not_empty,
    help="Compare with an earlier report, which --json made. What regressed fails.",
)
@click.option("--record", is_flag=True, help="Record the results in the store with their runs; each once.")
@filter_options()
@limit_option("How many traces to read at most, the newest.")
@source_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    suite: str,
    trace: str | None,
    judge: bool,
    junit: str | None,
    baseline: str | None,
    record: bool,
    store: str | None,
    as_json: bool,
    **which: Any,
) -> None:
    """Hold recorded runs against the cases of SUITE, a YAML file: outputs, budgets, topology, findings, judges.

    Nothing runs again. Runs are all traces that match the filters; one that paused counts with those that resumed it. A
    case with an `input` is held against the runs that had it, another one against each.

    Exit codes: 0 passed, 1 failed, or an evaluator raised an exception, 2 wrong usage, or a suite or a source that
    cannot be read, 3 insufficient evidence: a trace lacks what would tell.
    """
    limit = which.pop("limit")
    selected = {name: value for name, value in which.items() if value is not None}
    if trace is not None and selected:
        raise click.UsageError("a filter selects among many traces: give none with --trace.")
    with _without_verdict():
        from otel_mas.api import open as open_source
        from otel_mas.evaluate import EvaluationHarness, Suite, compare_with_baseline, read_baseline

        cases = Suite.read(suite)
        earlier = None if baseline is None else read_baseline(baseline)
        harness = EvaluationHarness(cases.cases, ask_judge=judge)
        with open_source(store) as source:
            runs = _runs(source, trace, limit, selected)
            report = harness.score(next(runs) if trace is not None else runs)
            if record:
                _record(report, _runs(source, trace, limit, selected))
        compared = None if earlier is None else compare_with_baseline(report, earlier)
        if junit is not None:
            _write_junit(report, cases, junit)
    if as_json:
        from otel_mas.report.json.evaluation import evaluation

        print_json(evaluation(report, compared))
    else:
        print_lines(lambda width: _lines(report, compared, width))
    code = _EXIT_CODES[report.outcome.value]
    ctx.exit(1 if compared is not None and compared.regressed else code)


@contextmanager
def _without_verdict() -> Iterator[None]:
    """Make errors of the block end with 2: what could not be evaluated has not failed, which 1 says."""
    try:
        yield
    except (OtelMasError, OSError) as error:
        raise ConfigError(str(error)) from error


def _runs(source: Source, trace: str | None, limit: int, which: dict[str, Any]) -> Iterator[Trace | Conversation]:
    from otel_mas.api.whole_runs import whole_runs

    if trace is None:
        yield from whole_runs(source, limit=limit, **which)
    else:
        yield source.latest() if trace == "latest" else source.trace(trace)


def _record(report: EvalReport, runs: Iterator[Trace | Conversation]) -> None:
    new = sum(run.record_evaluations(report) for run in runs)
    note(f"{new:,} results were recorded; others were there already, or lack evidence")


def _write_junit(report: EvalReport, cases: Suite, path: str) -> None:
    from otel_mas.report.junit import junit

    with written(path) as file:
        file.write(junit(report, cases.name))


def _lines(report: EvalReport, compared: BaselineComparison | None, width: int) -> Iterator[Text]:
    from otel_mas.report.terminal.evaluation import baseline_comparison, evaluation

    yield from evaluation(report, width)
    if compared is not None:
        yield from baseline_comparison(compared, width)
