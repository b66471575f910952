"""Has each Python process under `otel-mas run` recorded, then makes way for the environment's own sitecustomize.

`otel-mas run` puts this folder first on PYTHONPATH, where it stays: child processes are recorded too. They may be of
any Python: this file is readable for old ones, and says in one line why a process is not recorded.
"""

from __future__ import annotations

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
_CALLING = ("langchain_core", "langgraph", "openai", "anthropic", "google.genai", "otel_mas.api")


def _start() -> None:
    try:
        from otel_mas.instrumentation.deferred import start_when_needed

        start_when_needed()
        if os.environ.get("OTEL_MAS_FAULTS"):
            from otel_mas.faults.autostart import start_in_run

            start_in_run()
        if os.environ.get("OTEL_MAS_REPLAY"):
            from otel_mas.replay.autostart import start_in_run as replay_in_run

            replay_in_run()
    except Exception as error:
        sys.stderr.write(f"otel-mas: {sys.executable} is not recorded: {_reason(error)}\n")
        if os.environ.get("OTEL_MAS_REPLAY"):
            sys.meta_path.insert(0, _Refusal())


class _Refusal:
    """First of `sys.meta_path` in a process that cannot be replayed: it ends before it can call a model for real.

    Not earlier: a launcher of another environment, which runs the app in the right one, calls none.
    """

    def find_spec(self, fullname, path=None, target=None):  # type: ignore[no-untyped-def]
        if fullname in _CALLING:
            reason = "cannot be replayed, and ends before it calls anything: it imports"
            sys.stderr.write(f"otel-mas: {sys.executable} {reason} {fullname}\n")
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(1)
        return


def _reason(error: Exception) -> str:
    if sys.version_info < (3, 11):  # noqa: UP036 - a recorded app may start any Python
        return "otel-mas needs Python 3.11 or newer"
    if isinstance(error, ImportError) and error.name == "otel_mas":
        return "otel-mas is not installed for it"
    return " ".join(str(error).split()) or type(error).__name__


def _make_way() -> None:
    """Leave the app with the `sys.path` and the `sitecustomize` that it has without us."""
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != _HERE]
    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None and spec.loader is not None:
        module = module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)  # its errors are the environment's own, and reported by Python as such


_start()
_make_way()
