"""Apps run by somebody who has never heard of otel-mas: with LangGraph's `SqliteSaver`, in a process of their own."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.pregel import Pregel

ROOT = Path(__file__).resolve().parents[2]


def prototypes(path: str, database: str) -> None:
    """Every app of the prototypes, each on a thread of its name."""
    from tests.accuracy.prototypes import RUNS

    spec = importlib.util.spec_from_file_location("prototype_apps", path)
    assert spec is not None
    assert spec.loader is not None
    apps: Any = importlib.util.module_from_spec(spec)
    sys.modules["prototype_apps"] = apps
    spec.loader.exec_module(apps)
    with SqliteSaver.from_conn_string(database) as saver:
        for app, (inputs, error) in RUNS.items():
            graph = getattr(apps, f"build_{app}")(saver)
            for given in inputs:
                given = getattr(apps, f"{app}_IN") if given is None else given
                with contextlib.suppress(*([error] if error else [])):
                    graph.invoke(given, {"configurable": {"thread_id": app}})


def paused(database: str, *runs: str) -> None:
    """Every app of `paused.py` that is named, as `app:answers`, each on a thread of its name."""
    from tests.accuracy import paused

    for asked in runs:
        app, _, answers = asked.partition(":")
        for given in [(), *[("yes",)] * int(answers)]:
            paused.run(database, app, *given)


def cases(database: str) -> None:
    """Every case that can run in this process's way; prints the thread of each."""
    from tests.accuracy.cases import CASES
    from tests.accuracy.cases.case import invoke

    threads = {}
    with SqliteSaver.from_conn_string(database) as saver:
        for case in CASES:
            if case.only != "async" and not case.lacks:
                kept = dataclasses.replace(case, build=lambda case=case: keeping(case.build(), saver))
                threads[case.name] = kept.execute(invoke)
    print(json.dumps(threads))


def keeping(graph: Any, saver: SqliteSaver) -> Any:
    compiled = graph if isinstance(graph, Pregel) else graph._graph  # some cases wrap it, to call it their own way
    compiled.checkpointer = saver
    return graph


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    {"prototypes": prototypes, "paused": paused, "cases": cases}[sys.argv[1]](*sys.argv[2:])
    assert "otel_mas.instrumentation" not in sys.modules
