"""Models in a replay: LangChain's own code calls a copy of the model that is answered from the recording.

So callbacks, spans, streams, structured output and the parsing of tool calls stay what they are.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextvars import ContextVar
from time import sleep
from typing import Any, Final

from otel_mas.errors import ConfigError
from otel_mas.instrumentation.langchain.messages import Plain
from otel_mas.instrumentation.langchain.model_methods import REQUESTS
from otel_mas.instrumentation.langchain.models import HANDLER
from otel_mas.instrumentation.replacements import Original
from otel_mas.record import MAX_MESSAGES, recorded_attributes, snapshot
from otel_mas.replay import answers
from otel_mas.replay.active import answered_copy, session_for
from otel_mas.replay.matching import PARAMETERS
from otel_mas.replay.recording import CallKind, RecordedCall
from otel_mas.replay.request import Form, MessageForm, Request, message_form, role_and_parts
from otel_mas.replay.session import Answer, ReplaySession
from otel_mas.semconv import attributes as names

_NATIVE_EVENTS: Final = ("_stream_chat_model_events", "_astream_chat_model_events")
_MODEL_FIELDS: Final = ("model_name", "model", "model_id")
_NS: Final = 1e-9
_run: ContextVar[Any] = ContextVar("otel-mas-replay-run", default=None)
"""The manager of the run whose answer is being made."""


def chat(original: Original) -> Original:
    """`BaseChatModel.generate`, `agenerate`, `stream`, `astream` and their kin. Its result is returned as it is."""

    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return original(_answered(self, _Chat), *args, **kwargs)

    return call


def completion(original: Original) -> Original:
    """`BaseLLM.generate`, `agenerate`, `stream`, `astream`."""

    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return original(_answered(self, _Completion), *args, **kwargs)

    return call


def _answered(model: Any, kind: type[_Model]) -> Any:
    """A copy of the model whose requests are answered by the replay; the model itself where there is none."""
    session = session_for(model)
    if session is None:
        return model
    requests = kind(model, session)
    replayed = answered_copy(model, {name: getattr(requests, name[1:]) for name in REQUESTS if hasattr(model, name)})
    if hasattr(model, "_generate_with_cache") and hasattr(model, "_agenerate_with_cache"):
        vars(replayed)["_generate_with_cache"] = _known_run(replayed._generate_with_cache)
        vars(replayed)["_agenerate_with_cache"] = _aknown_run(replayed._agenerate_with_cache)
    for native in _NATIVE_EVENTS:
        if hasattr(model, native):
            vars(replayed)[native] = None  # LangChain makes the events of the chunks then
    if session.policy.nothing_live and getattr(model, "rate_limiter", None) is not None:
        vars(replayed)["rate_limiter"] = None
    return replayed


def _known_run(original: Original) -> Original:
    """`_generate_with_cache`: it does not tell `_stream` which run that is, and the newest may be another."""

    @functools.wraps(original)
    def call(*args: Any, run_manager: Any = None, **kwargs: Any) -> Any:
        token = _run.set(run_manager)
        try:
            return original(*args, run_manager=run_manager, **kwargs)
        finally:
            _run.reset(token)

    return call


def _aknown_run(original: Original) -> Original:
    """`_agenerate_with_cache`, likewise."""

    @functools.wraps(original)
    async def call(*args: Any, run_manager: Any = None, **kwargs: Any) -> Any:
        token = _run.set(run_manager)
        try:
            return await original(*args, run_manager=run_manager, **kwargs)
        finally:
            _run.reset(token)

    return call


class _Model:
    """Requests to a model in a replay."""

    def __init__(self, model: Any, session: ReplaySession) -> None:
        self._model = model
        self._session = session

    def _ask(self, messages: Sequence[Any], kwargs: dict[str, Any], run_manager: Any) -> Answer:
        call = HANDLER.call_of(run_manager if run_manager is not None else _run.get())
        span = None if call is None else call.span
        attributes = recorded_attributes(span) if span is not None else {}
        name = str(attributes.get(names.GEN_AI_REQUEST_MODEL) or "")
        request = _request(self._session, name, messages, attributes, kwargs)
        if call is not None and call.options and self._session.recording.has_options:
            request.head["options"] = snapshot(call.options)[0]
        return self._session.answer(CallKind.MODEL, name, request, span, messages)

    def _called(self, answer: Answer, messages: Any) -> tuple[Any, Any]:
        """The model that is really called, and the messages for it."""
        model = self._model if answer.model is None else answer.model
        if isinstance(model, str):
            model = _renamed(self._model, model)
        return model, messages if answer.messages is None else answer.messages

    def _streamed(self, chunks: Iterable[answers.TimedGeneration], run_manager: Any) -> Iterator[Any]:
        """The chunks, as LangChain's own integrations give them out."""
        for timed in chunks:
            if self._session.policy.timing:
                sleep(timed.delay_ns * _NS)
            if run_manager is not None:
                run_manager.on_llm_new_token(timed.chunk.text, chunk=timed.chunk)
            yield timed.chunk

    async def _astreamed(self, chunks: Iterable[answers.TimedGeneration], run_manager: Any) -> AsyncIterator[Any]:
        """The same without blocking the event loop."""
        for timed in chunks:
            if self._session.policy.timing:
                await asyncio.sleep(timed.delay_ns * _NS)
            if run_manager is not None:
                await run_manager.on_llm_new_token(timed.chunk.text, chunk=timed.chunk)
            yield timed.chunk


class _Chat(_Model):
    """A chat model's methods, with LangChain's signatures."""

    def generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        answer = self._ask(messages, kwargs, run_manager)
        if answer.call is None:
            model, messages = self._called(answer, messages)
            return model._generate(messages, stop=stop, **_taken(model._generate, kwargs, run_manager))
        self._session.take_time(answer.call)
        return answers.model_result(answer.call)

    async def agenerate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        answer = self._ask(messages, kwargs, run_manager)
        if answer.call is None:
            model, messages = self._called(answer, messages)
            return await model._agenerate(messages, stop=stop, **_taken(model._agenerate, kwargs, run_manager))
        await self._session.atake_time(answer.call)
        return answers.model_result(answer.call)

    def stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        answer = self._ask(messages, kwargs, run_manager)
        if answer.call is None:
            model, messages = self._called(answer, messages)
            if answers.streams(model):
                yield from model._stream(messages, stop=stop, **_with_manager(kwargs, run_manager))
                return
            chunks = answers.whole(model._generate(messages, stop=stop, **_taken(model._generate, kwargs, None)))
        else:
            chunks = answers.model_chunks(answer.call)
        yield from self._streamed(chunks, run_manager)

    async def astream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        answer = self._ask(messages, kwargs, run_manager)
        if answer.call is None:
            model, messages = self._called(answer, messages)
            if answers.streams(model):
                async for chunk in model._astream(messages, stop=stop, **_with_manager(kwargs, run_manager)):
                    yield chunk
                return
            given = _taken(model._agenerate, kwargs, None)
            chunks = answers.whole(await model._agenerate(messages, stop=stop, **given))
        else:
            chunks = answers.model_chunks(answer.call)
        async for chunk in self._astreamed(chunks, run_manager):
            yield chunk


class _Completion(_Model):
    """A completion model's methods, with LangChain's signatures."""

    def _call(self, prompt: str, kwargs: dict[str, Any], run_manager: Any) -> RecordedCall | None:
        """The call that answers a prompt; None: the model is to be called. A chat model as stub is asked here."""
        answer = self._ask([Plain("user", prompt)], kwargs, run_manager)
        if answer.call is not None or answer.model is None:
            return answer.call
        return answers.of_chat_model(answer.model, prompt)

    def generate(self, prompts: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        calls = [self._call(prompt, kwargs, run_manager) for prompt in prompts]
        if any(call is None for call in calls):
            return self._model._generate(prompts, stop=stop, **_with_manager(kwargs, run_manager))
        self._session.take_time(*filter(None, calls))
        return _together([answers.completion_result(call) for call in calls if call is not None])

    async def agenerate(self, prompts: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        calls = [self._call(prompt, kwargs, run_manager) for prompt in prompts]
        if any(call is None for call in calls):
            return await self._model._agenerate(prompts, stop=stop, **_with_manager(kwargs, run_manager))
        await self._session.atake_time(*filter(None, calls))
        return _together([answers.completion_result(call) for call in calls if call is not None])

    def stream(self, prompt: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        call = self._call(prompt, kwargs, run_manager)
        if call is None:
            yield from self._model._stream(prompt, stop=stop, **_with_manager(kwargs, run_manager))
            return
        yield from self._streamed(answers.completion_chunks(call), run_manager)

    async def astream(
        self, prompt: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        call = self._call(prompt, kwargs, run_manager)
        if call is None:
            async for chunk in self._model._astream(prompt, stop=stop, **_with_manager(kwargs, run_manager)):
                yield chunk
            return
        async for chunk in self._astreamed(answers.completion_chunks(call), run_manager):
            yield chunk


def _renamed(model: Any, name: str) -> Any:
    """A copy of a model with the name of another one of its class.

    Raises:
        ConfigError: No field of it is known to have the name.
    """
    field = next((one for one in _MODEL_FIELDS if one in type(model).model_fields), None)
    if field is None:
        kind = type(model).__name__
        raise ConfigError(f"{kind} has no field for the name of its model: give a chat model in place of {name!r}")
    return model.model_copy(update={field: name})


def _taken(method: Any, kwargs: dict[str, Any], run_manager: Any) -> dict[str, Any]:
    """Keyword arguments for a model's own method, as LangChain would call it."""
    takes = "run_manager" in inspect.signature(method).parameters
    return {**kwargs, "run_manager": run_manager} if takes else kwargs


# LangChain looks at the signature at each call; of a function that has one at hand that takes no time.
for _kind in (_Chat, _Completion):
    for _name in ("generate", "agenerate"):
        _method = getattr(_kind, _name)
        _method.__signature__ = inspect.signature(_method)


def _with_manager(kwargs: dict[str, Any], run_manager: Any) -> dict[str, Any]:
    return kwargs if run_manager is None else {**kwargs, "run_manager": run_manager}


def _together(results: Sequence[Any]) -> Any:
    from langchain_core.outputs import LLMResult

    return LLMResult(generations=[result.generations[0] for result in results], llm_output=results[0].llm_output)


def _request(
    session: ReplaySession, name: str, messages: Sequence[Any], attributes: Any, kwargs: dict[str, Any]
) -> Request:
    """The request of a call that is made here, as the recording has it."""
    messages = messages[-MAX_MESSAGES:]
    head = {"model": name, **{parameter: attributes.get(parameter) for parameter in PARAMETERS}}
    head["tools"] = _plain_tools(session, kwargs.get("tools") or kwargs.get("functions"))
    known = [_form(session, message) for message in messages]
    return Request(head, _Read(messages), session.normaliser, known=known)


class _Read(Sequence[Any]):
    """Role and parts of messages, read only when they are asked for: most requests match as they are."""

    def __init__(self, messages: Sequence[Any]) -> None:
        self._messages = messages

    def __len__(self) -> int:
        return len(self._messages)

    def __getitem__(self, index: Any) -> Any:
        return role_and_parts(self._messages[index])


def _form(session: ReplaySession, message: Any) -> MessageForm:
    key = _key(message)
    known = session.forms.get(key) if key is not None else None
    if known is None:
        known = message_form(*role_and_parts(message), Form.AS_IT_IS, session.normaliser)
        if key is not None:
            session.forms.put(key, known)
    return known


def _key(message: Any) -> object | None:
    """The content of a plain message; None for one of many parts, which is read each time."""
    fields = getattr(message, "__dict__", {})
    content, kind = fields.get("content"), fields.get("type")
    if type(content) is str and kind in ("human", "system"):
        return (kind, content)
    if type(content) is str and kind == "ai" and not fields.get("tool_calls") and not fields.get("invalid_tool_calls"):
        return (kind, content) if not fields.get("additional_kwargs") else None
    return None


def _plain_tools(session: ReplaySession, tools: Any) -> Any:
    """Definitions of tools as plain values; those of the same list are read once."""
    if not tools:
        return None
    known = session.tools.get(id(tools))
    if known is None or known[0] is not tools:
        known = (tools, snapshot(tools)[0])
        session.tools.put(id(tools), known)
    return known[1]


__all__ = ["chat", "completion"]
