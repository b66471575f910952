"""Apps in every form that LangGraph allows, each with its true causes written by hand. One module for each subject."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil

from tests.accuracy.cases.case import CASES, Case, Run, Way, matrix

_NEEDED = {"agents": ("langchain",), "teams": ("langchain", "langgraph_supervisor", "langgraph_swarm")}
"""What a module of cases needs besides LangGraph; there is none of it for LangGraph before 1.0."""

for _module in pkgutil.iter_modules(__path__):
    if all(map(importlib.util.find_spec, _NEEDED.get(_module.name, ()))):
        importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["CASES", "Case", "Run", "Way", "matrix"]
