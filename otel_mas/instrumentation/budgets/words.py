"""Budgets in words, and the amounts that are held against them."""

from __future__ import annotations

from otel_mas.config.limits import Limits
from otel_mas.instrumentation.budgets.accounts import Account, UnderWay
from otel_mas.store.spending import Spent

_UNITS = {"usd": "USD", "tokens": "tokens", "calls": "calls", "seconds": "s"}


def amount(name: str, spent: Spent, account: Account) -> float:
    """How much of an amount is spent. Seconds of a run are those since it began."""
    if name == "seconds" and account.per == "run":
        return account.elapsed_s()
    return float(getattr(spent, name))


def exceeded_message(
    limits: Limits, name: str, account: Account, spent: Spent, under_way: UnderWay, what: str, by: str | None
) -> str:
    """The message of `BudgetExceeded`: which budget, what is spent of it, by whom, and what was not called."""
    called = f"{what} was not called" if by is None else f"{what} was not called by {by}"
    text = f"{_spent_of(limits, name, account, spent)}, so {called}"
    coming = {"usd": under_way.usd, "tokens": under_way.tokens}.get(name, 0.0)
    if coming:
        text += f"; {under_way.calls} model calls under way may add {_shown(name, coming)}"
    return text + _unpriced(name, spent)


def warning_message(limits: Limits, name: str, account: Account, spent: Spent) -> str:
    """The line of the log, once 80 % are spent."""
    return f"{_spent_of(limits, name, account, spent)}{_unpriced(name, spent)}"


def _spent_of(limits: Limits, name: str, account: Account, spent: Spent) -> str:
    every = "" if limits.every is None else f" and {limits.every}"
    now, most = _shown(name, amount(name, spent, account)), _shown(name, getattr(limits, name))
    are = "is" if now.startswith("1 ") else "are"
    return f"{now} of the budget of {most} per {limits.per}{every} {are} spent{_owner(account)}"


def _owner(account: Account) -> str:
    if account.per == "run":
        return f" by {account.owner}"
    return f" by {account.per} {account.owner}" if account.owner else f" by calls of which no {account.per} is known"


def _shown(name: str, value: float) -> str:
    shown = f"{value:.4g}" if name in ("usd", "seconds") else f"{round(value):,}"
    unit = _UNITS[name]
    return f"{shown} {unit.removesuffix('s') if shown == '1' and name != 'seconds' else unit}"


def _unpriced(name: str, spent: Spent) -> str:
    if name != "usd" or not spent.unpriced:
        return ""
    calls = "1 model call" if spent.unpriced == 1 else f"{spent.unpriced} model calls"
    return f"; the price of {calls} is not known and not counted"


__all__ = ["amount", "exceeded_message", "warning_message"]
