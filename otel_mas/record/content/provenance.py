"""Who wrote and who has read which message in one conversation: where `message` links come from.

A participant is known by its path: the names of the graphs and nodes around it, without the numbers of a run, and at
the end of it what it is in that node: the model's calls, or a tool. What lies on one path with it, above or below, is
a participant's own: an agent does not read what its own model wrote, nor a model its own earlier turns.

What a participant has read once is its own history from then on: a chat sends all of it again with every turn. If
somebody else says the same words again later, they are new.

The words are what counts. Where several wrote the same ones, the message's id says whose they are, if it has one that
a writer's message had; otherwise they are all of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from opentelemetry import context as otel_context

from otel_mas.record.content.fields import field_of, text_of
from otel_mas.record.content.recent import RecentlyUsed

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

Path = tuple[str, ...]

PARTICIPANT: Final = otel_context.create_key("otel-mas-participant")
"""A key of the OTel context, set to the `Participant` that this code runs in."""

MODEL: Final = ("model calls",)
"""What a model is in its node, at the end of its path."""

_MAX_CONVERSATIONS = 256
_MAX_MESSAGES = 65_536  # of all conversations; 20 MB at most
_WEIGHED_EVERY = 16  # new conversations: to count all messages takes 100 µs and more
_MAX_WRITTEN = 8192  # of one
_MAX_WRITERS = 8  # of one message
_MAX_READERS = 1024
_MAX_HEARD = 8192
_NOTHING: Final[frozenset[str]] = frozenset()


class Participant(Protocol):
    """Whoever may write and read: a task, an agent."""

    @property
    def exchange(self) -> Exchange: ...
    @property
    def path(self) -> Path: ...


class _Written(NamedTuple):
    context: SpanContext
    path: Path
    message_id: str | None


class Exchange:
    """The messages of one conversation by digest. Every step on it is one of a dict or a set, and so needs no lock."""

    __slots__ = ("__weakref__", "_heard", "_open", "_read", "_written")

    def __init__(self) -> None:
        self._written: dict[str, tuple[_Written, ...]] = {}
        self._read: dict[Path, set[str]] = {}
        self._open: dict[int, dict[Path, set[str]]] = {}  # by the identity of who has not left
        # Whatever anybody has read, until that is too much: most words are nobody's, and 200 readers need not be asked.
        self._heard: set[str] = set()

    def __len__(self) -> int:
        return len(self._written) + sum(map(len, list(self._read.values())))

    def wrote(
        self,
        path: Path,
        context: SpanContext,
        digests: Sequence[str],
        messages: Sequence[Any],
        *,
        given: Callable[[], Iterable[Any]] | None = None,
    ) -> None:
        """The span wrote the messages.

        Args:
            path: of the participant whose span it is.
            context: the span.
            digests: of the newest messages, in their order.
            messages: themselves, and any older ones.
            given: where it may also hand over what it was given, or what was written inside of it: the messages that it
                was given. It is the writer only of others that nobody wrote before; a message that has an id has
                been in a state, or is a model's.
        """
        handed: set[int] | None = None
        for digest, message in zip(digests, messages[len(messages) - len(digests) :], strict=True):
            known = self._written.get(digest)
            message_id = text_of(field_of(message, "id"))
            if known is None:
                if given is not None and message_id is not None:
                    handed = {id(one) for one in given()} if handed is None else handed
                    if id(message) in handed:
                        continue
                if len(self._written) >= _MAX_WRITTEN:
                    self._written.pop(next(iter(self._written)), None)
                self._written[digest] = (_Written(context, path, message_id),)
                continue
            if given is not None and any(
                one.path[: len(path)] == path or (message_id is not None and one.message_id in (None, message_id))
                for one in known
            ):
                continue
            self._written[digest] = (*known[1 - _MAX_WRITERS :], _Written(context, path, message_id))
            self._say_again(path, digest)

    def _say_again(self, path: Path, digest: str) -> None:
        """Words that others have read before are new to them when somebody else says them."""
        if digest not in self._heard and len(self._heard) < _MAX_HEARD:
            return
        for readers in (self._read, *list(self._open.values())):
            for reader, read in list(readers.items()):
                if digest in read and not _own(reader, path):
                    read.discard(digest)

    def read(self, who: Participant, path: Path, digests: Sequence[str], messages: Sequence[Any]) -> list[SpanContext]:
        """Messages are read: the spans that wrote those which are new to the reader, in order, each once.

        Args:
            who: reads, until it has `left`. What it reads is new to others on its path that run at the same time.
            path: of the reader: `who`'s, or of something inside of it.
            digests: of the newest messages, in their order.
            messages: themselves, and any older ones.
        """
        before = self._read.get(path, _NOTHING)
        if before.issuperset(digests):
            return []
        open_now = self._open
        if len(open_now) >= _MAX_READERS and id(who) not in open_now:
            open_now.pop(next(iter(open_now)), None)  # somebody who never left
        now = open_now.setdefault(id(who), {}).setdefault(path, set())
        if now.issuperset(digests):
            return []
        found: dict[tuple[int, int], SpanContext] = {}
        for digest, message in zip(digests, messages[len(messages) - len(digests) :], strict=True):
            if digest not in before and digest not in now and digest in self._written:
                for context in self._writers(path, digest, message):
                    found[context[:2]] = context
        if len(now) < _MAX_MESSAGES:
            now.update(digests)
        if len(self._heard) < _MAX_HEARD:
            self._heard.update(digests)
        return list(found.values())

    def left(self, who: Participant) -> None:
        """The participant is done for now: what it has read is the history of whoever comes after it on its path."""
        for path, now in (self._open.pop(id(who), None) or {}).items():
            before = self._read.get(path)
            if before is None:
                if len(self._read) >= _MAX_READERS:
                    self._read.pop(next(iter(self._read)), None)
                self._read[path] = now
            elif len(before) < _MAX_WRITTEN:
                before |= now
            else:
                self._read[path] = now

    def _writers(self, path: Path, digest: str, message: Any) -> Iterator[SpanContext]:
        written = self._written.get(digest, ())
        if len(written) > 1 and (message_id := text_of(field_of(message, "id"))) is not None:
            written = tuple(one for one in written if one.message_id == message_id) or written
        return (one.context for one in written if not _own(path, one.path))


def _own(one: Path, other: Path) -> bool:
    """Whether two participants are the same, or one is inside the other."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


class Exchanges:
    """Those of the conversations used last. A run without a conversation has one of its own, as long as it lasts."""

    def __init__(self) -> None:
        self._kept: RecentlyUsed[str, Exchange] = RecentlyUsed(_MAX_CONVERSATIONS)
        self._begun = 0

    def of(self, conversation: str | None) -> Exchange:
        """The exchange of a conversation, begun where there is none."""
        if conversation is None:
            return Exchange()
        known = self._kept.get(conversation)
        if known is not None:
            return known
        self._begun += 1
        if self._begun % _WEIGHED_EVERY == 0:
            self._kept.shrink(len, _MAX_MESSAGES)
        return self._kept.setdefault(conversation, Exchange())


EXCHANGES: Final = Exchanges()
"""The process's."""


def participant() -> Participant | None:
    """The participant that this code runs in, as the OTel context knows it."""
    return otel_context.get_current().get(PARTICIPANT)  # type: ignore[return-value]


__all__ = ["EXCHANGES", "MODEL", "PARTICIPANT", "Exchange", "Exchanges", "Participant", "Path", "participant"]
