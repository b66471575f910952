"""The budgets that the settings name, for every run in this process."""

from __future__ import annotations

from collections.abc import Sequence

from otel_mas.config.limits import Limits
from otel_mas.instrumentation.budgets import gate, hook_table
from otel_mas.pricing import PRICES


def set_in_process(budgets: Sequence[Limits]) -> None:
    """Hold every run in this process to these budgets, from now on; to none where there are none."""
    gate.set_everywhere(budgets)
    if budgets:
        hook_table.put()
    if any(one.usd is not None for one in budgets):
        PRICES.prepare()


__all__ = ["set_in_process"]
