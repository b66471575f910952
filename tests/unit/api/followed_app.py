"""An app that is followed while it runs, `python followed_app.py STORE TRACES`: an agent and a task in each trace.

Without traces it waits in one for its input to end.
"""

from __future__ import annotations

import sys
import time

import otel_mas


def main(store: str, traces: int) -> None:
    otel_mas.instrument(store=store)
    if not traces:
        with otel_mas.workflow("waiting"):
            sys.stdin.read()
    for number in range(traces):
        with otel_mas.workflow("trip", conversation=f"trip-{number % 2}"), otel_mas.agent("planner") as planner:
            with otel_mas.tool("look_up") as tool:
                tool.arguments(place=f"place {number}")
                time.sleep(0.03)
                tool.result("far away")
            with otel_mas.guardrail("budget", target="output") as check:
                check.verdict("pass", "cheap enough")
            planner.state(plan=f"go there, {number}")
            with otel_mas.task("book", caused_by=None):
                otel_mas.event("booked", number=number)
                time.sleep(0.03)
    otel_mas.shutdown(60)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
