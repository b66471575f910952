"""Faults of chat models: LangChain's own code calls a copy of the model whose requests are slow, cut or refused."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Iterator, Sequence
from time import sleep
from typing import TYPE_CHECKING, Any, Final

from otel_mas.faults import values, waits
from otel_mas.faults.fault import Target
from otel_mas.faults.injection import Hit, active_hits
from otel_mas.faults.place import current_place
from otel_mas.faults.rate_limits import rate_limit_error
from otel_mas.instrumentation.langchain.model_methods import REQUESTS
from otel_mas.instrumentation.langchain.models import HANDLER
from otel_mas.instrumentation.replacements import Original, with_attributes
from otel_mas.record import caught
from otel_mas.semconv.enums import FaultKind

if TYPE_CHECKING:
    from opentelemetry.trace import Span

_FAULTY: Final = "_otel_mas_faulty"
_KEEP: Final = 0.5
_REASONS: Final = {"anthropic": ("stop_reason", "max_tokens"), "google": ("finish_reason", "MAX_TOKENS")}
"""By the provider's name in the class's module: how it says that an answer was cut."""


def call(original: Original) -> Original:
    """`BaseChatModel.generate`, `agenerate`, `stream`, `astream` and their kin. Its result is returned as it is."""

    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return original(_faulty(self), *args, **kwargs)

    return call


def _faulty(model: Any) -> Any:
    """The model, or a copy of it with faulty requests where a fault is to happen."""
    if _FAULTY in vars(model):
        return model
    try:
        place, name = current_place(), model_name(model)
        waits_for = active_hits(Target.WAIT, place, name, model=name)
        hits = active_hits(Target.MODEL, place, name, model=name)
        if not hits and not waits_for:
            return model
        # They call the methods of the model itself, which may count its calls, say.
        requests = _Requests(model, hits, waits_for)
        methods = {name: _method(getattr(model, name), getattr(requests, name[1:])) for name in REQUESTS}
        return with_attributes(model, {**methods, _FAULTY: True})
    except Exception as error:
        caught("faults: model", error)
        return model


def _method(original: Any, replacement: Any) -> Any:
    """A function with the signature of the original, by which LangChain decides what to pass."""

    @functools.wraps(original)
    def method(*args: Any, **kwargs: Any) -> Any:
        return replacement(*args, **kwargs)

    return method


def model_name(model: Any) -> str:
    """The model's name, as the provider knows it; else that of its class."""
    found = next((vars(model)[name] for name in ("model_name", "model") if isinstance(vars(model).get(name), str)), "")
    return found or model._get_ls_params().get("ls_model_name") or type(model).__name__


class _Requests:
    """Requests to a model, of which each has the same faults."""

    def __init__(self, model: Any, hits: Sequence[Hit], waits_for: Sequence[Hit]) -> None:
        self._model = model
        self._hits = hits
        self._waits = waits_for

    def generate(self, *args: Any, **kwargs: Any) -> Any:
        with waits.waiting(self._waits, _span(kwargs)):
            sleep(self._before(kwargs))
            self._refuse(kwargs)
            return self._cut_result(self._model._generate(*args, **kwargs), kwargs)

    async def agenerate(self, *args: Any, **kwargs: Any) -> Any:
        async with waits.awaiting(self._waits, _span(kwargs)):
            await asyncio.sleep(self._before(kwargs))
            self._refuse(kwargs)
            return self._cut_result(await self._model._agenerate(*args, **kwargs), kwargs)

    def stream(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        with waits.waiting(self._waits, _span(kwargs)):
            sleep(self._before(kwargs))
            self._refuse(kwargs)
            chunks = self._model._stream(*args, **kwargs)
            if self._truncated() is None:
                yield from chunks
            else:
                yield from self._cut_chunks(list(chunks), kwargs)

    async def astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        async with waits.awaiting(self._waits, _span(kwargs)):
            await asyncio.sleep(self._before(kwargs))
            self._refuse(kwargs)
            chunks = self._model._astream(*args, **kwargs)
            cut = self._truncated() is not None
            whole = []
            async for chunk in chunks:
                if cut:
                    whole.append(chunk)
                else:
                    yield chunk
            for chunk in self._cut_chunks(whole, kwargs) if cut else ():
                yield chunk

    def _before(self, kwargs: dict[str, Any]) -> float:
        """Seconds to wait before the request."""
        slow = [hit for hit in self._hits if hit.fault.kind == FaultKind.MODEL_SLOW]
        for hit in slow:
            hit.record("start", span=_span(kwargs))
        return sum(hit.fault.seconds for hit in slow)

    def _refuse(self, kwargs: dict[str, Any]) -> None:
        for hit in self._hits:
            if hit.fault.kind == FaultKind.MODEL_RATE_LIMITED:
                hit.record(span=_span(kwargs))
                raise rate_limit_error(self._model)

    def _truncated(self) -> Hit | None:
        return next((hit for hit in self._hits if hit.fault.kind == FaultKind.MODEL_TRUNCATED), None)

    def _cut_result(self, result: Any, kwargs: dict[str, Any]) -> Any:
        hit = self._truncated()
        if hit is None:
            return result
        try:
            generations = [self._cut_generation(one, _keep(hit)) for one in result.generations]
            cut = result.model_copy(update={"generations": generations})
        except Exception as error:
            caught("faults: model's answer", error)
            return result
        hit.record("output", span=_span(kwargs))
        return cut

    def _cut_generation(self, generation: Any, keep: float) -> Any:
        name, reason = _reason(self._model)
        message = generation.message
        update: dict[str, Any] = {
            "content": _cut_content(message.content, keep),
            "response_metadata": {**message.response_metadata, name: reason},
        }
        if message.tool_calls:
            update |= _cut_calls(message.tool_calls)
        if message.usage_metadata:
            update["usage_metadata"] = _fewer_tokens(message.usage_metadata, keep)
        cut = message.model_copy(update=update)
        info = {**(generation.generation_info or {}), name: reason}
        return type(generation)(message=cut, generation_info=info)

    def _cut_chunks(self, chunks: list[Any], kwargs: dict[str, Any]) -> list[Any]:
        hit = self._truncated()
        if hit is None or not chunks:
            return chunks
        try:
            cut = list(self._first_chunks(chunks, _keep(hit)))
        except Exception as error:
            caught("faults: model's stream", error)
            return chunks
        hit.record("output", span=_span(kwargs))
        return cut

    def _first_chunks(self, chunks: list[Any], keep: float) -> Iterator[Any]:
        """The first of the chunks, cut within one; then one that says that the answer is cut."""
        name, reason = _reason(self._model)
        left = int(sum(len(_text(chunk)) for chunk in chunks) * keep)
        for chunk in chunks:
            text = _text(chunk)
            if left <= 0:
                break
            yield chunk if len(text) <= left else _with_text(chunk, text[:left])
            left -= len(text)
        last = chunks[-1]
        usage = next((c.message.usage_metadata for c in reversed(chunks) if c.message.usage_metadata), None)
        yield type(last)(
            message=type(last.message)(
                content="",
                response_metadata={name: reason},
                usage_metadata=None if usage is None else _fewer_tokens(usage, keep),
            ),
            generation_info={name: reason},
        )


def _keep(hit: Hit) -> float:
    return _KEEP if hit.fault.keep is None else hit.fault.keep


def _span(kwargs: dict[str, Any]) -> Span | None:
    """The span of the request, by LangChain's run; None where it is not recorded, or LangChain does not say."""
    return HANDLER.span_of(kwargs.get("run_manager"))


def _reason(model: Any) -> tuple[str, str]:
    module = type(model).__module__
    return next((reason for part, reason in _REASONS.items() if part in module), ("finish_reason", "length"))


def _cut_content(content: Any, keep: float) -> Any:
    if isinstance(content, str):
        return values.cut(content, keep)
    left = int(sum(len(part.get("text", "")) for part in content if isinstance(part, dict)) * keep)
    kept: list[Any] = []
    for part in content:
        if not isinstance(part, dict) or "text" not in part:
            continue
        if left > 0:
            kept.append({**part, "text": part["text"][:left]})
        left -= len(part["text"])
    return kept


def _cut_calls(calls: Sequence[Any]) -> dict[str, Any]:
    """Tool calls of a cut answer: the last one's arguments are half of some JSON, which LangChain calls invalid."""
    last = calls[-1]
    broken = str(last["args"])[: len(str(last["args"])) // 2]
    invalid = {"name": last["name"], "args": broken, "id": last["id"], "error": None, "type": "invalid_tool_call"}
    return {"tool_calls": list(calls[:-1]), "invalid_tool_calls": [invalid]}


def _fewer_tokens(usage: Any, keep: float) -> dict[str, Any]:
    output = int(usage["output_tokens"] * keep)
    return {**usage, "output_tokens": output, "total_tokens": usage["input_tokens"] + output}


def _text(chunk: Any) -> str:
    content = chunk.message.content
    return content if isinstance(content, str) else ""


def _with_text(chunk: Any, text: str) -> Any:
    message = chunk.message.model_copy(update={"content": text, "tool_call_chunks": []})
    return type(chunk)(message=message, generation_info=chunk.generation_info)


__all__ = ["call", "model_name"]
