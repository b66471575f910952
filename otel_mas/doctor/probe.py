"""A report on the Python that the app uses: what is installed there, and whether our hooks fit.

It is handed over as text (`python -c`), since otel-mas may be missing there, and is readable for old Pythons. It ends
by writing one line of JSON after `MARK`. Nothing of it stays: the process is of its own.
"""

from __future__ import annotations

import sys

# `-c` looks for modules in the working folder first, where the app's own may have any name.
sys.path[:] = [entry for entry in sys.path if entry]

import importlib  # noqa: E402
import importlib.util  # noqa: E402
import json  # noqa: E402
import logging  # noqa: E402
import platform  # noqa: E402
import re  # noqa: E402
from typing import Any  # noqa: E402

MARK = "otel-mas-probe:"
GROUPS = (
    "opentelemetry_instrumentor",
    "opentelemetry_distro",
    "opentelemetry_configurator",
    "opentelemetry_traces_exporter",
)
FRAMEWORKS = {"langgraph": "langgraph", "langchain": "langchain_core"}


def installed() -> dict[str, Any]:
    """Versions, requirements and entry points of every distribution; where one is there twice, the first counts."""
    from importlib.metadata import distributions

    versions: dict[str, str] = {}
    requires: dict[str, list[str]] = {}
    points: dict[str, list[list[str]]] = {group: [] for group in GROUPS}
    for found in distributions():
        named = found.metadata["Name"] if found.metadata else None
        name = re.sub(r"[-_.]+", "-", named or "").lower()
        if not name or name in versions:
            continue
        versions[name] = found.version
        requires[name] = list(found.requires or ())
        for point in found.entry_points:
            if point.group in points:
                points[point.group].append([point.name, name])
    return {"versions": versions, "requires": requires, "points": points}


class Listener(logging.Handler):
    """Keeps messages."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def hooks() -> dict[str, Any] | None:
    """Patch this very process as recording would, and keep what otel-mas logs about it."""
    if importlib.util.find_spec("otel_mas") is None:
        return None
    listener = Listener()
    ours = logging.getLogger("otel_mas")
    ours.addHandler(listener)
    ours.propagate = False
    broken = []
    checked = 0
    for framework, package in FRAMEWORKS.items():
        if importlib.util.find_spec(package) is None:
            continue
        adapter = importlib.import_module("otel_mas.instrumentation." + framework)
        for module in adapter.MODULES:
            try:
                importlib.import_module(module)
            except Exception as error:
                if module in adapter.OPTIONAL and isinstance(error, ModuleNotFoundError):
                    continue
                broken.append([module, package, type(error).__name__ + ": " + " ".join(str(error).split())])
        try:
            table = importlib.import_module("otel_mas.instrumentation." + framework + ".hook_table").HOOK_TABLE
            table.patch()
            checked += len(table.hooks)
        except Exception as error:
            broken.append([package, package, type(error).__name__ + ": " + " ".join(str(error).split())])
    return {"checked": checked, "misfits": listener.messages, "broken": broken}


def main() -> None:
    """Write the answer."""
    answer: dict[str, Any] = {
        "python": sys.executable,
        "version": platform.python_version(),
        "prefix": sys.prefix,
        "hooks": None,
        "failed": None,
    }
    answer.update(installed())
    try:
        if sys.version_info >= (3, 11):  # noqa: UP036 - it may be any Python
            answer["hooks"] = hooks()
    except Exception as error:
        answer["failed"] = type(error).__name__ + ": " + " ".join(str(error).split())
    sys.stdout.write("\n" + MARK + json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
