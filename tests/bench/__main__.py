"""`make bench`: what recording costs, as ratios against the bare app and a peer, all in one run on this machine.

The recorders take turns, round by round, so that a slow minute of a shared machine falls on all of them; what is
printed is the median over the rounds of each round's ratio. Nothing here fails on a time.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench import parts
from tests.bench.environments import COMMON, PEERS, python_of
from tests.bench.sink import Sink

RECORDERS = ("bare", "otel-mas", "openinference")
CASES = {
    "small state": ["--nodes", "50", "--runs", "20"],
    "50 messages of 500 characters": ["--nodes", "50", "--runs", "20", "--messages", "50", "--size", "500"],
    "async, 5 MB state": ["--nodes", "10", "--runs", "3", "--blob", "5000000", "--asynchronous"],
}
WORKLOAD = Path(__file__).with_name("workload.py")


def measure(recorder: str, options: list[str], endpoint: str) -> dict[str, Any]:
    """One process of one recorder; a fresh store each time."""
    with tempfile.TemporaryDirectory() as folder:
        target = {"otel-mas": str(Path(folder) / "runs.db"), "openinference": endpoint}.get(recorder, "")
        command = [python_of(recorder), str(WORKLOAD), "--recorder", recorder, "--target", target, *options]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder)
        figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return figures


def rounds(options: list[str], count: int, endpoint: str) -> list[dict[str, dict[str, Any]]]:
    return [{name: measure(name, options, endpoint) for name in RECORDERS} for _ in range(count)]


def median(values: list[float]) -> float:
    return statistics.median(values)


def report_case(title: str, results: list[dict[str, dict[str, Any]]]) -> None:
    print(f"\n### {title}\n")
    print("| recorder | CPU µs a node | × bare | added µs | added ÷ OpenInference's | wall µs a node | peak MiB |")
    print("|---|---|---|---|---|---|---|")
    for name in RECORDERS:
        ratio = median([r[name]["cpu_us"] / r["bare"]["cpu_us"] for r in results])
        added = median([r[name]["cpu_us"] - r["bare"]["cpu_us"] for r in results])
        peer = median(
            [
                (r[name]["cpu_us"] - r["bare"]["cpu_us"]) / (r["openinference"]["cpu_us"] - r["bare"]["cpu_us"])
                for r in results
            ]
        )
        cpu, wall, peak = (median([r[name][key] for r in results]) for key in ("cpu_us", "wall_us", "peak_mib"))
        print(f"| {name} | {cpu:.0f} | {ratio:.2f} | {added:.0f} | {peer:.2f} | {wall:.0f} | {peak:.0f} |")
    if results[0]["bare"]["lag_p99_ms"] is not None:
        lags = {name: median([r[name]["lag_p99_ms"] for r in results]) for name in RECORDERS}
        shown = ", ".join(f"{name} {lag:.2f} ms ({lag / lags['bare']:.2f} ×)" for name, lag in lags.items())
        print(f"\nEvent-loop lag, p99: {shown}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--case", choices=[*CASES, "parts"], help="only this case")
    options = parser.parse_args()

    print(f"## {platform.python_implementation()} {platform.python_version()}, {platform.machine()}, ", end="")
    print(f"{', '.join(COMMON)}; peer: {PEERS['openinference'][0]}, stock OTLP/HTTP exporter and batch processor")
    print(f"Median of {options.rounds} rounds. CPU is the whole process's, until everything is stored or exported.")
    for name in RECORDERS:
        python_of(name)
    with Sink() as sink:
        for title, arguments in CASES.items():
            if options.case in (None, title):
                report_case(title, rounds(arguments, options.rounds, sink.endpoint))
        if options.case != "parts" and not sink.requests:
            sys.exit("the peer exported nothing: the comparison is void")
    if options.case in (None, "parts"):
        parts.report()


if __name__ == "__main__":
    main()
