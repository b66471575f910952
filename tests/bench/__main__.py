"""`make bench`: what recording costs, as ratios against the bare app and its peers, all in one run on this machine.

The recorders take turns, round by round, so that a slow minute of a shared machine falls on all of them; what is
printed is the median over the rounds of each round's ratio. Nothing here fails on a time.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench import (
    answers,
    api,
    diff,
    findings,
    floor,
    follow,
    hard_runs,
    live,
    many_runs,
    page,
    parts,
    queries,
    receive,
    replay,
    scale,
    search,
    ship,
    topology,
)
from tests.bench.environments import COMMON, ENVIRONMENT, PEERS, python_of
from tests.bench.sink import Sink


class Case(NamedTuple):
    """One table: what it measures, in units of what, by which options of the workload."""

    title: str
    unit: str
    options: str


CASES = (
    Case("small state", "node with one model call", "--units 50 --runs 20"),
    Case("50 messages of 500 characters", "node with one model call", "--units 50 --runs 20 --messages 50 --size 500"),
    Case("model calls alone", "model call", "--app models --units 50 --runs 20"),
    Case("5 MB state", "node with one model call", "--units 10 --runs 3 --blob 5000000"),
    Case("5 MB state, async", "node with one model call", "--units 10 --runs 20 --blob 5000000 --asynchronous"),
    Case("Send fan-out of 200", "node with one model call", "--app fan_out --units 200 --runs 5"),
    Case("streaming of 2,000 chunks", "model call", "--app streaming --units 2000 --runs 20"),
)
GROWTH = "--units 3 --runs 10000 --growth"
WORKLOAD = Path(__file__).with_name("workload.py")

Figures = dict[str, Any]


def measure(recorder: str, options: str, sink: Sink) -> Figures:
    """One process of one recorder; a fresh store each time.

    Raises:
        SystemExit: the process failed, or otel-mas stored nothing. Of a peer the table says 0 spans then.
    """
    before = sink.spans
    with tempfile.TemporaryDirectory() as folder:
        target = str(Path(folder) / "runs.db") if recorder == "otel-mas" else sink.endpoint
        command = [python_of(recorder), str(WORKLOAD), "--recorder", recorder, "--target", target, *options.split()]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=ENVIRONMENT)
        if done.returncode:
            sys.exit(f"{recorder} failed:\n{done.stderr}")
        figures: Figures = json.loads(done.stdout.splitlines()[-1])
        figures["spans"] = stored(target) if recorder == "otel-mas" else sink.spans - before
    if recorder != "bare" and not figures["spans"]:
        said = f"{recorder} exported nothing: {done.stderr.strip().splitlines()[-1:]}"
        if recorder == "otel-mas":
            sys.exit(said)
        print(said, file=sys.stderr)
    return figures


def stored(path: str) -> int:
    """How many spans otel-mas wrote, and that it dropped none."""
    import otel_mas

    with otel_mas.open(path) as source:
        summaries = source.traces(limit=1 << 20)
        if any(summary.incomplete for summary in summaries):
            sys.exit("otel-mas dropped spans: the comparison is void")
        return sum(summary.span_count for summary in summaries)


def median(values: list[float]) -> float:
    return statistics.median(values)


def report_case(case: Case, recorders: list[str], count: int, sink: Sink) -> None:
    results = [{name: measure(name, case.options, sink) for name in recorders} for _ in range(count)]
    print(f"\n### {case.title}\n")
    print(f"| recorder | CPU µs a {case.unit} | × bare | added µs", end="")
    print(" | otel-mas's added ÷ this one's | wall × bare | spans | peak MiB |")
    print("|---|---|---|---|---|---|---|---|")
    for name in recorders:
        ratio = median([r[name]["cpu_us"] / r["bare"]["cpu_us"] for r in results])
        wall = median([r[name]["wall_us"] / r["bare"]["wall_us"] for r in results])
        added = median([r[name]["cpu_us"] - r["bare"]["cpu_us"] for r in results])
        share = "" if name == "bare" else f"{median([added_share(r, name) for r in results]):.2f}"
        cpu, peak, spans = (median([r[name][key] for r in results]) for key in ("cpu_us", "peak_mib", "spans"))
        print(f"| {name} | {cpu:.0f} | {ratio:.2f} | {added:.0f} | {share} | {wall:.2f} | {spans:.0f} | {peak:.0f} |")
    if results[0]["bare"]["lag_p99_ms"] is not None:
        bare = median([r["bare"]["lag_p99_ms"] for r in results])
        lags = {name: median([r[name]["lag_p99_ms"] / r["bare"]["lag_p99_ms"] for r in results]) for name in recorders}
        shown = ", ".join(f"{name} {lag:.2f}" for name, lag in lags.items() if name != "bare")
        print(f"\nEvent-loop lag, p99: bare {bare:.2f} ms; × bare: {shown}")
    sys.stdout.flush()


def added_share(result: dict[str, Figures], name: str) -> float:
    """What otel-mas adds, as a share of what this recorder adds."""
    bare = result["bare"]["cpu_us"]
    return float((result["otel-mas"]["cpu_us"] - bare) / (result[name]["cpu_us"] - bare))


def report_growth(recorders: list[str], sink: Sink) -> None:
    print("\n### Memory: what a process holds more after 10,000 runs of three nodes than after 1,000\n")
    print("| recorder | MiB | spans |")
    print("|---|---|---|")
    for name in recorders:
        figures = measure(name, GROWTH, sink)
        print(f"| {name} | {figures['growth_mib']:.1f} | {figures['spans']} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--case",
        choices=[
            *(case.title for case in CASES),
            "memory",
            "parts",
            "scale",
            "answers",
            "findings",
            "hard runs",
            "queries",
            "many runs",
            "search",
            "diff",
            "topology",
            "follow",
            "api",
            "live",
            "page",
            "replay",
            "receive",
            "ship",
            "floor",
        ],
        help="only this case",
    )
    parser.add_argument("--against", nargs="*", choices=[*PEERS][1:], default=[*PEERS][1:], help="only these peers")
    parser.add_argument("--crisp", metavar="DIRECTORY", help="a checkout of github.com/uber-research/CRISP")
    options = parser.parse_args()
    recorders = ["bare", "otel-mas", *options.against]

    print(f"## {datetime.date.today()}: {platform.python_implementation()} {platform.python_version()}, ", end="")
    print(f"{platform.machine()}, {', '.join(COMMON)}; {', '.join(PEERS[name][0] for name in options.against)}")
    print(f"Median of {options.rounds} rounds. CPU is the whole process's, until everything is stored or exported.")
    for name in recorders:
        python_of(name)
    with Sink() as sink:
        for case in CASES:
            if options.case in (None, case.title):
                report_case(case, recorders, options.rounds, sink)
        if options.case in (None, "memory"):
            report_growth(recorders, sink)
    if options.case in (None, "parts"):
        parts.report()
    if options.case in (None, "scale"):
        scale.report(options.crisp)
    if options.case in (None, "answers"):
        answers.report()
    if options.case in (None, "findings"):
        findings.report()
    if options.case in (None, "hard runs"):
        hard_runs.report()
    if options.case in (None, "queries"):
        queries.report()
    if options.case in (None, "many runs"):
        many_runs.report()
    if options.case in (None, "search"):
        search.report()
    if options.case in (None, "diff"):
        diff.report()
    if options.case in (None, "topology"):
        topology.report()
    if options.case in (None, "follow"):
        follow.report()
    if options.case in (None, "api"):
        api.report()
    if options.case in (None, "live"):
        live.report()
    if options.case in (None, "page"):
        page.report()
    if options.case in (None, "replay"):
        replay.report()
    if options.case in (None, "receive"):
        receive.report(options.rounds)
    if options.case in (None, "ship"):
        ship.report(options.rounds)
    if options.case in (None, "floor"):
        floor.report(4 * options.rounds)


if __name__ == "__main__":
    main()
