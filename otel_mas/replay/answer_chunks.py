"""Chunks of a streamed answer: the recorded message cut where the chunks of the stream ended.

A recording has no text twice: of each chunk it has the lengths of its texts (`mas.response.chunks`), which are taken
one after another from the message. If redaction has changed the length of a text, the cuts move in proportion.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_mas.model.stream_chunks import OTHER_CHUNK
from otel_mas.replay.answer_messages import text_of_parts

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, AIMessageChunk

LENGTH = "~"
"""Begins the text that stands for a text of so many characters."""
_JSON_FORMS: tuple[dict[str, Any], ...] = tuple(
    {"separators": separators, "ensure_ascii": escaped}
    for separators in ((",", ":"), (", ", ": "))
    for escaped in (False, True)
)
_NS = 1000  # in a microsecond
_Key = tuple[Any, ...]


class TimedChunk(NamedTuple):
    """A chunk, and how long after the one before it came; the first: after the request."""

    delay_ns: int
    message: AIMessageChunk


def message_chunks(
    message: AIMessage, parts: Sequence[Mapping[str, Any]], recorded: Mapping[str, Any] | None
) -> Iterator[TimedChunk]:
    """The chunks of an answer.

    Args:
        message: the whole answer.
        parts: of it, as recorded.
        recorded: `mas.response.chunks`; None where it was not recorded: the whole answer is then one chunk.
    """
    if not isinstance(recorded, Mapping) or not recorded.get("lengths"):
        yield TimedChunk(0, _whole(message))
        return
    each = recorded.get("each") or {}
    others = iter(recorded.get("others") or ())
    chunks = [next(others, {}) if one == OTHER_CHUNK else {**each, "content": one} for one in recorded["lengths"]]
    delays = list(recorded.get("us") or ())
    if chunks and _added_by_langchain(chunks[-1]):
        chunks.pop()
    texts = _Texts(chunks, _sources(message, parts, chunks))
    for at, chunk in enumerate(chunks):
        delay = int(delays[at]) * _NS if at < len(delays) else 0
        yield TimedChunk(delay, _chunk(chunk, texts))


def _added_by_langchain(chunk: Mapping[str, Any]) -> bool:
    """Whether it is the empty chunk that LangChain adds to a stream whose model does not say which is the last."""
    return bool(chunk.get("last")) and not chunk.get("content") and chunk.keys() <= {"content", "last"}


def _whole(message: AIMessage) -> AIMessageChunk:
    from langchain_core.messages import AIMessageChunk

    calls: list[Any] = [
        {"name": call["name"], "args": _arguments(call["args"], None), "id": call["id"], "index": at}
        for at, call in enumerate([*message.tool_calls, *message.invalid_tool_calls])
    ]
    fields = {
        name: value
        for name in ("content", "additional_kwargs", "response_metadata", "usage_metadata", "id", "name")
        if (value := getattr(message, name)) is not None
    }
    return AIMessageChunk(**fields, tool_call_chunks=calls)


def _arguments(value: Any, length: int | None) -> str:
    """Arguments of a tool call as JSON text; of the usual forms the one that has this length."""
    if isinstance(value, str) or value is None:
        return value or ""
    forms = [json.dumps(value, **form) for form in _JSON_FORMS]
    return next((text for text in forms if len(text) == length), forms[2])


class _Texts:
    """The texts of a message, handed out piece by piece.

    Args:
        chunks: as recorded, in which each text is its length.
        sources: by key the whole text, or a function that makes it of its recorded length.
    """

    def __init__(self, chunks: Sequence[Mapping[str, Any]], sources: Mapping[_Key, Any]) -> None:
        lengths: dict[_Key, list[int]] = {}
        for chunk in chunks:
            for key, length in _lengths(chunk):
                lengths.setdefault(key, []).append(length)
        self._pieces = {key: iter(_cut(sources.get(key, ""), of)) for key, of in lengths.items()}

    def next(self, key: _Key) -> str:
        """The next piece of a text."""
        return next(self._pieces.get(key, iter(())), "")


def _cut(source: Any, lengths: list[int]) -> list[str]:
    total = sum(lengths)
    text = source(total) if callable(source) else str(source)
    ends = list(accumulate(lengths))
    if total and total != len(text):
        ends = [end * len(text) // total for end in ends]
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _lengths(chunk: Mapping[str, Any]) -> Iterator[tuple[_Key, int]]:
    content = chunk.get("content")
    if isinstance(content, int):
        yield ("content",), content
    elif isinstance(content, list):
        for place, block in _placed(content):
            yield from _lengths_in(block, ("content", *place))
    for call in chunk.get("tool_calls") or ():
        yield ("arguments", call[0]), call[1]
    yield from _lengths_in(chunk.get("additional_kwargs"), ("additional_kwargs",))


def _placed(blocks: Sequence[Any]) -> Iterator[tuple[_Key, Any]]:
    """Blocks, each with what tells which block of the whole message it is a piece of."""
    for at, block in enumerate(blocks):
        index = block.get("index") if isinstance(block, Mapping) else None
        yield (("at", at) if index is None else ("index", index)), block


def _lengths_in(value: Any, key: _Key) -> Iterator[tuple[_Key, int]]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _lengths_in(item, (*key, name))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _lengths_in(item, (*key, at))
    elif (length := _length(value)) is not None:
        yield key, length


def _length(value: Any) -> int | None:
    if isinstance(value, str) and value.startswith(LENGTH) and value[1:].isdecimal():
        return int(value[1:])
    return None


def _filled(value: Any, key: _Key, texts: _Texts) -> Any:
    """The value with the next piece in place of each length."""
    if isinstance(value, Mapping):
        return {name: _filled(item, (*key, name), texts) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, (*key, at), texts) for at, item in enumerate(value)]
    return value if _length(value) is None else texts.next(key)


def _sources(
    message: AIMessage, parts: Sequence[Mapping[str, Any]], chunks: Sequence[Mapping[str, Any]]
) -> dict[_Key, Any]:
    content = message.content
    found: dict[_Key, Any] = {("content",): content if isinstance(content, str) else text_of_parts(parts)}
    if isinstance(content, list):
        for place, block in _placed(content):
            found.update(_texts_in(block, ("content", *place)))
    elif content:  # the pieces were blocks, which LangChain has joined
        found.update({key: content for chunk in chunks for key, _ in _lengths(chunk) if key[-1:] == ("text",)})
    found.update(_texts_in(message.additional_kwargs, ("additional_kwargs",)))
    calls: list[Any] = [*message.tool_calls, *message.invalid_tool_calls]
    by_id = {call["id"]: call for call in calls if call["id"]}
    order: dict[Any, Any] = {}
    for chunk in chunks:
        for index, _, *named in chunk.get("tool_calls") or ():
            if index not in order:
                in_turn = calls[len(order)] if len(order) < len(calls) else None
                order[index] = by_id.get(named[0] if named else None, in_turn)
    for index, call in order.items():
        value = None if call is None else call["args"]
        found["arguments", index] = lambda length, value=value: _arguments(value, length)
    return found


def _texts_in(value: Any, key: _Key) -> dict[_Key, str]:
    if isinstance(value, Mapping):
        return {at: text for name, item in value.items() for at, text in _texts_in(item, (*key, name)).items()}
    if isinstance(value, list):
        return {at: text for n, item in enumerate(value) for at, text in _texts_in(item, (*key, n)).items()}
    return {key: value} if isinstance(value, str) else {}


def _chunk(chunk: Mapping[str, Any], texts: _Texts) -> AIMessageChunk:
    from langchain_core.messages import AIMessageChunk

    content = chunk.get("content")
    if isinstance(content, list):
        filled: Any = [_filled(block, ("content", *place), texts) for place, block in _placed(content)]
    else:
        filled = texts.next(("content",)) if isinstance(content, int) else ""
    calls = [
        {
            "index": index,
            "args": None if length is None else texts.next(("arguments", index)),
            "id": named[0] if named else None,
            "name": named[1] if len(named) > 1 else None,
            "type": "tool_call_chunk",
        }
        for index, length, *named in chunk.get("tool_calls") or ()
    ]
    fields: dict[str, Any] = {
        "content": filled,
        "tool_call_chunks": calls,
        "additional_kwargs": _filled(chunk.get("additional_kwargs") or {}, ("additional_kwargs",), texts),
        "response_metadata": dict(chunk.get("response_metadata") or {}),
    }
    for name in ("usage_metadata", "id"):
        if chunk.get(name):
            fields[name] = chunk[name]
    if chunk.get("last"):
        fields["chunk_position"] = "last"
    return AIMessageChunk(**fields)


__all__ = ["LENGTH", "TimedChunk", "message_chunks"]
