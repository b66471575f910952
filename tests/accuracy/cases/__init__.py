"""Apps in every form that LangGraph allows, each with its true causes written by hand. One module for each subject."""

from __future__ import annotations

import importlib
import pkgutil

from tests.accuracy.cases.case import CASES, Case, Run, Way

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["CASES", "Case", "Run", "Way"]
