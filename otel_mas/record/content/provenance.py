"""Writers and readers of the messages of a conversation: the source of `message` links.

An actor is known by its path: the names of the graphs and nodes around it, without the numbers of a run, ending in
"model calls" or a tool's name where it is one of these. Actors of which one's path begins with the other's are the
same for messages: an agent does not read what its own model wrote, nor a model its own earlier turns.

A message that an actor has read is its own history from then on, since a chat sends all of it again with every turn. It
is new again once somebody else writes the same content.

Content decides. Among several writers of the same content, those count whose message has the id of the one that is
read; all of them where none has.
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

ACTOR_KEY: Final = otel_context.create_key("otel-mas-actor")
"""A key of the OTel context, set to the `Actor` that the code runs in."""

MODEL_PATH: Final = ("model calls",)
"""End of the path of a node's model calls."""

_MAX_CONVERSATIONS = 256
_MAX_MESSAGES = 65_536  # of all conversations; 20 MB at most
_WEIGHED_EVERY = 16  # new conversations: to count all messages takes 100 µs and more
_MAX_WRITTEN = 8192  # of one
_MAX_WRITERS = 8  # of one message
_MAX_READERS = 1024
_MAX_READ_BY_ANYBODY = 8192
_NOTHING: Final[frozenset[str]] = frozenset()


class Actor(Protocol):
    """Writer and reader of messages: a task, an agent."""

    @property
    def provenance(self) -> MessageProvenance: ...
    @property
    def path(self) -> Path: ...


class _Written(NamedTuple):
    context: SpanContext
    path: Path
    message_id: str | None


class MessageProvenance:
    """Writers and readers of a conversation's messages, by digest.

    Every step is one operation of a dict or a set, and so needs no lock.
    """

    __slots__ = ("__weakref__", "_open", "_read", "_read_by_anybody", "_written")

    def __init__(self) -> None:
        self._written: dict[str, tuple[_Written, ...]] = {}
        self._read: dict[Path, set[str]] = {}
        self._open: dict[int, dict[Path, set[str]]] = {}  # by the identity of actors at work
        # Bounded. Most new messages have been read by nobody: this saves a look at up to 200 readers.
        self._read_by_anybody: set[str] = set()

    def __len__(self) -> int:
        return len(self._written) + sum(map(len, list(self._read.values())))

    def record_write(
        self,
        path: Path,
        context: SpanContext,
        digests: Sequence[str],
        messages: Sequence[Any],
        *,
        given: Callable[[], Iterable[Any]] | None = None,
    ) -> None:
        """Record a span as the writer of messages.

        Args:
            path: of the actor whose span it is.
            context: of the span.
            digests: of the newest messages, in their order.
            messages: the messages, and any older ones.
            given: returns the messages that the actor was given, where it may return some of them, or of those written
                inside of it, with its own. It is then the writer only of messages that nobody wrote before, and not
                of a given one with an id, which comes from a state or a model.
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
            self._make_new_to_readers(path, digest)

    def _make_new_to_readers(self, path: Path, digest: str) -> None:

        if digest not in self._read_by_anybody and len(self._read_by_anybody) < _MAX_READ_BY_ANYBODY:
            return
        for readers in (self._read, *list(self._open.values())):
            for reader, read in list(readers.items()):
                if digest in read and not _own(reader, path):
                    read.discard(digest)

    def record_read(
        self, actor: Actor, path: Path, digests: Sequence[str], messages: Sequence[Any]
    ) -> list[SpanContext]:
        """Record that messages were read; return the spans that wrote the new ones among them, in order, each once.

        Args:
            actor: the reader. Until it leaves, what it reads stays new to others on its path that run at the same time.
            path: the actor's, or that of something inside of it.
            digests: of the newest messages, in their order.
            messages: the messages, and any older ones.
        """
        before = self._read.get(path, _NOTHING)
        if before.issuperset(digests):
            return []
        open_now = self._open
        if len(open_now) >= _MAX_READERS and id(actor) not in open_now:
            open_now.pop(next(iter(open_now)), None)  # one that never left
        now = open_now.setdefault(id(actor), {}).setdefault(path, set())
        if now.issuperset(digests):
            return []
        found: dict[tuple[int, int], SpanContext] = {}
        for digest, message in zip(digests, messages[len(messages) - len(digests) :], strict=True):
            if digest not in before and digest not in now and digest in self._written:
                for context in self._writers(path, digest, message):
                    found[context[:2]] = context
        if len(now) < _MAX_MESSAGES:
            now.update(digests)
        if len(self._read_by_anybody) < _MAX_READ_BY_ANYBODY:
            self._read_by_anybody.update(digests)
        return list(found.values())

    def leave(self, actor: Actor) -> None:
        """End an actor's work: what it has read becomes the history of its path."""
        for path, now in (self._open.pop(id(actor), None) or {}).items():
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
    """Whether two actors are the same, or one is inside the other."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


class Provenances:
    """Provenance of the conversations used last."""

    def __init__(self) -> None:
        self._kept: RecentlyUsed[str, MessageProvenance] = RecentlyUsed(_MAX_CONVERSATIONS)
        self._begun = 0

    def of(self, conversation: str | None) -> MessageProvenance:
        """The provenance of a conversation; a new one for a run without a conversation."""
        if conversation is None:
            return MessageProvenance()
        known = self._kept.get(conversation)
        if known is not None:
            return known
        self._begun += 1
        if self._begun % _WEIGHED_EVERY == 0:
            self._kept.shrink(len, _MAX_MESSAGES)
        return self._kept.setdefault(conversation, MessageProvenance())


provenance_of = Provenances().of
"""The provenance of a conversation of this process."""


def current_actor() -> Actor | None:
    """The actor that this code runs in, from the OTel context."""
    return otel_context.get_current().get(ACTOR_KEY)  # type: ignore[return-value]


__all__ = [
    "ACTOR_KEY",
    "MODEL_PATH",
    "Actor",
    "MessageProvenance",
    "Path",
    "Provenances",
    "current_actor",
    "provenance_of",
]
