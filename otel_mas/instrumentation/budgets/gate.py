"""The gate that each call of a model or tool goes through: is there enough left of every budget around it."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from opentelemetry import context as otel_context
from opentelemetry.trace import get_current_span

from otel_mas.config.limits import Limits
from otel_mas.errors import BudgetExceeded
from otel_mas.errors.log import logger
from otel_mas.fork import ForkLock
from otel_mas.instrumentation.budgets.accounts import Account, lasting_key, trace_key
from otel_mas.instrumentation.budgets.ledger import LEDGER
from otel_mas.instrumentation.budgets.words import amount, exceeded_message, warning_message
from otel_mas.instrumentation.logs.ids import ids_of
from otel_mas.model import BUDGET_EVENT
from otel_mas.record import RecentlyUsed, caught
from otel_mas.semconv import attributes as names
from otel_mas.store.spending import SpendingKey, Spent

_WARN_AT: Final = 0.8  # of a limit
_MOST_ACCOUNTS: Final = 4096
_CONFIG: Final = "langchain_core.runnables.config"
_ERRORS: Final = "langgraph.errors"
BLOCKS_KEY: Final = otel_context.create_key("otel-mas-budgets")
"""A key of the OTel context: the `Scope`s around the code."""

_lock = ForkLock()
_shared: RecentlyUsed[Any, Account] = RecentlyUsed(_MOST_ACCOUNTS)
"""Accounts that do not belong to one block: of users and conversations; of runs and agents, by the settings."""
_unpriced: set[str] = set()
"""Models that are known to be without a price."""
_everywhere: tuple[Scope, ...] = ()


class Here(NamedTuple):
    """Whom a call is made for; None where that is not known."""

    trace: str | None
    agent: str | None
    user: str | None
    conversation: str | None


class Line(NamedTuple):
    """One account that a call is counted on, for a budget."""

    scope: Scope
    account: Account
    key: SpendingKey | None
    """Its key in the store; None: it is not counted there."""
    expires_ns: int | None


class Scope:
    """One budget in force, and the accounts of a block; without a block, each run has its own.

    Args:
        limits: of the budget.
        block: whether it is for the calls of one block, all of them together.
    """

    def __init__(self, limits: Limits, *, block: bool) -> None:
        self.limits = limits
        self.spent = Spent()
        """Spent within it by this process, whatever it is counted for."""
        self._accounts: dict[str, Account] | None = {} if block else None

    def line(self, here: Here) -> Line:
        """The account that a call is counted on."""
        if self.limits.per in ("user", "conversation"):
            return self._lasting((here.user if self.limits.per == "user" else here.conversation) or "")
        agent = (here.agent or "") if self.limits.per == "agent" else ""
        account = self._of_run(here.trace, agent)
        if here.trace is None:
            return Line(self, account, None, None)
        key, expires_ns = trace_key(self.limits.per, here.trace, agent)
        account.count_at(key)
        return Line(self, account, key, expires_ns)

    def _of_run(self, trace: str | None, agent: str) -> Account:
        per = self.limits.per
        if self._accounts is not None:
            return self._accounts.setdefault(agent, Account(per, agent if per == "agent" else "the block"))
        owner = agent if per == "agent" else f"run {trace}"
        if trace is None:  # a call outside of everything is a run of its own
            return Account(per, owner)
        return _shared.setdefault((per, trace, agent), Account(per, owner))

    def _lasting(self, owner: str) -> Line:
        key, expires_ns = lasting_key(self.limits, owner)
        account = _shared.get(key)
        if account is None:
            account = Account(self.limits.per, owner)
            account.own = LEDGER.added(key)
            account.count_at(key)
            account = _shared.setdefault(key, account)
        return Line(self, account, key, expires_ns)


@dataclass(slots=True, eq=False)
class Charge:
    """A call that has begun, on the accounts of every budget around it."""

    what: str
    lines: Sequence[Line]
    began: float = field(default_factory=time.monotonic)
    began_ns: int = field(default_factory=time.time_ns)

    @property
    def accounts(self) -> Iterable[Account]:
        """Each account once."""
        return dict.fromkeys(line.account for line in self.lines)


def set_everywhere(limits: Sequence[Limits]) -> None:
    """Set the budgets that hold in the whole process."""
    global _everywhere
    _everywhere = tuple(Scope(one, block=False) for one in limits)


def scopes_here() -> tuple[Scope, ...]:
    """The budgets around this code."""
    blocks: Any = otel_context.get_current().get(BLOCKS_KEY, ())
    return (*_everywhere, *blocks) if blocks else _everywhere


def begin(what: str, calls: int = 1, *, model: bool = False) -> list[Charge]:
    """Let calls begin, and count them.

    Args:
        what: is called, for people: `the tool search`.
        calls: how many at once, which begin all or none.

    Returns:
        A charge for each call, to `end`; none where there is no budget.

    Raises:
        BudgetExceeded: They would go beyond a budget. None of them is counted.
    """
    scopes = scopes_here()
    if not scopes:
        return []
    try:
        here = _here()
        with _lock:
            lines = [scope.line(here) for scope in scopes]
        LEDGER.refresh({line.key for line in lines if line.key is not None})
        with _lock:
            for line in lines:
                _check(line.scope.limits, line.account, calls, what, here)
            return [_begun(what, lines, model) for _ in range(calls)]
    except BudgetExceeded:
        raise
    except Exception as error:
        caught("budgets: before a call", error)
        return []


def end(charge: Charge, spent: Spent = Spent()) -> None:  # noqa: B008 - a tuple
    """Add what a call has spent; its `calls` are counted already."""
    try:
        with _lock:
            for account in charge.accounts:
                account.end(charge, spent)
            for line in charge.lines:
                line.scope.spent = line.scope.spent.plus(spent)
        keys = {line.key: line.expires_ns for line in charge.lines if line.key is not None}
        LEDGER.add(spent._replace(calls=1), keys, charge.began_ns)
        with _lock:
            for line in charge.lines:
                _warn(line.scope.limits, line.account)
                if spent.unpriced and line.scope.limits.usd is not None and charge.what not in _unpriced:
                    _unpriced.add(charge.what)
                    logger.warning("otel-mas: a budget in USD cannot count %s: its price is not known", charge.what)
    except Exception as error:
        caught("budgets: after a call", error)


def _begun(what: str, lines: Sequence[Line], model: bool) -> Charge:
    charge = Charge(what, lines)
    for account in charge.accounts:
        account.begin(charge, model=model)
    for line in lines:
        line.scope.spent = line.scope.spent.plus(Spent(calls=1))
    return charge


def _here() -> Here:
    span = get_current_span()
    found = ids_of(span)
    valid = span.get_span_context().is_valid
    return Here(
        found["trace_id"] if valid else None,
        found.get("agent"),
        found.get("user_id"),
        found.get("conversation_id") or _thread(),
    )


def _thread() -> str | None:
    """LangGraph's thread, where nothing is recorded."""
    module: Any = sys.modules.get(_CONFIG)
    config = None if module is None else module.var_child_runnable_config.get()
    configurable = config.get("configurable") if isinstance(config, dict) else None
    thread = configurable.get("thread_id") if isinstance(configurable, dict) else None
    return None if thread is None else str(thread)


def _check(limits: Limits, account: Account, calls: int, what: str, here: Here) -> None:
    spent, under_way = account.spent(), account.under_way()
    for name, most in limits:
        now = amount(name, spent, account)
        coming = under_way.usd if name == "usd" else under_way.tokens if name == "tokens" else 0.0
        if (now + calls > most) if name == "calls" else (now + coming >= most):
            by = f"agent {here.agent}" if here.agent else None
            message = exceeded_message(limits, name, account, spent, under_way, what, by)
            _record(limits, name, account, now, exceeded=True)
            raise _stop(message, budget=name, spent=now, maximum=most, per=limits.per, owner=account.owner)


def _warn(limits: Limits, account: Account) -> None:
    spent = account.spent()
    for name, most in limits:
        now = amount(name, spent, account)
        if now >= _WARN_AT * most and (limits, name) not in account.warned:
            account.warned.add((limits, name))
            logger.warning("otel-mas: %s", warning_message(limits, name, account, spent))
            _record(limits, name, account, now, exceeded=False)


def _record(limits: Limits, name: str, account: Account, now: float, *, exceeded: bool) -> None:
    """Record on the current span that a budget is nearly spent, or that it is and the next call was not made."""
    get_current_span().add_event(
        BUDGET_EVENT,
        {
            names.MAS_BUDGET_AMOUNT: name,
            names.MAS_BUDGET_PER: limits.per,
            names.MAS_BUDGET_OWNER: account.owner,
            names.MAS_BUDGET_SPENT: float(now),
            names.MAS_BUDGET_MAXIMUM: float(getattr(limits, name)),
            names.MAS_BUDGET_EXCEEDED: exceeded,
        },
    )


def _stop(message: str, **about: Any) -> BudgetExceeded:
    """The exception; where LangGraph is loaded, one that its retries and handlers of tools' errors let through."""
    errors: Any = sys.modules.get(_ERRORS)
    base = getattr(errors, "GraphBubbleUp", None)
    return (BudgetExceeded if base is None else _passing(base))(message, **about)


@functools.cache
def _passing(base: type[Exception]) -> type[BudgetExceeded]:
    """`BudgetExceeded` that is LangGraph's `GraphBubbleUp` as well.

    LangGraph, its ToolNode and LangChain's middleware pass these on: they retry none, hand none to an error handler,
    and make no tool message of them for the model to read.
    """

    def reduce(self: BudgetExceeded) -> Any:
        return BudgetExceeded, self.args, vars(self)

    own = {"__module__": BudgetExceeded.__module__, "__doc__": BudgetExceeded.__doc__, "__reduce__": reduce}
    return type("BudgetExceeded", (BudgetExceeded, base), own)


__all__ = ["BLOCKS_KEY", "Charge", "Scope", "begin", "end", "scopes_here", "set_everywhere"]
