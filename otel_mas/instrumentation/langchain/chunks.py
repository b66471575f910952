"""Ends of the chunks of a stream, and when they came.

Texts are counted, not kept: the answer has them whole, where redaction can read them. A chunk that is text alone, which
most are, is the number of its characters; another one is its fields, with `~` and the length in place of each text.
The numbers lie apart from the fields, which redaction has to read: it would take longer than the app for the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_mas.instrumentation.langchain.details import without_logprobs
from otel_mas.model.stream_chunks import OTHER_CHUNK
from otel_mas.record import caught, instance_dict

_MAX_CHUNKS: Final = 4096  # of a stream; the later ones are added up
_NAMES: Final = frozenset(("type", "id", "index", "name", "call_id", "tool_call_id", "status", "mime_type", "role"))
"""Fields of a block whose texts are no pieces of content."""
_US: Final = 1e6  # in a second
_NOTHING: Final[dict[str, Any]] = {}


class ChunkLengths:
    """The lengths of a stream's chunks.

    Args:
        started: when the call was made, on the clock of `perf_counter`, in seconds.
    """

    __slots__ = ("_each", "_lengths", "_others", "_started", "_times")

    def __init__(self, started: float) -> None:
        self._started = started
        self._times: list[float] = []
        self._lengths: list[int] = []
        self._others: list[Any] = []
        self._each: dict[str, Any] | None = None

    def add(self, now: float, chunk: Any) -> None:
        """Note a chunk. Called for each token of every stream."""
        try:
            message = instance_dict(chunk).get("message")
            fields = instance_dict(message) if message is not None else instance_dict(chunk)
            text = fields.get("content")
            if (
                type(text) is str
                and not fields.get("tool_call_chunks")
                and fields.get("usage_metadata") is None
                and not fields.get("additional_kwargs")
                and not fields.get("chunk_position")
            ):
                metadata = fields.get("response_metadata") or _NOTHING
                if self._each is None:
                    self._each = metadata
                if metadata == self._each:
                    self._add_plain(now, len(text))
                    return
            if len(self._lengths) < 2 * _MAX_CHUNKS:
                self._times.append(now)
                self._lengths.append(OTHER_CHUNK)
                self._others.append(_described(fields, chunk))
        except Exception as error:
            caught("langchain: chunk", error)

    def _add_plain(self, now: float, length: int) -> None:
        if len(self._lengths) < _MAX_CHUNKS or self._lengths[-1] == OTHER_CHUNK:
            self._times.append(now)
            self._lengths.append(length)
        else:
            self._lengths[-1] += length

    def recorded(self) -> dict[str, Any]:
        """Value of `mas.response.chunks`: by chunk `us`, microseconds from the one before, and its length.

        A length of -1 stands for the next one of `others`; `each` has the fields of all that are a length.
        """
        before, delays = self._started, []
        for now in self._times:
            delays.append(int((now - before) * _US))
            before = now
        found: dict[str, Any] = {"us": delays, "lengths": self._lengths}
        if self._others:
            found["others"] = self._others
        if self._each:
            found["each"] = {"response_metadata": self._each}
        return found


def _described(fields: Mapping[str, Any], chunk: Any) -> dict[str, Any]:
    content = fields.get("content")
    if content is None:  # of a completion model
        return {"content": len(instance_dict(chunk).get("text") or ""), **_info(chunk)}
    found: dict[str, Any] = {"content": len(content) if type(content) is str else lengths(content)}
    if calls := fields.get("tool_call_chunks"):
        found["tool_calls"] = [_call(call) for call in calls]
    if metadata := fields.get("response_metadata"):
        found["response_metadata"] = without_logprobs(metadata)
    if usage := fields.get("usage_metadata"):
        found["usage_metadata"] = usage
    if others := fields.get("additional_kwargs"):
        found["additional_kwargs"] = lengths(others)
    if fields.get("chunk_position") == "last":
        found["last"] = True
    return found


def _info(chunk: Any) -> dict[str, Any]:
    info = instance_dict(chunk).get("generation_info")
    return {"response_metadata": without_logprobs(info)} if info else {}


def _call(call: Any) -> list[Any]:
    """Index and length of the arguments; of the first piece also id and name."""
    arguments, identity, name = call.get("args"), call.get("id"), call.get("name")
    found = [call.get("index"), None if arguments is None else len(arguments)]
    return found if identity is None and name is None else [*found, identity, name]


def lengths(value: Any) -> Any:
    """A value with `~` and the length in place of each text that is a piece of content."""
    kind = type(value)
    if kind is str:
        return f"~{len(value)}"
    if kind is dict:
        return {name: item if name in _NAMES else lengths(item) for name, item in value.items()}
    return [lengths(item) for item in value] if kind is list else value


__all__ = ["ChunkLengths", "lengths"]
