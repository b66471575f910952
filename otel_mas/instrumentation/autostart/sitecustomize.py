"""Starts recording in each Python process under `otel-mas run`, then makes way for the environment's own sitecustomize.

`otel-mas run` puts this folder first on PYTHONPATH. Child processes may be of any Python: this file stays readable for
old ones, and says in one line why a process is not recorded.
"""

from __future__ import annotations

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


def _start() -> None:
    given = os.environ.get("PYTHONPATH")
    # What starting may itself start is not to be recorded, and not to come here again. Child processes of the app are.
    if given is not None:
        _set_python_path([path for path in given.split(os.pathsep) if not _is_here(path)])
    try:
        from otel_mas.config import Settings
        from otel_mas.instrumentation import switch

        switch.switch_on(Settings.from_env(), asked=True)
    except Exception as error:
        sys.stderr.write(f"otel-mas: {sys.executable} is not recorded: {_reason(error)}\n")
    finally:
        if given is not None:
            os.environ["PYTHONPATH"] = given


def _reason(error: Exception) -> str:
    if sys.version_info < (3, 11):  # noqa: UP036 - any Python may be started by a recorded app
        return "otel-mas needs Python 3.11 or newer"
    if isinstance(error, ImportError) and error.name == "otel_mas":
        return "otel-mas is not installed for it"
    return " ".join(str(error).split()) or type(error).__name__


def _set_python_path(paths: list[str]) -> None:
    if paths:
        os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    else:
        del os.environ["PYTHONPATH"]


def _is_here(path: str) -> bool:
    return bool(path) and os.path.abspath(path) == _HERE


def _make_way() -> None:
    """Leave the app with the `sys.path` and the `sitecustomize` that it has without us."""
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    sys.path[:] = [path for path in sys.path if not _is_here(path)]
    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None and spec.loader is not None:
        module = module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)  # its errors are the environment's own, and reported by Python as such


_start()
_make_way()
