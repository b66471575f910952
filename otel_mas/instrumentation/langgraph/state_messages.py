"""The messages that agents are given and that tasks write, found in LangGraph's state by its own declarations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import compress, count
from operator import is_not
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from otel_mas.fork import imports
from otel_mas.instrumentation.langchain.messages import MESSAGES, modalities
from otel_mas.instrumentation.langgraph.channels import is_consumed
from otel_mas.model.channels import BRANCH_TO, JOIN, RETURN
from otel_mas.record import Cause, MessageList, Recorder, field_of, items_of, snapshot, text_of
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import LinkKind

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from otel_mas.model.channels import BRANCH_TO, JOIN, RETURN
from otel_mas.record import Actor

_OWN = ("__", BRANCH_TO, JOIN)  # the prefixes of LangGraph's own channels


class StateChannels(NamedTuple):
    """The channels of a graph that its author declared."""

    state: frozenset[str]
    messages: tuple[str, ...]
    """Those of them that hold messages."""
    joins: bool
    """Whether any channel, LangGraph's own included, keeps its writers until a task consumes it."""


_NONE = StateChannels(frozenset(), (), True)
_CHANNELS: WeakKeyDictionary[Any, StateChannels] = WeakKeyDictionary()


def channels_of(graph: Any) -> StateChannels:
    """A graph's channels. One holds messages by its reducer or its declared type."""
    if graph is None:
        return _NONE
    known = _CHANNELS.get(graph)
    if known is None:
        declared = getattr(graph, "channels", None) or {}
        state = {name: channel for name, channel in declared.items() if not name.startswith(_OWN)}
        messages = tuple(name for name, channel in state.items() if _holds_messages(channel))
        joins = any(map(is_consumed, declared.values()))
        known = _CHANNELS[graph] = StateChannels(frozenset(state), messages, joins)
    return known


def _holds_messages(channel: Any) -> bool:
    reducer = getattr(getattr(channel, "operator", None), "__name__", "")
    return "add_messages" in reducer or "langchain_core.messages" in str(getattr(channel, "typ", ""))


def in_state(state: Any, channels: Sequence[str]) -> list[Any]:
    """The messages in a task's input, which is a mapping, an object, or the messages themselves."""
    if issubclass(type(state), list):
        return _messages(state)
    found: list[Any] = []
    for name in channels:
        value = field_of(state, name)
        if value is not None:
            found += _messages(value)
    return found


def in_channels(channels: Mapping[str, Any], wanted: Sequence[str]) -> list[Any]:
    """The messages that a graph's state holds now."""
    found: list[Any] = []
    for name in wanted:
        channel = channels.get(name)
        if channel is not None and channel.is_available():
            found += _messages(channel.get())
    return found


def in_writes(
    writes: Iterable[tuple[str, Any]], state: frozenset[str], messages: Sequence[str]
) -> tuple[dict[str, Any], list[Any]]:
    """A task's writes to the state by channel (all, where it wrote one several times), and the messages among them.

    Messages may be written as text or plain data.
    """
    changed: dict[str, Any] = {}
    found: list[Any] = []
    repeated: set[str] | None = None
    for name, value in writes:
        if name in state:
            if name not in changed:
                changed[name] = value
            elif repeated is not None and name in repeated:
                changed[name].append(value)
            else:
                repeated = {name} if repeated is None else repeated | {name}
                changed[name] = [changed[name], value]
            if name in messages:
                written = _messages(value, convert=True)
                found = found + written if found else written
        elif name == RETURN and type(value) not in _PLAIN:
            found = found + _messages(value)
    return changed, found


_PLAIN = (str, int, float, bool, type(None), dict)
_KNOWN: dict[type, bool] = {}


def _is_message(value: Any) -> bool:
    kind = type(value)
    known = _KNOWN.get(kind)
    if known is None:
        if len(_KNOWN) > 1024:
            _KNOWN.clear()
        # `RemoveMessage` only takes another one out of the state.
        known = _KNOWN[kind] = MESSAGES.knows(value) and text_of(field_of(value, "type")) != "remove"
    return known


def _messages(value: Any, *, convert: bool = False) -> list[Any]:
    values = value if type(value) is list else (items_of(value) or []) if issubclass(type(value), list) else [value]
    kinds = {type(item) for item in values}
    if all(map(_KNOWN.get, kinds)):
        return values
    found = [item for item in values if _is_message(item)]
    if convert and not found and values and not MESSAGES.knows(values[0]):
        return _converted(values)
    return found


def _converted(values: list[Any]) -> list[Any]:
    """Messages written as `("ai", "text")`, as `{"role": ...}` or as text, as LangGraph's reducer reads them."""
    if not all(issubclass(type(value), (str, tuple, dict)) for value in values):
        return []
    copied = [tuple(one) if type(one) is list else one for one in snapshot(values)[0]]
    with imports:
        from langchain_core.messages import convert_to_messages
    try:
        return list(convert_to_messages(copied))
    except Exception:  # it is something else, or LangGraph is about to say that it is not valid
        return []


# -- on spans ------------------------------------------------------------------------------------------------------


def record_input(recorder: Recorder, span: Span, actor: Actor, messages: list[Any]) -> None:
    """Record the messages that an agent is given as its input, and the writers of those new to it as causes."""
    if not messages:
        return
    digests = recorder.messages(span, "input", messages, MESSAGES)
    if digests:
        recorder.set_attributes(span, {names.MAS_INPUT_MODALITIES: modalities(messages)})
        writers = actor.provenance.record_read(actor, actor.path, digests, messages)
        recorder.add_causes(span, [Cause(context, LinkKind.MESSAGE) for context in writers])


def record_writes(
    recorder: Recorder, span: Span, actor: Actor, task: Any, channels: StateChannels, given: list[Any] | None
) -> None:
    """Record what a task changed in the state, and the messages among it; an agent's without those it was `given`."""
    changed, messages = in_writes(task.writes, channels.state, channels.messages)
    if messages and given is not None:
        record_new_output(recorder, span, actor, messages, given)
    elif messages:
        digests = record_output(recorder, span, actor, messages, lambda: in_state(task.input, channels.messages))
        for name in channels.messages:
            if changed.get(name) is messages and len(digests) == len(messages):  # of nothing else
                changed[name] = MessageList(digests)
    if changed:
        recorder.state(span, changed, MESSAGES, ends=True)


def record_output(
    recorder: Recorder, span: Span, actor: Actor, messages: list[Any], given: Callable[[], list[Any]]
) -> tuple[str, ...]:
    """Record written messages as output; those written in a task below, or handed on, keep their writers."""
    digests = recorder.messages(span, "output", messages, MESSAGES)
    if digests:
        actor.provenance.record_write(actor.path, span.get_span_context(), digests, messages, given=given)
    return digests


def record_new_output(recorder: Recorder, span: Span, actor: Actor, messages: list[Any], given: list[Any]) -> None:
    """Record the messages of an agent that it was not given."""
    kept = next(compress(count(), map(is_not, messages, given)), min(len(messages), len(given)))
    before = {_identity(message): message for message in given[kept:]}
    messages = [message for message in messages[kept:] if not _same(message, before.get(_identity(message)))]
    if messages:
        recorder.set_attributes(span, {names.MAS_OUTPUT_MODALITIES: modalities(messages)})
        record_output(recorder, span, actor, messages, lambda: given)


def _identity(message: Any) -> Any:
    return text_of(field_of(message, "id")) or id(message)


def _same(message: Any, given: Any) -> bool:
    if given is None or given is message:
        return given is not None
    fingerprint = MESSAGES.fingerprint(message)
    return fingerprint is not None and fingerprint == MESSAGES.fingerprint(given)
