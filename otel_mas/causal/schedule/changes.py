"""Changes of a recorded run that `reschedule` understands."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from otel_mas.errors import UnsupportedQuery
from otel_mas.model.amounts import duration


@dataclass(frozen=True, slots=True)
class Faster:
    """All that `target` names takes its time divided by `times`, with all that is inside; below 1 it gets slower."""

    target: str
    times: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.times) and self.times > 0):
            raise UnsupportedQuery(f"{self.target} cannot be {self.times:g} times as fast: give a number above 0")

    def __str__(self) -> str:
        return f"{self.target} {self.times:g} times as fast"


@dataclass(frozen=True, slots=True)
class Lasting:
    """Each of what `target` names takes so many ns. The parts of one that has some inside shrink or grow alike."""

    target: str
    duration_ns: int

    def __post_init__(self) -> None:
        if self.duration_ns < 0:
            raise UnsupportedQuery(f"{self.target} cannot take {self.duration_ns} ns: give 0 or more")

    def __str__(self) -> str:
        return f"{self.target} takes {duration(self.duration_ns)}"


@dataclass(frozen=True, slots=True)
class Parallel:
    """Spans of these names run side by side, as far as neither control nor data holds them back."""

    targets: Collection[str]

    def __post_init__(self) -> None:
        if isinstance(self.targets, str) or not self.targets:
            raise UnsupportedQuery(f"what is to run in parallel is a list of names, not {self.targets!r}")

    def __str__(self) -> str:
        return f"{' and '.join(self.targets)} in parallel"


@dataclass(frozen=True, slots=True)
class Without:
    """All that `target` names takes no time and costs nothing; what waited for it follows its causes."""

    target: str

    def __str__(self) -> str:
        return f"without {self.target}"


@dataclass(frozen=True, slots=True)
class Instead:
    """Calls of a model go to the model `by`. That takes as long; `Faster` of the model says otherwise."""

    model: str
    by: str

    def __post_init__(self) -> None:
        if not self.model or not self.by:
            raise UnsupportedQuery("a model is replaced by another one: name both")

    def __str__(self) -> str:
        return f"{self.by} instead of {self.model}"


@dataclass(frozen=True, slots=True)
class WithoutRetries:
    """Attempts that failed and were repeated in the same run take no time and cost nothing, nor does the wait after."""

    def __str__(self) -> str:
        return "without retries"


@dataclass(frozen=True, slots=True)
class WithoutWaiting:
    """No time passes before a person answers, an app is invoked again, or a failed attempt is repeated."""

    def __str__(self) -> str:
        return "without waiting"


@dataclass(frozen=True, slots=True)
class WithoutBarriers:
    """A task starts once its causes have ended, whatever else LangGraph's step holds, and however many tasks run."""

    def __str__(self) -> str:
        return "without steps and limits"


Change = Faster | Lasting | Parallel | Without | Instead | WithoutRetries | WithoutWaiting | WithoutBarriers

__all__ = [
    "Change",
    "Faster",
    "Instead",
    "Lasting",
    "Parallel",
    "Without",
    "WithoutBarriers",
    "WithoutRetries",
    "WithoutWaiting",
]
