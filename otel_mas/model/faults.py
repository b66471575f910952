"""Faults that were injected on purpose, as spans tell of them; and spans that tell nothing of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from otel_mas.model.span import FAULT_EVENT, Span, SpanBody
from otel_mas.model.trace import Trace
from otel_mas.semconv import attributes as names


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """A fault that was injected at a span.

    Args:
        kind: a value of `FaultKind`.
        scope: its scope and parameters, as they were asked for.
        seed: of the injection.
        changed: the parts that it changed, by name.
        time_ns: when, since the Unix epoch.
    """

    kind: str
    scope: str
    seed: int
    changed: tuple[str, ...]
    time_ns: int

    @property
    def text(self) -> str:
        """The text that asks for it."""
        return f"{self.kind}:{self.scope}" if self.scope else self.kind


def injected_faults(span: Span) -> Iterator[InjectedFault]:
    """The faults that were injected at a span, in order."""
    for event in span.events:
        if event.name == FAULT_EVENT:
            found = event.attributes
            yield InjectedFault(
                str(found[names.MAS_FAULT_KIND]),
                str(found.get(names.MAS_FAULT_SCOPE, "")),
                int(found.get(names.MAS_FAULT_SEED, 0)),
                tuple(map(str, found.get(names.MAS_FAULT_CHANGED) or ())),
                event.time_ns,
            )


def never_occurred(fault: str) -> str:
    """The warning about a fault, given as text, that was asked for and never occurred."""
    chance = ", or chance spared it" if "probability=" in fault else ""
    return f"fault {fault} never occurred: nothing that ran was in its scope{chance}"


def without_faults(trace: Trace) -> Trace:
    """The trace as one who evaluates is to see it: nothing in it tells that faults were injected."""
    return replace(trace, spans=tuple(map(_without_faults, trace.spans)))


def _without_faults(span: Span) -> Span:
    def load() -> SpanBody:
        return span.body.changed(events=tuple(event for event in span.events if event.name != FAULT_EVENT))

    return replace(span, load=load, _body=None)


__all__ = ["InjectedFault", "injected_faults", "never_occurred", "without_faults"]
