"""`budget`: a block or a function whose calls of models and tools stay within limits."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from opentelemetry import context as otel_context

from otel_mas.config.limits import Every, Limits, Per
from otel_mas.errors import ConfigError
from otel_mas.instrumentation.budgets import hook_table
from otel_mas.instrumentation.budgets.gate import BLOCKS_KEY, Scope
from otel_mas.instrumentation.stepped import async_stepped, stepped
from otel_mas.pricing import PRICES
from otel_mas.record import restore_context
from otel_mas.store.spending import Spent

if TYPE_CHECKING:
    from contextvars import Token
    from types import TracebackType

    from opentelemetry.context import Context

Function = TypeVar("Function", bound=Callable[..., Any])


class budget:  # noqa: N801 (used as a function)
    """Limit what the calls of models and tools spend, in a `with` block or in each call of a decorated function.

    Before a call that would go beyond a limit, `otel_mas.errors.BudgetExceeded` is raised, and the call is not made.
    It holds for everything that the block runs: threads, coroutines and graphs of LangGraph. Other processes that
    record into the same store count too, with all that they spend in the same runs. At 80 % a warning is logged.

    Args:
        usd: the cost of model calls, in US dollars. Models without a known price are not counted, which is said.
        tokens: of model calls, input and output.
        calls: of models and tools.
        seconds: of a run since the block began; else the time that model calls took.
        per: what is counted on its own: `run` is the block, all of it together; `agent`, each agent in it; `user` and
            `conversation`, each of them, in whichever run and process (docs/budgets.md).
        every: for users and conversations, "hour", "day" or "month" (UTC) in which it may be spent; None: for good.

    Raises:
        ConfigError: A limit or another argument is invalid.
    """

    def __init__(
        self,
        *,
        usd: float | None = None,
        tokens: int | None = None,
        calls: int | None = None,
        seconds: float | None = None,
        per: Per = "run",
        every: Every | None = None,
    ) -> None:
        try:
            self._limits = Limits(usd, tokens, calls, seconds, per, every)
        except ValueError as error:
            raise ConfigError(f"a budget needs {error}") from None
        self._scope = Scope(self._limits, block=True)
        self._token: Token[Context] | None = None

    @property
    def spent(self) -> Spent:
        """The amounts that this process has spent within the block; `unpriced` are calls without a known price."""
        return self._scope.spent

    def __enter__(self) -> Self:
        if self._token is not None:
            raise ConfigError("a budget is entered once at a time: make another one for another block")
        self._token = otel_context.attach(self._started().context())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        token, self._token = self._token, None
        restore_context(token)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def context(self) -> Context:
        """The current context, with the budget in it."""
        around: Any = otel_context.get_current().get(BLOCKS_KEY, ())
        return otel_context.set_value(BLOCKS_KEY, (*around, self._scope))

    def __call__(self, function: Function) -> Function:
        if isinstance(function, type) or not callable(function):
            shown = "a class" if isinstance(function, type) else type(function).__name__
            raise ConfigError(
                f"a budget is for a function, not for {shown}: put what it is to hold for in a `with` block"
            )
        kind = inspect.unwrap(function)
        if inspect.isasyncgenfunction(kind):
            return cast("Function", self._async_generator(function))
        if inspect.isgeneratorfunction(kind):
            return cast("Function", self._generator(function))
        if inspect.iscoroutinefunction(kind):

            @functools.wraps(function)
            async def coroutine(*args: Any, **kwargs: Any) -> Any:
                with self._again():
                    return await function(*args, **kwargs)

            return cast("Function", coroutine)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return function(*args, **kwargs)

        return cast("Function", call)

    def _again(self) -> budget:
        """The same budget for one call of a function."""
        limits = self._limits
        return budget(**{name: getattr(limits, name) for name in Limits.__slots__})

    def _started(self) -> Self:
        """This budget, with nothing spent of it."""
        if self._limits.usd is not None:
            PRICES.prepare()
        hook_table.put()
        self._scope = Scope(self._limits, block=True)
        return self

    def _generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            return (yield from stepped(function(*args, **kwargs), self._again()._started().context))

        return call

    def _async_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            return async_stepped(function(*args, **kwargs), self._again()._started().context)

        return call


__all__ = ["budget"]
