"""Answers of a recording as LangChain's objects: what a model, a tool or a retriever returned, or raised.

Each function raises the exception that the call was recorded with, so that retries and fallbacks in the app go as they
went (`exceptions`). docs/limits.md lists the parts that a recording cannot hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from otel_mas.replay.answer_chunks import message_chunks
from otel_mas.replay.answer_messages import answer_message, text_of_parts
from otel_mas.replay.answer_results import documents_value, result_value
from otel_mas.replay.exceptions import recorded_exception
from otel_mas.replay.place import TaskPlace
from otel_mas.replay.recording import CallKind
from otel_mas.replay.substitutes import SubstitutedCall, answer_of, documents_of, result_of, unrecorded
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from langchain_core.documents import Document
    from langchain_core.messages import AIMessage
    from langchain_core.outputs import ChatGenerationChunk, ChatResult, GenerationChunk, LLMResult

    from otel_mas.replay.recording import RecordedCall

_REASON: Final = ("finish_reason", "stop_reason", "done_reason", "stopReason")


class TimedGeneration(NamedTuple):
    """A chunk of a stream, and the nanoseconds from the one before it; of the first, from the request."""

    delay_ns: int
    chunk: ChatGenerationChunk | GenerationChunk
    """Chunk of a chat model, or of a completion model."""


def raise_recorded(call: RecordedCall) -> None:
    """Raise the exception that the call ended with, if it did."""
    error = recorded_exception(call)
    if error is not None:
        raise error


def model_result(call: RecordedCall) -> ChatResult:
    """Result of a chat model's `_generate`: its candidates, with usage and metadata.

    Raises:
        BaseException: The call was recorded with it.
    """
    from langchain_core.outputs import ChatGeneration, ChatResult

    if isinstance(call, SubstitutedCall):
        return ChatResult(generations=[ChatGeneration(message=answer_of(call))])
    raise_recorded(call)
    details = _details(call)
    generations = []
    for candidate, parts in enumerate(_parts(call)):
        message = answer_message(call.span, parts, _at(details.get("messages"), candidate), candidate)
        metadata = message.response_metadata
        info = {name: metadata[name] for name in _REASON if name in metadata}
        generations.append(ChatGeneration(message=message, generation_info=info or None))
    return ChatResult(generations=generations, llm_output=details.get("output") or {})


def completion_result(call: RecordedCall) -> LLMResult:
    """Result of a completion model's `_generate` for one prompt.

    Raises:
        BaseException: The call was recorded with it.
    """
    from langchain_core.outputs import Generation, LLMResult

    if isinstance(call, SubstitutedCall):
        return LLMResult(generations=[[Generation(text=_text(answer_of(call)))]])
    raise_recorded(call)
    details = _details(call)
    found = [
        Generation(text=text_of_parts(parts), generation_info=_info(details, candidate) or None)
        for candidate, parts in enumerate(_parts(call))
    ]
    return LLMResult(generations=[found], llm_output=details.get("output") or None)


def model_chunks(call: RecordedCall) -> Iterator[TimedGeneration]:
    """Chunks of a chat model's `_stream`, with the time from each chunk to the next.

    Raises:
        BaseException: The call was recorded with it; after the chunks that had come until then.
    """
    from langchain_core.outputs import ChatGenerationChunk

    if isinstance(call, SubstitutedCall):
        for delay, chunk in message_chunks(answer_of(call), (), None):
            yield TimedGeneration(delay, ChatGenerationChunk(message=chunk))
        return
    parts = _parts(call)
    if call.output:
        details = _at(_details(call).get("messages"), 0)
        message = answer_message(call.span, parts[0], details, 0)
        for delay, chunk in message_chunks(message, parts[0], call.get(names.MAS_RESPONSE_CHUNKS)):
            yield TimedGeneration(delay, ChatGenerationChunk(message=chunk))
    raise_recorded(call)


def completion_chunks(call: RecordedCall) -> Iterator[TimedGeneration]:
    """Chunks of a completion model's `_stream`. Raises as `model_chunks`."""
    from langchain_core.messages import AIMessage
    from langchain_core.outputs import GenerationChunk

    if isinstance(call, SubstitutedCall):
        yield TimedGeneration(0, GenerationChunk(text=_text(answer_of(call))))
        return
    if call.output:
        parts = _parts(call)[0]
        whole = AIMessage(content=text_of_parts(parts))
        for delay, chunk in message_chunks(whole, parts, call.get(names.MAS_RESPONSE_CHUNKS)):
            info = chunk.response_metadata or None
            yield TimedGeneration(delay, GenerationChunk(text=str(chunk.content), generation_info=info))
    raise_recorded(call)


def questions(call: RecordedCall) -> Mapping[str, Any] | None:
    """The questions of a recorded call of a decision model; None of another model."""
    found = call.contents.get(names.GEN_AI_SYSTEM_INSTRUCTIONS)
    return found if isinstance(found, Mapping) else None


def decision_response(call: RecordedCall) -> Any:
    """Response of a decision model: a `ClassifierResponse`.

    Raises:
        BaseException: The call was recorded with it.
    """
    from langchain_core.decisions import ClassifierResponse

    if isinstance(call, SubstitutedCall):
        value = result_of(call)
        return value if isinstance(value, ClassifierResponse) else _response(call, value)
    raise_recorded(call)
    parts = _parts(call)
    return _response(call, parts[0][0].get("content") if parts and parts[0] else {})


def _response(call: RecordedCall, found: Any) -> Any:
    from langchain_core.decisions import ClassifierResponse

    tokens = (names.GEN_AI_USAGE_INPUT_TOKENS, names.GEN_AI_USAGE_OUTPUT_TOKENS)
    usage: Any = {name.rpartition(".")[2]: call.span.get(name) for name in tokens}
    return ClassifierResponse(
        model=str(call.span.get(names.GEN_AI_RESPONSE_MODEL) or call.name),
        answers=found,
        usage=usage if any(value is not None for value in usage.values()) else None,
        request_id=call.span.get(names.GEN_AI_RESPONSE_ID),
    )


def tool_result(call: RecordedCall, tool_call_id: str | None = None) -> Any:
    """Result of a tool: a value, content with its artifact, a `ToolMessage` or a `Command`.

    Args:
        call: the recorded one.
        tool_call_id: of the call that is answered; by default the recorded one.

    Returns:
        A value that `BaseTool._run` may return for it. An answer that the tool gave in place of an exception
        (`handle_tool_error`) is a `ToolMessage` with status `error`. For a tool with
        `response_format="content_and_artifact"` see `with_artifact`.

    Raises:
        BaseException: The call was recorded with it.
    """
    if isinstance(call, SubstitutedCall):
        return result_of(call)
    raise_recorded(call)
    if call.question is not None:
        from langgraph.types import interrupt

        interrupt(call.question)  # pauses as it did; with an answer it goes on, and has no recorded result
    return result_value(call, tool_call_id or call.span.get(names.GEN_AI_TOOL_CALL_ID))


def with_artifact(call: RecordedCall, result: Any) -> tuple[Any, Any]:
    """Result of a tool whose `response_format` is `content_and_artifact`; the artifact is None if it was not kept."""
    if isinstance(call, SubstitutedCall) and isinstance(result, tuple) and len(result) == 2:
        return result
    return result, call.get(names.MAS_TOOL_CALL_ARTIFACT)


def found(call: RecordedCall) -> Any:
    """Return value of a function that is marked as a retriever, whatever it returned.

    Raises:
        BaseException: The call was recorded with it.
    """
    if isinstance(call, SubstitutedCall):
        return result_of(call)
    raise_recorded(call)
    return documents_value(call)


def documents(call: RecordedCall) -> list[Document]:
    """Documents that a retriever found.

    Raises:
        BaseException: The call was recorded with it.
    """
    from langchain_core.documents import Document

    if isinstance(call, SubstitutedCall):
        return documents_of(call)
    raise_recorded(call)
    found = call.get(names.GEN_AI_RETRIEVAL_DOCUMENTS)
    return [
        Document(page_content=str(one.get("content") or ""), metadata=dict(one.get("metadata") or {}), **_identity(one))
        for one in (found if isinstance(found, list) else ())
        if isinstance(one, Mapping)
    ]


def streams(model: Any) -> bool:
    """Whether a chat model has a stream of its own."""
    from langchain_core.language_models.chat_models import BaseChatModel

    kind = type(model)
    return kind._stream is not BaseChatModel._stream or kind._astream is not BaseChatModel._astream


def whole(result: ChatResult) -> Iterator[TimedGeneration]:
    """The result of a chat model as a stream of one chunk."""
    from langchain_core.messages import AIMessage
    from langchain_core.outputs import ChatGenerationChunk

    message = result.generations[0].message
    if isinstance(message, AIMessage):
        for delay, chunk in message_chunks(message, (), None):
            yield TimedGeneration(delay, ChatGenerationChunk(message=chunk))


def of_chat_model(model: Any, prompt: str) -> RecordedCall:
    """The answer of a chat model to the prompt of a completion model."""
    from langchain_core.messages import HumanMessage

    answer = model._generate([HumanMessage(prompt)]).generations[0].message
    return unrecorded(CallKind.MODEL, "", TaskPlace(), answer)


def recorded_output(call: RecordedCall) -> Any:
    """The answer that a call got: the message of a model, the result of a tool, the documents of a retriever.

    An exception that it ended with is returned, not raised.
    """
    error = recorded_exception(call)
    if error is not None:
        return error
    if questions(call) is not None:
        return decision_response(call)
    if call.kind is CallKind.MODEL:
        return model_result(call).generations[0].message
    return tool_result(call) if call.kind is CallKind.TOOL else documents(call)


def _text(message: AIMessage) -> str:
    text: Any = message.text
    return text if isinstance(text, str) else str(text())  # in LangChain 0.3 it is a method


def _identity(document: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": str(document["id"])} if document.get("id") is not None else {}


def _details(call: RecordedCall) -> Mapping[str, Any]:
    found = call.get(names.MAS_RESPONSE_DETAILS)
    return found if isinstance(found, Mapping) else {}


def _info(details: Mapping[str, Any], candidate: int) -> dict[str, Any]:
    return dict((_at(details.get("messages"), candidate) or {}).get("response_metadata") or {})


def _at(values: Any, index: int) -> Mapping[str, Any] | None:
    if isinstance(values, list) and index < len(values) and isinstance(values[index], Mapping):
        found: Mapping[str, Any] = values[index]
        return found
    return None


def _parts(call: RecordedCall) -> list[list[Mapping[str, Any]]]:
    """The parts of each candidate; empty ones where the content was not kept, which is said before a replay begins."""
    return [list((message.body or {}).get("parts") or ()) for message in call.output]


__all__ = [
    "TimedGeneration",
    "completion_chunks",
    "completion_result",
    "decision_response",
    "documents",
    "found",
    "model_chunks",
    "model_result",
    "of_chat_model",
    "questions",
    "raise_recorded",
    "recorded_output",
    "streams",
    "tool_result",
    "whole",
    "with_artifact",
]
