"""One measured process: an app under one recorder. Prints a JSON line of its figures.

Runs in the environment of the recorder that it measures. CPU is that of the whole process, all threads, from before
the first measured run until all is exported or stored.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apps
from recorders import Recording, start

_FLUSH_EVERY = 500  # runs: a process that lives long exports while it runs


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def resident_mib() -> float:
    """What the process holds now; where there is no /proc, what it held at most."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def event_loop_lag(stop: asyncio.Event, lags: list[float]) -> None:
    while not stop.is_set():
        before = time.perf_counter()
        await asyncio.sleep(0.001)
        lags.append(time.perf_counter() - before - 0.001)


async def run_async(app: Any, state: dict[str, Any], config: dict[str, Any], runs: int) -> list[float]:
    stop, lags = asyncio.Event(), []
    watcher = asyncio.create_task(event_loop_lag(stop, lags))
    for _ in range(runs):
        await app.ainvoke(dict(state), config)
    stop.set()
    await watcher
    return lags


def measured(options: argparse.Namespace, config: dict[str, Any]) -> tuple[Callable[[int], list[float]], int]:
    """What runs so many runs of the chosen app, and how many units (nodes or model calls) one run has."""
    state = apps.initial(options.messages, options.size, options.blob)
    if options.app == "models":

        def call(runs: int) -> list[float]:
            apps.model_calls(state, config, runs * options.units)
            return []

        return call, options.units
    build = {"loop": apps.loop, "fan_out": apps.fan_out, "streaming": apps.streaming}[options.app]
    app = build(options.units)
    units = 1 if options.app == "streaming" else options.units

    def run(runs: int) -> list[float]:
        if options.asynchronous:
            return asyncio.run(run_async(app, state, config, runs))
        for _ in range(runs):
            app.invoke(dict(state), config)
        return []

    return run, units


def growth_mib(run: Callable[[int], Any], recording: Recording, runs: int) -> float:
    """How much more the process holds after `runs` runs than after the first tenth of them, MiB."""
    held = 0.0
    for done in range(0, runs, _FLUSH_EVERY):
        run(_FLUSH_EVERY)
        recording.finish()
        gc.collect()
        if done + _FLUSH_EVERY <= max(runs // 10, _FLUSH_EVERY):
            held = resident_mib()
    return resident_mib() - held


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--recorder", required=True)
    parser.add_argument("--target", default="")
    parser.add_argument("--app", choices=["loop", "fan_out", "streaming", "models"], default="loop")
    parser.add_argument("--units", type=int, default=50, help="nodes of the loop, Sends, chunks, or model calls a run")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--messages", type=int, default=2)
    parser.add_argument("--size", type=int, default=40)
    parser.add_argument("--blob", type=int, default=0)
    parser.add_argument("--asynchronous", action="store_true")
    parser.add_argument("--growth", action="store_true", help="measure memory over many runs, not time")
    options = parser.parse_args()

    recording = start(options.recorder, options.target)
    config: dict[str, Any] = {"recursion_limit": options.units + 10}
    if recording.callbacks:
        config["callbacks"] = list(recording.callbacks)
    run, units = measured(options, config)
    # Imports, caches and the recorder's start are not what is measured, nor what it begins in the background.
    run(1)
    recording.finish()
    time.sleep(2)

    if options.growth:
        print(json.dumps({"growth_mib": growth_mib(run, recording, options.runs)}))
        return
    cpu, wall = cpu_seconds(), time.perf_counter()
    lags = run(options.runs)
    wall_done = time.perf_counter() - wall
    recording.finish()
    cpu = cpu_seconds() - cpu

    lags.sort()
    count = units * options.runs
    figures = {
        "cpu_us": cpu / count * 1e6,
        "wall_us": wall_done / count * 1e6,
        "lag_p99_ms": lags[int(len(lags) * 0.99)] * 1e3 if lags else None,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
