"""Content that spans carry in their attributes and events: messages, and everything else by name.

Spans of ours carry it where the app allowed it to leave (`otel_mas.store.content` adds it then): texts in the
attributes of the GenAI conventions, and the digests of the same messages, position by position, beside them. Spans of
other instrumentation have no digests; theirs are made of the content.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import chain
from typing import Any, Final

import orjson

from otel_mas.dialects import MESSAGE_PREFIXES, OWN_SCOPE, contents, foreign_messages
from otel_mas.dialects.messages import message_of
from otel_mas.dialects.reading import parsed_json, with_lists
from otel_mas.model import STATE_EVENT, Content, Event, Message, MessageRef, Span
from otel_mas.model.fit import CUT
from otel_mas.model.search import Match, TextSearch
from otel_mas.semconv import ContentClass, content_class
from otel_mas.semconv import attributes as names

CONTENT_DIGEST_BYTES: Final = 20
"""Size of a digest that is made of content, without a key. A digest of ours has 16 bytes, so none is taken for one."""
PLAIN: Final = frozenset(
    {
        names.GEN_AI_TOOL_DESCRIPTION,
        names.GEN_AI_RETRIEVAL_QUERY_TEXT,
        names.GEN_AI_EVALUATION_EXPLANATION,
        names.MAS_GUARDRAIL_REASON,
        names.MAS_ROUTING_REASON,
        names.EXCEPTION_MESSAGE,
        names.EXCEPTION_STACKTRACE,
    }
)
"""Names whose values are text in the conventions; other content of the registry is JSON."""
OF_MESSAGES: Final = frozenset(
    {
        names.GEN_AI_INPUT_MESSAGES,
        names.GEN_AI_OUTPUT_MESSAGES,
        names.GEN_AI_SYSTEM_INSTRUCTIONS,
        names.MAS_MESSAGE_BODIES,
    }
)
MISSING: Final = "missing"
"""Type of the part that stands for a message that was not kept."""

_REGISTRY = frozenset(value for name, value in vars(names).items() if name.isupper() and isinstance(value, str))
_WITHHELD_MESSAGES = "messages"  # the reason why messages of a span were withheld
_OWN_CONTENT = frozenset(
    {*(name for name in _REGISTRY if content_class(name) is ContentClass.CONTENT), _WITHHELD_MESSAGES}
    - {*OF_MESSAGES, names.MAS_STATE_VALUES}
)
_SIDES = (
    ("input", names.MAS_INPUT_MESSAGES, names.GEN_AI_INPUT_MESSAGES),
    ("output", names.MAS_OUTPUT_MESSAGES, names.GEN_AI_OUTPUT_MESSAGES),
)
_EXCEPTION = "exception"
_DETAILS = "gen_ai.client.inference.operation.details"

_Body = dict[str, Any]


@dataclass(slots=True)
class TraceContent:
    """Content of the spans of one trace, read once."""

    refs: list[MessageRef] = field(default_factory=list)
    messages: dict[str, Message] = field(default_factory=dict)
    """By digest. Of one that several spans carry the whole one, else the longest."""
    contents: dict[str, list[Content]] = field(default_factory=dict)
    """By span id."""
    times: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Start and end of each span."""

    @classmethod
    def of(cls, spans: Iterable[Span]) -> TraceContent:
        """Read the attributes and events of these spans, which decodes their bodies."""
        found = cls()
        cut_sizes: dict[str, int] = {}
        for span in spans:
            found._add(span, cut_sizes)
        return found

    def search(self, wanted: TextSearch) -> Iterator[Match]:
        """Messages and other content that hold a text, each message once: at its writer, else at its first reader."""
        snippets = {digest: wanted.in_message(message) for digest, message in self.messages.items()}
        known: set[str] = set()
        for ref in sorted(self.refs, key=lambda ref: ref.direction == "input"):
            snippet = snippets.get(ref.digest)
            if snippet and ref.digest not in known:
                known.add(ref.digest)
                at_ns = self.times[ref.span_id][ref.direction == "output"]
                yield Match(ref.trace_id, ref.span_id, ref.direction, at_ns, snippet, digest=ref.digest)
        for content in chain.from_iterable(self.contents.values()):
            if snippet := wanted.in_content(content.value):
                at_ns = self.times[content.span_id][0]
                yield Match(content.trace_id, content.span_id, "content", at_ns, snippet, name=content.name)

    def _add(self, span: Span, cut_sizes: dict[str, int]) -> None:
        self.times[span.span_id] = span.start_ns, span.last_ns
        carrying = _carrying(span)
        shortened = set(_texts(span.attributes.get(names.MAS_CONTENT_CUT)))
        for side, digests_name, content_name in _SIDES:
            digests = _texts(span.attributes.get(digests_name))
            if digests:
                pairs = list(_with_digests(side, digests, carrying))
                whole = not shortened.intersection((content_name, names.GEN_AI_SYSTEM_INSTRUCTIONS))
            else:
                found = foreign_messages(side, span.as_written(carrying))
                pairs, whole = [(digest_of(body), body) for body in found], True
                digests = [digest for digest, _ in pairs]
            self.refs += [MessageRef(span.trace_id, span.span_id, side, at, one) for at, one in enumerate(digests)]
            for digest, body in pairs:
                self._keep(digest, body, cut_sizes, whole=whole)
        self._add_states(span)
        for digest, body in _state_values(span):
            self._keep(digest, body, cut_sizes, whole=names.MAS_STATE_VALUES not in shortened)
        for message in _bodies(span.attributes.get(names.MAS_MESSAGE_BODIES)):
            cut_sizes.pop(message.digest, None)
            self.messages[message.digest] = message
        contents = list(contents_of(span))
        if contents:
            self.contents.setdefault(span.span_id, []).extend(contents)

    def _add_states(self, span: Span) -> None:
        """Keep the values that the span wrote into a state, by digest, where an event of it has them."""
        values = next((event.attributes for event in span.events if event.name == STATE_EVENT), None)
        if values:
            changed = _texts(span.attributes.get(names.MAS_STATE_CHANGED))
            digests = _texts(span.attributes.get(names.MAS_STATE_DIGESTS))
            for name, digest in zip(changed, digests, strict=False):
                if name in values:
                    self.messages.setdefault(digest, Message(digest, "", {"value": parsed_json(values[name])}))

    def _keep(self, digest: str, body: _Body, cut_sizes: dict[str, int], *, whole: bool) -> None:
        if digest in self.messages and digest not in cut_sizes:
            return
        if whole:
            cut_sizes.pop(digest, None)
        else:
            size = len(repr(body))
            if size <= cut_sizes.get(digest, -1):
                return
            cut_sizes[digest] = size
        kept = body if "parts" in body else {name: value for name, value in body.items() if name != "role"}
        self.messages[digest] = Message(digest, body["role"], kept)


def contents_of(span: Span) -> Iterator[Content]:
    """Content of a span other than messages: tool arguments and results, exception text, questions, reasons.

    Of a span of ours these are the names of the registry; of another one every name that is known to hold content.
    """
    own = span.scope.name == OWN_SCOPE
    derived = {} if own else contents(span.as_written())
    for name, value in derived.items():
        yield Content(span.trace_id, span.span_id, name, value)
    for name, value in span.attributes.items():
        if name in derived:
            continue
        if name in _OWN_CONTENT:
            yield Content(span.trace_id, span.span_id, name, _value(name, value))
        elif not own and _is_foreign_content(name) and not (derived and parsed_json(value) in derived.values()):
            yield Content(span.trace_id, span.span_id, name, with_lists(value))
    exceptions = [event.attributes for event in span.events if event.name == _EXCEPTION]
    for name in (names.EXCEPTION_MESSAGE, names.EXCEPTION_STACKTRACE, names.MAS_ERROR_SOURCE):
        text = next((one[name] for one in reversed(exceptions) if one.get(name)), None)
        if text is not None and name not in span.attributes:
            yield Content(span.trace_id, span.span_id, name, _value(name, text))


def _is_foreign_content(name: str) -> bool:
    if name in _REGISTRY or name.startswith(MESSAGE_PREFIXES):
        return False
    return content_class(name) is ContentClass.CONTENT


def digest_of(message: Mapping[str, Any]) -> str:
    """A digest of a message's role and parts: equal for equal content, 40 hex digits, where one of ours has 32."""
    message_content = [message["role"], message["parts"]]
    try:
        text = orjson.dumps(message_content, default=str, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # nested too deeply, or a number past 64 bits
        text = repr(message_content).encode("utf-8", "replace")
    return blake2b(text, digest_size=CONTENT_DIGEST_BYTES, person=b"otel-mas content").hexdigest()


def _carrying(span: Span) -> Mapping[str, Any]:
    """The attributes of the span, with those of the event that has its messages where the span does not."""
    details: list[Event] = [event for event in span.events if event.name == _DETAILS]
    return span.attributes if not details else {**details[-1].attributes, **span.attributes}


def _with_digests(side: str, digests: Sequence[str], attributes: Mapping[str, Any]) -> Iterator[tuple[str, _Body]]:
    """The messages of a side, each with the digest at its position."""
    if side == "output":
        messages = _messages(attributes.get(names.GEN_AI_OUTPUT_MESSAGES))
        front, back = _around_the_cut(messages)
        yield from _placed(digests, front, 0)
        yield from _placed(digests, back, len(digests) - len(back))
        return
    messages = _messages(attributes.get(names.GEN_AI_INPUT_MESSAGES))
    front, back = _around_the_cut(messages)
    left_out = sum(map(_left_out, messages))
    systems = len(digests) - len(front) - len(back) - left_out
    instructions = parsed_json(attributes.get(names.GEN_AI_SYSTEM_INSTRUCTIONS))
    yield from _instructions(digests[: max(0, systems)], instructions)
    yield from _placed(digests, front, systems)
    yield from _placed(digests, back, len(digests) - len(back))


def _bodies(value: Any) -> Iterator[Message]:
    """Messages with their digests; a value of a state has the role `state`."""
    found = parsed_json(value)
    for item in found if isinstance(found, list) else ():
        if isinstance(item, Mapping) and isinstance(item.get("digest"), str):
            role = str(item.get("role", ""))
            if "parts" in item:
                yield Message(item["digest"], role, message_of(item))
            else:
                body = {name: field for name, field in item.items() if name not in ("digest", "role")}
                yield Message(item["digest"], role, body or None)


def _around_the_cut(messages: list[_Body]) -> tuple[list[_Body], list[_Body]]:
    """The messages before the one that stands for those left out, and those after it; all of them are after none."""
    places = [place for place, message in enumerate(messages) if _left_out(message)]
    return (messages[: places[0]], messages[places[-1] + 1 :]) if places else ([], messages)


def _placed(digests: Sequence[str], messages: Sequence[_Body], start: int) -> Iterator[tuple[str, _Body]]:
    for place, message in enumerate(messages, start):
        if 0 <= place < len(digests) and not _is_missing(message):
            yield digests[place], message


def _instructions(digests: Sequence[str], parts: Any) -> Iterator[tuple[str, _Body]]:
    """System messages whose parts stand one after the other; none where it is not known which part is of which."""
    if not digests or not isinstance(parts, list) or not parts:
        return
    places = [place for place, part in enumerate(parts) if _part_type(part) == CUT and "messages" in part]
    first, last = (parts[: places[0]], parts[places[-1] + 1 :]) if places else (parts, [])
    if len(digests) == 1 or places:
        if first and _part_type(first[0]) != MISSING:
            yield digests[0], {"role": "system", "parts": first}
    elif len(first) == len(digests):
        last = first
    for digest, part in zip(reversed(digests), reversed(last), strict=False):
        if _part_type(part) != MISSING:
            yield digest, {"role": "system", "parts": [part]}


def _messages(value: Any) -> list[_Body]:
    found = parsed_json(value)
    return [message_of(one) for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _state_values(span: Span) -> Iterator[tuple[str, _Body]]:
    """Values written to a state, and the messages among them."""
    found = parsed_json(span.attributes.get(names.MAS_STATE_VALUES))
    for digest, body in found.items() if isinstance(found, Mapping) else ():
        if isinstance(body, Mapping):
            yield digest, {**body, "role": str(body.get("role", ""))}


def _left_out(message: _Body) -> int:
    """How many messages this one stands for; 0 where it is one itself."""
    parts = message["parts"]
    if message["role"] != "system" or len(parts) != 1 or _part_type(parts[0]) != CUT:
        return 0
    return int(parts[0].get("messages") or 0)


def _is_missing(message: _Body) -> bool:
    parts = message["parts"]
    return len(parts) == 1 and _part_type(parts[0]) == MISSING


def _part_type(part: Any) -> Any:
    return part.get("type") if isinstance(part, Mapping) else None


def _value(name: str, value: Any) -> Any:
    return value if name in PLAIN else parsed_json(value)


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, tuple | list) else []


__all__ = [
    "CONTENT_DIGEST_BYTES",
    "MISSING",
    "OF_MESSAGES",
    "PLAIN",
    "TraceContent",
    "contents_of",
    "digest_of",
]
