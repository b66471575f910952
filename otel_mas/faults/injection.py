"""A running injection: which faults, with which seed, how often each has fired; and its decisions."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from random import Random
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opentelemetry.trace import get_current_span

from otel_mas.faults.fault import Fault, Target
from otel_mas.fork import ForkLock
from otel_mas.model.span import FAULT_EVENT
from otel_mas.record import guarded
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from otel_mas.faults.place import Place

_UNIT: Final = float(2**64)
_lock = ForkLock()  # of the counters of all injections


class Hit(NamedTuple):
    """A fault that is to happen here and now."""

    injection: Injection
    fault: Fault
    random: Random
    """The source of what it changes, seeded by the place."""

    def record(self, *changed: str, span: Span | None = None) -> None:
        """Count it as fired, and record it on a span; on the current one by default."""
        self.injection.record(self.fault, changed, span)


class Injection:
    """Faults that are being injected into this process.

    Args:
        faults: all that may happen.
        seed: of every decision. With the same seed the same places are hit, whatever the timing.
    """

    def __init__(self, faults: Iterable[Fault], seed: int) -> None:
        self.faults = tuple(faults)
        self.seed = seed
        self._began = monotonic()
        self._reached: Counter[tuple[Any, ...]] = Counter()
        self._fired: Counter[Fault] = Counter()

    def begin(self) -> None:
        """Start the clock of the faults' times."""
        self._began = monotonic()

    @property
    def fired(self) -> Mapping[Fault, int]:
        """How often each fault happened so far; 0 where it never did."""
        with _lock:
            return {fault: self._fired[fault] for fault in self.faults}

    @property
    def never_fired(self) -> tuple[Fault, ...]:
        """The faults that did not happen so far."""
        return tuple(fault for fault, count in self.fired.items() if not count)

    def of(self, target: Target) -> Iterator[tuple[int, Fault]]:
        """The faults that hit such a thing, numbered."""
        return ((number, fault) for number, fault in enumerate(self.faults) if fault.target is target)

    def decide(self, number: int, place: Place, *key: str) -> Hit | None:
        """Whether a fault is to happen at a place, for something that is known there by `key`.

        An agent that comes to the same place again is counted; each of several that a `Send` made, on its own.
        """
        fault = self.faults[number]
        now = monotonic() - self._began
        if now < fault.after or (fault.before is not None and now > fault.before):
            return None
        who = (number, place.thread, place.names, place.branch)
        same = (*who, place.steps, *key)
        with _lock:
            self._reached[who] += 1
            self._reached[same] += 1
            times, here = self._reached[who], self._reached[same]
        if fault.occurrence and times not in fault.occurrence:
            return None
        text = "\0".join(map(repr, (self.seed, number, str(fault), place.names, place.branch, place.steps, key, here)))
        seeded = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest())
        if (seeded >> 64) / _UNIT >= fault.probability:
            return None
        return Hit(self, fault, Random(seeded))

    def record(self, fault: Fault, changed: Iterable[str], span: Span | None = None) -> None:
        """Count a fault as fired, and record it on a span: its kind, scope and seed, and what it changed."""
        with _lock:
            self._fired[fault] += 1
        self._add_event(get_current_span() if span is None else span, fault, tuple(changed))

    @guarded("faults: record")
    def _add_event(self, span: Span, fault: Fault, changed: tuple[str, ...]) -> None:
        attributes: dict[str, Any] = {
            names.MAS_FAULT_KIND: str(fault.kind),
            names.MAS_FAULT_SCOPE: fault.scope,
            names.MAS_FAULT_SEED: self.seed,
        }
        span.add_event(FAULT_EVENT, attributes | ({names.MAS_FAULT_CHANGED: changed} if changed else {}))


_active: tuple[Injection, ...] = ()


def active() -> tuple[Injection, ...]:
    """The injections that run in this process, in the order of their start. Empty while nothing is injected."""
    return _active


def set_active(injections: Iterable[Injection]) -> None:
    """Replace the injections that run in this process."""
    global _active
    _active = tuple(injections)


def active_hits(target: Target, place: Place, *key: str, **scope: str) -> list[Hit]:
    """The faults of a sort that happen at a place.

    Args:
        target: the sort.
        place: where.
        key: tells apart what happens at the place.
        scope: the names of what is there, by scope: `tool="search"`. An agent is any around the place.
    """
    return [
        hit
        for injection in _active
        for number, fault in injection.of(target)
        if matches(fault, place, scope) and (hit := injection.decide(number, place, *key)) is not None
    ]


def matches(fault: Fault, place: Place, scope: Mapping[str, str]) -> bool:
    """Whether a fault's scope has what is at a place. A wait hits what its scope names most closely: tool or model."""
    if fault.agent is not None and not place.is_in(fault.agent):
        return False
    if fault.target is Target.WAIT and {name for name in ("tool", "model") if getattr(fault, name)} != scope.keys():
        return False
    return all(getattr(fault, name) in (None, value) for name, value in scope.items())


__all__ = ["Hit", "Injection", "active", "active_hits", "matches", "set_active"]
