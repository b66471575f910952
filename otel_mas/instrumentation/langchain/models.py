"""Spans of model calls, from the calls of LangChain's callback managers (`managers`).

The parent of a call is the span that is current when it starts. Its own span is made current only together with other
instrumentation (`interop`), while the model runs or until its first chunk: the end of a call may come in another task
or thread than its start.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry import context as otel_context
from opentelemetry.trace import SpanKind

from otel_mas.config import OWN
from otel_mas.instrumentation.endings import cancelled
from otel_mas.instrumentation.interop import missing_scope
from otel_mas.instrumentation.langchain.chunks import ChunkLengths
from otel_mas.instrumentation.langchain.details import response_details
from otel_mas.instrumentation.langchain.messages import MESSAGES, Plain, modalities
from otel_mas.instrumentation.langchain.requests import Target, request_options, start_attributes, target
from otel_mas.instrumentation.langchain.responses import end_attributes, outputs
from otel_mas.instrumentation.langchain.structured import Asked, answered, asked
from otel_mas.instrumentation.replacements import Original, around
from otel_mas.pricing import PRICES
from otel_mas.record import (
    ACTOR_KEY,
    MODEL_PATH,
    SUPPRESSED,
    Cause,
    caught,
    current_actor,
    guarded,
    is_a,
    recorder,
    recording_context,
    restore_context,
)
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import LinkKind, Operation

if TYPE_CHECKING:
    from contextvars import Token
    from uuid import UUID

    from langchain_core.outputs import LLMResult
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from otel_mas.record import Actor, Recorder

_MAX_OPEN = 16_384  # calls; LangChain forgets to end some, and a process may run for months
_NOTHING: dict[str, Any] = {}


def _key(run_id: Any) -> object:
    """Key of a call. LangChain's ids are UUIDs, whose hash is a function in Python."""
    return getattr(run_id, "int", run_id)


@dataclass(slots=True, eq=False)
class Call:
    """A call that has not been answered yet."""

    run_id: object
    span: Span
    target: Target
    actor: Actor | None
    started: float
    first_chunk: float | None = None
    chunks: ChunkLengths | None = None
    chunk_count: int = 0
    form: Asked | None = None
    options: dict[str, Any] | None = None
    """Parameters of the request that are no attributes."""
    simulated: bool = False
    """Nobody is charged for it: it is answered from a recording."""
    _token: Token[Context] | None = None

    @property
    def entered(self) -> bool:
        """Whether its span is current."""
        return self._token is not None

    def enter(self) -> None:
        """Make its span current, until `leave`."""
        self._token = otel_context.attach(recording_context(self.span))

    def leave(self) -> None:
        """Restore the context from before. Does nothing if its span is not current."""
        token, self._token = self._token, None
        restore_context(token)


# The calls that the `generate` around this code has started.
_started: ContextVar[list[Call] | None] = ContextVar("otel-mas model calls", default=None)


class ModelCalls:
    """The open calls. Methods have the names of LangChain's callbacks."""

    def __init__(self) -> None:
        self._open: dict[object, Call] = {}  # by `_key`
        # Whether a streamed call is current until its first chunk: from then on, its reader's code runs in between.
        self.streams_are_current = False

    # -- start -----------------------------------------------------------------------------------------------------

    def on_chat_model_start(
        self, serialized: Any, messages: Sequence[Any], run_id: UUID, metadata: Any, extra: dict[str, Any]
    ) -> None:
        """Start the span of a chat model's call. `extra` are LangChain's further keyword arguments."""
        try:
            self._start(recorder(), Operation.CHAT, serialized, messages, run_id, metadata, extra)
        except Exception as error:
            caught("langchain: model start", error)

    @guarded("langchain: completion start")
    def on_llm_start(self, serialized: Any, prompt: str, run_id: UUID, metadata: Any, extra: dict[str, Any]) -> None:
        """Start the span of a completion model's call."""
        messages = [Plain("user", prompt)]
        self._start(recorder(), Operation.TEXT_COMPLETION, serialized, messages, run_id, metadata, extra)

    def _start(
        self,
        rec: Recorder,
        operation: Operation,
        serialized: Any,
        messages: Sequence[Any],
        run_id: UUID,
        metadata: Any,
        extra: dict[str, Any],
    ) -> None:
        if rec.settings.model_spans != OWN:
            missing_scope.unrecorded_call()
            return
        context = otel_context.get_current()
        if context.get(SUPPRESSED):
            return
        if not PRICES.loading:
            PRICES.prepare()
        metadata = metadata or _NOTHING
        params = extra.get("invocation_params") or _NOTHING
        called = target(operation, serialized, metadata, params)
        options = extra.get("options")
        attributes = start_attributes(called, metadata, params, options, messages)
        span = rec.start_span(called.name, attributes, kind=SpanKind.CLIENT, parent=context)
        if not span.is_recording():
            return
        actor: Any = context.get(ACTOR_KEY)
        key = _key(run_id)
        call = Call(key, span, called, actor, perf_counter())
        if len(self._open) >= _MAX_OPEN:
            self._drop_oldest()
        if options:
            call.form = asked(options)
        self._open[key] = call
        started = _started.get()
        if started is not None:
            started.append(call)
        elif self.streams_are_current:
            call.enter()
        digests = rec.messages(span, "input", messages, MESSAGES)
        if actor is not None and digests:
            writers = actor.provenance.record_read(actor, actor.path + MODEL_PATH, digests, messages)
            if writers:
                rec.add_causes(span, [Cause(writer, LinkKind.MESSAGE) for writer in writers])
        tools = params.get("tools") or params.get("functions")
        if tools:
            rec.content(span, names.GEN_AI_TOOL_DEFINITIONS, tools)
        if requested := request_options(params, options):
            call.options = requested
            rec.content(span, names.MAS_REQUEST_OPTIONS, requested)

    def enter(self, run_manager: Any) -> Call | None:
        """Make the span of a run current, until `leave` of the result."""
        call = self._open.get(_key(run_manager.run_id)) if run_manager is not None else None
        if call is None or call.entered:
            return None
        call.enter()
        return call

    def call_of(self, run_manager: Any) -> Call | None:
        """The open call of a run, or the newest one here where the run is not known; None where there is none."""
        if run_manager is not None:
            return self._open.get(_key(run_manager.run_id))
        actor = current_actor()
        return next((call for call in reversed(list(self._open.values())) if call.actor is actor), None)

    def span_of(self, run_manager: Any) -> Span | None:
        """The span of this call; None where there is none."""
        call = self.call_of(run_manager)
        return None if call is None else call.span

    def simulate(self, span: Span) -> None:
        """Mark the call of an open span as one that nobody is charged for."""
        call = next((call for call in reversed(list(self._open.values())) if call.span is span), None)
        if call is not None:
            call.simulated = True

    # -- meanwhile -------------------------------------------------------------------------------------------------

    def on_chunk(self, run_id: UUID, chunk: Any = None) -> None:
        """Note when a chunk came, and where it ended."""
        call = self._open.get(_key(run_id))
        if call is None:
            return
        now = perf_counter()
        call.chunk_count += 1
        if call.first_chunk is None:
            call.first_chunk = now
            call.leave()
            if chunk is not None and recorder().settings.content != "none":
                call.chunks = ChunkLengths(call.started)
        if call.chunks is not None:
            call.chunks.add(now, chunk)

    # -- end -------------------------------------------------------------------------------------------------------

    def on_llm_end(self, response: LLMResult, run_id: UUID) -> None:
        """Record the answer, and end the span."""
        call = self._open.pop(_key(run_id), None)
        if call is None:
            return
        try:
            self._finish(call, response)
        except Exception as error:
            caught("langchain: model end", error)

    @guarded("langchain: model error")
    def on_llm_error(self, error: BaseException, run_id: UUID, response: LLMResult | None) -> None:
        """Record the error, and end the span. There is no error if the stream's reader stopped reading."""
        call = self._open.pop(_key(run_id), None)
        if call is None:
            return
        try:
            if not is_a(error, "GeneratorExit") and not cancelled(call.span, error):
                recorder().record_exception(call.span, error)
        finally:
            self._finish(call, _before(response))

    def _finish(self, call: Call, response: LLMResult | None) -> None:
        try:
            self._record_answer(call, response)
        finally:
            if call.entered:
                call.leave()
            call.span.end()

    def _record_answer(self, call: Call, response: LLMResult | None) -> None:
        """Generations of the response, or the chunks before the end."""
        rec = recorder()
        span = call.span
        generations = response.generations[0] if response is not None and response.generations else ()
        if generations and response is not None:
            messages = outputs(generations)
            simulated = rec.settings.simulated_cost or call.simulated
            attributes = end_attributes(
                call.target, generations, response.llm_output, simulated, call.first_chunk is not None, span
            )
            attributes[names.MAS_OUTPUT_MODALITIES] = modalities(messages)
            # A task mostly adds them to its graph's state, where they are digested again.
            digests = rec.messages(span, "output", messages, MESSAGES, again=call.actor is not None)
            if call.actor is not None and digests:
                call.actor.provenance.record_write(
                    call.actor.path + MODEL_PATH, span.get_span_context(), digests, messages
                )
            if call.form is not None:
                answered(call.form, span, messages[0])
            rec.json_content(span, names.MAS_RESPONSE_DETAILS, response_details(generations, response.llm_output))
        else:
            attributes = {}
        if call.first_chunk is not None:
            attributes[names.GEN_AI_REQUEST_STREAM] = True
            attributes[names.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK] = call.first_chunk - call.started
            attributes[names.MAS_RESPONSE_CHUNK_COUNT] = call.chunk_count
            if call.chunks is not None:
                rec.json_content(span, names.MAS_RESPONSE_CHUNKS, call.chunks.recorded())
        rec.set_attributes(span, attributes)

    @guarded("langchain: calls left")
    def leave(self, calls: Sequence[Call], error: BaseException) -> None:
        """End the calls whose end LangChain does not report: cancelled ones, others of a failed batch, a failed one."""
        for call in calls:
            if self._open.pop(call.run_id, None) is not None:
                # A failed one: LangChain itself fails at an exception that has every attribute by `__getattr__`.
                if not cancelled(call.span, error) and len(calls) == 1:
                    recorder().record_exception(call.span, error)
                call.span.end()

    @guarded("langchain: stream abandoned")
    def abandon(self, run_id: object) -> None:
        """End a call whose stream nobody reads any more."""
        call = self._open.pop(_key(run_id), None)
        if call is not None:
            self._finish(call, None)

    def _drop_oldest(self) -> None:
        try:
            oldest = next(iter(self._open))
        except (StopIteration, RuntimeError):  # another thread was faster
            return
        self.abandon(oldest)


def _before(response: LLMResult | None) -> LLMResult | None:
    """Generations before an error, if any: LangChain also makes an empty message of the error's own text."""
    first = response.generations[0][:1] if response is not None and response.generations else ()
    message = getattr(first[0], "message", None) if first else None
    if message is not None and not (message.content or message.tool_calls or message.usage_metadata):
        return None
    return response


HANDLER = ModelCalls()
"""The process's."""


class _Batch(NamedTuple):
    """The calls of one `generate`."""

    outer: list[Call] | None
    calls: list[Call]


def _begin_batch(*_: Any, **__: Any) -> _Batch:
    batch = _Batch(_started.get(), [])
    _started.set(batch.calls)
    return batch


def _end_batch(batch: _Batch, error: BaseException | None, _: Any) -> None:
    if error is not None:
        HANDLER.leave(batch.calls, error)
    # Not a token's reset: that fails in another context, where a coroutine may be closed.
    _started.set(batch.outer)


# When one of several prompts fails, LangChain forgets the runs of the others; when it is cancelled, all of them.
generate, agenerate = around(_begin_batch, _end_batch, "langchain: batch of model calls")


def _begin_current(_: Any, messages: Any = None, stop: Any = None, run_manager: Any = None, **__: Any) -> Call | None:
    return HANDLER.enter(run_manager)


def _end_current(call: Call, _: BaseException | None, __: Any) -> None:
    call.leave()


# `_generate_with_cache` and its twin, while the model runs. Only where something else instruments: clients and HTTP,
# whose spans are then nested in the model's.
generate_current, agenerate_current = around(_begin_current, _end_current, "langchain: current model call")


def iter_events(original: Original) -> Original:
    """`BaseChatModel._iter_v2_events`: a stream of protocol events that is dropped ends no run."""

    @functools.wraps(original)
    def _iter_v2_events(self: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        try:
            yield from original(self, *args, **kwargs)
        except GeneratorExit:
            HANDLER.abandon(kwargs["run_manager"].run_id)
            raise

    return _iter_v2_events


__all__ = ["HANDLER", "ModelCalls", "agenerate", "agenerate_current", "generate", "generate_current", "iter_events"]
