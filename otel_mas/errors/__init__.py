"""The exception tree: everything that otel-mas raises on purpose.

OtelMasError
├── ConfigError            a setting or option is invalid; carries all of them
├── StoreError             the local store cannot be used
│   ├── NotAStore          the file is something else
│   ├── StoreTooNew        written by a newer otel-mas
│   ├── StoreReadOnly      may be read, not written
│   ├── StoreLocked        another process holds it
│   │   └── StoreJournalFull   another process's read keeps its write-ahead log from being emptied
│   ├── StoreFull          the disk has no room for it
│   ├── StoreClosed        the app closed its file descriptors
│   ├── StoreReplaced      its file was removed, renamed or replaced while it was open
│   └── StoreCorrupt       it is a store, and damaged
├── SourceError            a source of traces cannot answer
│   ├── TraceNotFound      it has no such trace
│   ├── UnsupportedQuery   it cannot filter like that; it never approximates
│   └── UnknownSource      nothing installed can read that target
├── DestinationError       recorded spans cannot be shipped
├── ReplayMiss             a call in a replay has no recorded answer
├── ReplayStopped          a call depends on what a replay changes, and was not made again
├── BadTrace               the trace itself cannot be worked with
├── InsufficientEvidence   the trace does not have what an evaluation would have to see
├── RecordedError          a replay raises the exception that a call was recorded with, whose class is not here
├── BadExpectation         an expected topology cannot be read, or means nothing
├── BudgetExceeded         a call of a model or tool would go beyond a budget, and was not made
└── MissingExtra           an optional dependency is not installed

Every message is one line: what was wrong, where, and what to do next.
"""

from __future__ import annotations

from typing import ClassVar


class OtelMasError(Exception):
    """Base of the tree: catch it to catch everything that otel-mas raises on purpose."""

    exit_code: ClassVar[int] = 1
    """Exit status of the command line."""


class ConfigError(OtelMasError):
    """One or more settings are invalid.

    Args:
        problems: one line each, naming the setting, what it was and what it may be.
    """

    exit_code = 2

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class StoreError(OtelMasError):
    """The local store cannot be used."""


class NotAStore(StoreError):
    """The file exists and is not an otel-mas store, or does not exist where one is needed."""


class StoreTooNew(StoreError):
    """The store was written by a newer otel-mas, whose layout this one does not know."""


class StoreReadOnly(StoreError):
    """The store, or the folder it lies in, cannot be written."""


class StoreLocked(StoreError):
    """Another process holds the store for longer than we wait."""


class StoreJournalFull(StoreLocked):
    """The write-ahead log has reached its bound, and another process keeps it from being emptied."""


class StoreFull(StoreError):
    """There is no space left on the disk that the store lies on."""


class StoreClosed(StoreError):
    """The app has closed the file descriptors of the store; files of its own may have their numbers now."""


class StoreReplaced(StoreError):
    """The files at the store's path are not those that were opened: removed, renamed or replaced since."""


class StoreCorrupt(StoreError):
    """The file is an otel-mas store and is damaged."""


class SourceError(OtelMasError):
    """A source of traces cannot answer."""


class TraceNotFound(SourceError):
    """The source has no trace of that id, or a prefix of an id fits several."""

    exit_code = 4


class UnsupportedQuery(SourceError):
    """The source cannot answer this query exactly, and never approximates."""


class UnknownSource(SourceError):
    """Nothing that is installed can read the target."""


class DestinationError(OtelMasError):
    """A destination does not accept spans; they wait in the store."""


class BadTrace(OtelMasError):
    """The trace cannot be worked with as it is."""


class InsufficientEvidence(OtelMasError):
    """The trace does not have what would tell whether an evaluation passed; the message says what it would be."""

    exit_code = 3


class RecordedError(OtelMasError, RuntimeError):
    """An exception that a recorded call ended with, raised again by a replay where its own class is not loaded.

    Args:
        name: qualified name of the recorded exception's class.
        message: as it was recorded.
    """

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}" if message else name)
        self.name = name
        self.message = message


class BadExpectation(OtelMasError):
    """An expected topology cannot be read, or means nothing; the message points at the place."""

    exit_code = 2


class ReplayMiss(OtelMasError):
    """A call in a replay has no recorded answer; nothing was called in its place.

    Args:
        message: the place, the nearest recorded request and the difference.
        place: of the call, in words.
        nearest: label of the recorded call whose request is nearest; None where none is of its kind.
        difference: between the two requests, in words.
    """

    def __init__(self, message: str, *, place: str = "", nearest: str | None = None, difference: str = "") -> None:
        super().__init__(message)
        self.place = place
        self.nearest = nearest
        self.difference = difference


class ReplayStopped(OtelMasError):
    """A call depends on what a counterfactual replay changes; it was not made again, since that may have to be paid.

    Args:
        message: the place, and what would have to be paid at most.
        place: of the call, in words.
        calls: labels of the recorded calls that depend on the change.
        tokens: that these had read and written.
        usd: their cost then, as far as prices are known.
    """

    def __init__(
        self, message: str, *, place: str = "", calls: tuple[str, ...] = (), tokens: int = 0, usd: float = 0.0
    ) -> None:
        super().__init__(message)
        self.place = place
        self.calls = calls
        self.tokens = tokens
        self.usd = usd


class BudgetExceeded(OtelMasError, RuntimeError):
    """A call of a model or tool would go beyond a budget, and was not made.

    It is a `langgraph.errors.GraphBubbleUp` too once LangGraph is loaded, so that it is neither retried nor told to a
    model as the error of a tool.

    Args:
        message: the budget, what is spent of it by whom, and what was not called.
        budget: the amount that is limited: `usd`, `tokens`, `calls` or `seconds`.
        spent: of that amount, so far.
        maximum: that may be spent.
        per: what is counted on its own: `run`, `agent`, `user` or `conversation`.
        owner: the one that spent it.
    """

    def __init__(
        self,
        message: str,
        *,
        budget: str = "",
        spent: float = 0.0,
        maximum: float = 0.0,
        per: str = "",
        owner: str = "",
    ) -> None:
        super().__init__(message)
        self.budget = budget
        self.spent = spent
        self.maximum = maximum
        self.per = per
        self.owner = owner


class MissingExtra(OtelMasError):
    """An optional dependency is missing; the message names the extra to install."""


__all__ = [
    "BadExpectation",
    "BadTrace",
    "BudgetExceeded",
    "ConfigError",
    "DestinationError",
    "InsufficientEvidence",
    "MissingExtra",
    "NotAStore",
    "OtelMasError",
    "RecordedError",
    "ReplayMiss",
    "ReplayStopped",
    "SourceError",
    "StoreClosed",
    "StoreCorrupt",
    "StoreError",
    "StoreFull",
    "StoreJournalFull",
    "StoreLocked",
    "StoreReadOnly",
    "StoreReplaced",
    "StoreTooNew",
    "TraceNotFound",
    "UnknownSource",
    "UnsupportedQuery",
]
