"""Marks: spans around a `with` block, or around calls of a function of any kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind

from otel_mas.instrumentation.endings import left_by
from otel_mas.instrumentation.marks.causes import CausedBy, causes_of, sender_context
from otel_mas.instrumentation.marks.current_task import as_task
from otel_mas.instrumentation.marks.decorating import decorated
from otel_mas.record import guarded, is_a, recorder, recording_context, restore_context

if TYPE_CHECKING:
    from contextvars import Token
    from types import TracebackType

Function = TypeVar("Function", bound=Callable[..., Any])


class Mark:
    """A span for some code, under whatever is current: a LangGraph task, another mark, a span of the app's.

    Used as `with mark:` or `async with mark:` it stands for that block, once. Used as `@mark` on a function, coroutine
    function, generator or async generator, each call is a span of its own. While recording is off it does nothing.
    """

    _kind: ClassVar[SpanKind] = SpanKind.INTERNAL
    _is_task: ClassVar[bool] = False

    span: Span = INVALID_SPAN
    """The OpenTelemetry span; an invalid one before the block is entered, and while recording is off."""
    _token: Token[Context] | None = None

    def __init__(self, name: str | None = None, *, caused_by: CausedBy = None) -> None:
        self._name = name
        self._caused_by = caused_by

    @classmethod
    def of(cls, name: Any, **options: Any) -> Any:
        """The mark of this name; where a function stands in the name's place, as in `@agent`, that function, marked."""
        if name is None or isinstance(name, str):
            return cls(name, **options)
        return cls(**options)(name)

    # -- implemented by each kind of mark -------------------------------------------------------------------------

    def _describe(self) -> tuple[str, dict[str, Any]]:
        """The span's name and first attributes."""
        raise NotImplementedError

    def _join(self) -> None:
        """The code is about to run; there is no span yet."""

    def _given(self, arguments: Mapping[str, Any]) -> None:
        """A decorated function is called with these."""

    def _returned(self, result: Any) -> None:
        """A decorated function returned this."""

    def _left(self, error: BaseException | None) -> None:
        """The code returned, or was left by `error`; the span is about to end."""

    # -- around a block --------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        if recorder().active and self.begin():
            self._token = otel_context.attach(self.context())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        token, self._token = self._token, None
        if token is not None:
            restore_context(token)
            self.end(error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    # -- around a function -----------------------------------------------------------------------------------------

    def __call__(self, function: Function) -> Function:
        return decorated(function, self)

    def for_call(self, name: str) -> Self:
        """The same mark for one call of a function of this name."""
        call = object.__new__(type(self))
        call.__dict__.update(self.__dict__)
        if call._name is None:
            call._name = name
        return call

    # -- its steps, which generators take one by one ---------------------------------------------------------------

    @guarded("mark: begin")
    def begin(self) -> bool:
        """Start the span, which is not current yet. Whether that was possible."""
        self._join()
        name, attributes = self._describe()
        causes, parent = causes_of(self._caused_by), sender_context(self._caused_by)
        self.span = recorder().start_span(name, attributes, causes=causes, parent=parent, kind=self._kind)
        return self.span is not INVALID_SPAN

    def context(self) -> Context:
        """The current context, with the span in it."""
        context = recording_context(self.span)
        return as_task(self, context) if self._is_task else context

    @guarded("mark: end")
    def end(self, error: BaseException | None = None) -> None:
        """End the span: the code returned, or was left by `error`."""
        try:
            if self.span.is_recording():
                self._left(error)
                if error is not None and not is_a(error, "KeyboardInterrupt") and not is_a(error, "SystemExit"):
                    left_by(self.span, error)
        finally:
            self.span.end()

    @guarded("mark: arguments")
    def given(self, arguments: Mapping[str, Any]) -> None:
        """Record what a decorated function is called with."""
        if self.span.is_recording():
            self._given(arguments)

    @guarded("mark: result")
    def returned(self, result: Any) -> None:
        """Record what a decorated function returned."""
        if self.span.is_recording():
            self._returned(result)


__all__ = ["Mark"]
