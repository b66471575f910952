"""Why a run recorded nothing: looked for in the command's own interpreter, and only when it happened."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence

from otel_mas.doctor import program

_PROBE = "import importlib.util as u; print(*(int(u.find_spec(m) is not None) for m in ('otel_mas', 'langgraph')))"
_PROBE_S = 20.0


def recorded(store: str, run_id: str) -> bool:
    """Whether any process of the run has written to the store.

    Raises:
        StoreError: the store cannot be read.
    """
    if not os.path.exists(store):
        return False
    from otel_mas.api import open as open_source

    with open_source(store) as source:
        run = source.run(run_id)
        return bool(run.traces or run.processes or run.problems)


def why_nothing(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """The likely reason, in a sentence, and what to do.

    Args:
        command: what was run, with the path of its program first.
        environment: what it was run with.
    """
    interpreter = program.interpreter(command)
    if interpreter is None:
        return f"{os.path.basename(command[0])} is not a Python program, and none that it started said anything."
    python, options = interpreter
    flag = program.isolation(options)
    if flag is not None:
        return f"python -{flag} {program.ISOLATED[flag]}, and otel-mas with it. Run it without -{flag}."
    installed = _installed(python, environment)
    if installed is None:
        return f"{python} does not start."
    otel_mas, langgraph = installed
    if not otel_mas:
        return f"otel-mas is not installed for {python}. Install it there."
    if not langgraph:
        return f"LangGraph is not installed for {python}, and the app has no OpenTelemetry spans of its own."
    return (
        "the app ended without running a graph, a model, a tool or a retriever, and has no spans of its own; or the "
        "store could not be written, as a line above then says."
    )


def _installed(python: str, environment: Mapping[str, str]) -> tuple[bool, bool] | None:
    """Whether otel-mas and LangGraph are there for that Python; None where it does not even start."""
    quiet = {**environment, "OTEL_MAS_ENABLED": "false"}
    try:
        result = subprocess.run([python, "-c", _PROBE], env=quiet, capture_output=True, text=True, timeout=_PROBE_S)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = result.stdout.split()
    return (found[0] == "1", found[1] == "1") if len(found) == 2 else None


__all__ = ["recorded", "why_nothing"]
