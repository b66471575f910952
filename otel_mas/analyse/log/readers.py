"""Messages that each reader knows already: a chat sends its whole history again with every turn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence

Reader = Hashable
"""An agent, or a task without one, of a conversation."""


class Readers:
    """Readers with the messages that they have read or written, by digest; and the writers of messages.

    A message is known to a reader as often as it has stood in one of its prompts, so that the second "yes" of a person
    is new. It is new once more when somebody else writes the same content.
    """

    def __init__(self) -> None:
        self._known: defaultdict[Reader, dict[str, tuple[int, int]]] = defaultdict(dict)
        self._writers: dict[str, str] = {}
        self._written: dict[str, int] = {}

    def read(self, reader: Reader, digests: Sequence[str]) -> list[int]:
        """Positions of the messages that are new to a reader, who knows all of them from now on."""
        known = self._known[reader]
        seen: dict[str, int] = {}
        new = []
        for position, digest in enumerate(digests):
            number = seen[digest] = seen.get(digest, 0) + 1
            times, version = known.get(digest, (0, 0))
            written = self._written.get(digest, 0)
            if number > times or version < written:
                new.append(position)
                known[digest] = max(times, number), written
        return new

    def write(self, reader: Reader, writer: str, digests: Sequence[str]) -> None:
        """Record that a reader wrote messages, under the name by which it is called."""
        known = self._known[reader]
        for digest in digests:
            written = self._written[digest] = self._written.get(digest, 0) + 1
            self._writers[digest] = writer
            known[digest] = known.get(digest, (0, 0))[0] + 1, written

    def writer(self, digest: str) -> str | None:
        """Name of the last writer of a message; None where nobody wrote it: it came from the app or its user."""
        return self._writers.get(digest)


__all__ = ["Reader", "Readers"]
