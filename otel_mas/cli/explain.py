"""What the commands about one trace or conversation share: finding it, and what is said beside the answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from otel_mas.cli.options import Target, one_target, reading
from otel_mas.cli.output import naming, note, pasteable, print_problems

if TYPE_CHECKING:
    from otel_mas.api import Conversation, Source, Trace


def explaining(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command's body what TRACE or --conversation names; say on stderr what is wrong with it."""

    def wrapped(body: Callable[..., None]) -> Callable[..., None]:
        @one_target
        @reading
        @wraps(body)
        def command(
            trace: str | None, conversation: str | None, service: str | None, store: str | None, **rest: Any
        ) -> None:
            from otel_mas.api import open as open_source

            target = Target(trace, conversation, service)
            with open_source(store) as source:
                found = target.find(source)
                body(found, **rest)
                print_problems(found.problems)
                _rest_of_conversation(name, found, source)

        return command

    return wrapped


def _rest_of_conversation(name: str, found: Trace | Conversation, source: Source) -> None:
    """Say how to read the conversation that a trace belongs to; counting its traces must cost no request."""
    from otel_mas.api import Trace

    thread = found.conversation_id if isinstance(found, Trace) else None
    if thread is None or not isinstance(found, Trace) or not source.capabilities.conversations:
        return
    everything = pasteable(name, *naming(found, source), store=source.location)
    if not source.capabilities.local:
        note(f"this trace belongs to thread {thread}; all of it: {everything}")
        return
    number = len(source.traces(conversation=thread, service=found.service or None, limit=1_000))
    if number > 1:
        note(f"this is one of {number} traces of thread {thread}; all of them: {everything}")
