"""Marks: a span around a `with` block, or around each call of a function, coroutine function or generator."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, ParamSpec, Protocol, Self, TypeVar, cast, overload

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind

from otel_mas.instrumentation.endings import record_ending
from otel_mas.instrumentation.marks.causes import CausedBy, causes_of, sender_context
from otel_mas.instrumentation.stepped import async_step, stepped
from otel_mas.record import guarded, is_a, recorder, recording_context, restore_context

if TYPE_CHECKING:
    from contextvars import Token
    from types import TracebackType

P = ParamSpec("P")
Function = TypeVar("Function", bound=Callable[..., Any])
M = TypeVar("M", bound="Mark")
M_co = TypeVar("M_co", bound="Mark", covariant=True)


class Marker(Protocol[P, M_co]):
    """A function that makes marks, and is a decorator without parentheses as well: `@agent`."""

    @overload  # a callable is never a name
    def __call__(self, function: Function, /) -> Function: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> M_co: ...


def marker(make: Callable[P, M]) -> Marker[P, M]:
    """Let `make` take a function in place of the name, to mark that function."""

    @functools.wraps(make)
    def call(*args: Any, **kwargs: Any) -> Any:
        if args and args[0] is not None and not isinstance(args[0], str):
            return make(None, *args[1:], **kwargs)(args[0])  # type: ignore[arg-type] # the name is the first parameter
        return make(*args, **kwargs)

    return cast("Marker[P, M]", call)


class Answerer(Protocol):
    """Something that may answer a call of a marked function in place of its body, such as a replay."""

    def __call__(self, mark: Mark, arguments: Mapping[str, Any], /) -> MarkAnswer | None:
        """The answer to a call that has just begun; None: the body is to run."""


class MarkAnswer(NamedTuple):
    """An answer in place of a marked function's body."""

    take: Callable[[], Any]
    """Returns it, or raises it."""
    wait_s: float = 0.0
    """Seconds until it is there."""


_answerer: Answerer | None = None
_on_begin: Callable[[Mark], None] | None = None


def answer_calls_by(answerer: Answerer | None, on_begin: Callable[[Mark], None] | None = None) -> None:
    """Have the calls of marked functions answered, or run again. Generators and blocks always run.

    Args:
        answerer: answers calls; None: they run.
        on_begin: is called with each mark once it has a span, blocks and generators too.
    """
    global _answerer, _on_begin
    _answerer, _on_begin = answerer, on_begin


class Kind(NamedTuple):
    """The span of one kind of mark."""

    prefix: str
    """First word of the span's name."""
    default_name: str
    name_keys: tuple[str, ...]
    """Attributes that the mark's name becomes."""
    attributes: Mapping[str, Any]
    span_kind: SpanKind = SpanKind.INTERNAL


class Mark:
    """A span for some code, under whatever is current: a LangGraph task, another mark, a span of the app's.

    Used as `with mark:` or `async with mark:` it stands for that block, once. Used as `@mark` on a function, coroutine
    function, generator or async generator, each call is a span of its own. While recording is off it does nothing.
    """

    _kind: ClassVar[Kind]

    span: Span = INVALID_SPAN
    """The OpenTelemetry span; an invalid one before the block is entered, and while recording is off."""
    _token: Token[Context] | None = None

    def __init__(
        self, name: str | None = None, caused_by: CausedBy = None, options: Mapping[str, Any] | None = None
    ) -> None:
        """Make a mark. `options` are more attributes of its span; None is no value."""
        self._name = name
        self._caused_by = caused_by
        self._options = {key: value for key, value in (options or {}).items() if value is not None}

    @property
    def name(self) -> str:
        """The name that it is recorded under."""
        return self._name or self._kind.default_name

    # -- for the kinds of marks to override ------------------------------------------------------------------------

    def _describe(self) -> tuple[str, dict[str, Any]]:
        """The span's name and first attributes."""
        kind = self._kind
        name = self.name
        return f"{kind.prefix} {name}", {**kind.attributes, **dict.fromkeys(kind.name_keys, name), **self._options}

    def admit(self) -> None:
        """Raise where the code may not run; nothing is recorded yet."""

    def _before_start(self) -> None:
        """Prepare; there is no span yet."""

    def _on_arguments(self, arguments: Mapping[str, Any]) -> None:
        """Record the arguments of a decorated function."""

    def _on_result(self, result: Any) -> None:
        """Record the result of a decorated function."""

    def _before_end(self, error: BaseException | None) -> None:
        """Record how the code ended, before its span does."""

    # -- around a block --------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self.admit()
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

    # -- around a call ---------------------------------------------------------------------------------------------

    def __call__(self, function: Function) -> Function:
        kind, signature = inspect.unwrap(function), _Signature(function)
        if inspect.isasyncgenfunction(kind):
            marked = _async_generator(function, self, signature)
        elif inspect.isgeneratorfunction(kind):
            marked = _generator(function, self, signature)
        elif inspect.iscoroutinefunction(kind):
            marked = _coroutine(function, self, signature)
        else:
            marked = _plain(function, self, signature)
        return cast("Function", marked)

    def for_call(self, name: str) -> Self:
        """The same mark for one call of a function of this name."""
        call = object.__new__(type(self))
        call.__dict__.update(self.__dict__)
        if call._name is None:
            call._name = name
        return call

    def begin_call(self, signature: _Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Self | None:
        """Begin the same mark for one call of a generator; its span is not current. None: nothing is recorded."""
        call = self.for_call(signature.name)
        call.admit()
        if not recorder().active or not call.begin():
            return None
        call.record_arguments(signature.arguments(args, kwargs))
        return call

    # -- its steps, which generators take one by one ---------------------------------------------------------------

    @guarded("mark: begin")
    def begin(self) -> bool:
        """Start the span, which is not current yet. Whether that was possible."""
        self._before_start()
        name, attributes = self._describe()
        causes, parent = causes_of(self._caused_by), sender_context(self._caused_by)
        self.span = recorder().start_span(name, attributes, causes=causes, parent=parent, kind=self._kind.span_kind)
        if _on_begin is not None:
            _on_begin(self)
        return self.span is not INVALID_SPAN

    def context(self) -> Context:
        """The current context, with the span in it."""
        return recording_context(self.span)

    @guarded("mark: arguments")
    def record_arguments(self, arguments: Mapping[str, Any]) -> None:
        """Record the arguments of a decorated function."""
        if self.span.is_recording():
            self._on_arguments(arguments)

    @guarded("mark: result")
    def record_result(self, result: Any) -> None:
        """Record the result of a decorated function."""
        if self.span.is_recording():
            self._on_result(result)

    @guarded("mark: end")
    def end(self, error: BaseException | None = None) -> None:
        """End the span, with an error if there was one."""
        try:
            if self.span.is_recording():
                self._before_end(error)
                if error is not None and not is_a(error, "KeyboardInterrupt") and not is_a(error, "SystemExit"):
                    record_ending(self.span, error)
        finally:
            self.span.end()


class _Signature:
    """Names of a function's parameters."""

    __slots__ = ("_bound", "_names", "name")

    def __init__(self, function: Callable[..., Any]) -> None:
        self.name: str = getattr(function, "__name__", type(function).__name__)
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):  # some builtins have none
            parameters = {}.values()
        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        self._names = [parameter.name for parameter in parameters if parameter.kind in positional]
        self._bound = self._names[:1] in (["self"], ["cls"])

    def arguments(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a call by name, without the object that a method is of."""
        named = dict(zip(self._names, args, strict=False))
        if self._bound:
            named.pop(self._names[0], None)
        named.update((f"*{place}", value) for place, value in enumerate(args[len(self._names) :]))
        named.update(kwargs)
        return named


def _plain(function: Callable[..., Any], mark: Mark, signature: _Signature) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not recorder().active:
            mark.for_call(signature.name).admit()
            return function(*args, **kwargs)
        with mark.for_call(signature.name) as begun:
            arguments = signature.arguments(args, kwargs)
            begun.record_arguments(arguments)
            answer = None if _answerer is None else _answerer(begun, arguments)
            if answer is None:
                result = function(*args, **kwargs)
            else:
                time.sleep(answer.wait_s)
                result = answer.take()
            begun.record_result(result)
        return result

    return call


def _coroutine(function: Callable[..., Any], mark: Mark, signature: _Signature) -> Callable[..., Any]:
    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        if not recorder().active:
            mark.for_call(signature.name).admit()
            return await function(*args, **kwargs)
        with mark.for_call(signature.name) as begun:
            arguments = signature.arguments(args, kwargs)
            begun.record_arguments(arguments)
            answer = None if _answerer is None else _answerer(begun, arguments)
            if answer is None:
                result = await function(*args, **kwargs)
            else:
                import asyncio

                await asyncio.sleep(answer.wait_s)
                result = answer.take()
            begun.record_result(result)
        return result

    return call


# A generator's span is current while its own code runs, and not for its reader: its context is put in place for each
# step and taken away before the item is handed out.


def _generator(function: Callable[..., Any], mark: Mark, signature: _Signature) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        begun = mark.begin_call(signature, args, kwargs)
        if begun is None:
            return (yield from function(*args, **kwargs))
        try:
            result = yield from stepped(function(*args, **kwargs), begun.context)
        except BaseException as error:
            begun.end(error)
            raise
        begun.record_result(result)
        begun.end()
        return result

    return call


def _async_generator(function: Callable[..., Any], mark: Mark, signature: _Signature) -> Callable[..., Any]:
    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        begun = mark.begin_call(signature, args, kwargs)
        context = None if begun is None else begun.context
        generator = function(*args, **kwargs)
        step, value = generator.asend, None
        try:
            while True:
                try:
                    item = await async_step(context, step, value)
                except StopAsyncIteration:
                    break
                try:
                    step, value = generator.asend, (yield item)
                except GeneratorExit:
                    await async_step(context, generator.aclose)
                    raise
                except BaseException as error:
                    step, value = generator.athrow, error
        except BaseException as error:
            if begun is not None:
                begun.end(error)
            raise
        if begun is not None:
            begun.end()

    return call


__all__ = ["Answerer", "Function", "Kind", "Mark", "MarkAnswer", "answer_calls_by", "marker"]
