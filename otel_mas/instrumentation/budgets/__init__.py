"""Budgets: before a call of a model or tool that would go beyond what may be spent, `BudgetExceeded` is raised.

Hooks are in place once there is a budget, and never before.
"""

from otel_mas.instrumentation.budgets.block import budget

__all__ = ["budget"]
