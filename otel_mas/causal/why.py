"""Why a step waited, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from otel_mas.model import Span
from otel_mas.semconv import LinkKind, Operation
from otel_mas.semconv import attributes as names

_NAMED_BY_OPERATION = tuple(
    f"{operation} " for operation in (Operation.INVOKE_WORKFLOW, Operation.INVOKE_AGENT, Operation.EXECUTE_TOOL)
)

_UNITS = ((10**9, "s"), (10**6, "ms"), (10**3, "µs"), (1, "ns"))


def lasting(ns: int) -> str:
    """A duration with two significant digits or more, as "1.2 s"; from a minute on "2 min 5 s"."""
    if ns >= 60 * 10**9:
        minutes, seconds = divmod(round(ns / 10**9), 60)
        return f"{minutes} min {seconds} s"
    for unit, sign in _UNITS:
        if ns >= unit:
            value = ns / unit
            return f"{value:.1f} {sign}" if value < 10 and unit > 1 else f"{value:.0f} {sign}"
    return "0 s"


class Words:
    """Sentences about spans by number."""

    def __init__(self, spans: Sequence[Span], tasks: Callable[[], Mapping[int, str]]) -> None:
        self._spans = spans
        self._tasks = tasks

    def name(self, i: int) -> str:
        """A task by its name, with a number where there are several; others by what is specific in the span's name."""
        span = self._spans[i]
        if span.columns.get(names.MAS_TASK_ID):
            return self._tasks()[i]
        for operation in _NAMED_BY_OPERATION:
            if span.name.startswith(operation):
                return span.name[len(operation) :]
        return span.name

    def waited(self, waiting: int, done: int, branches: int = 1, second: int | None = None, ahead: int = 0) -> str:
        """`done` ended last of so many branches, `ahead` ns after `second`."""
        said = f"{self.name(waiting)} waited for {self.name(done)}"
        if second is None or branches < 2:
            return said
        margin = f"{lasting(ahead)} after" if ahead else "together with"
        return f"{said} (last of {branches} branches, {margin} {self.name(second)})"

    def caused(self, kind: str, effect: int, cause: int, branches: int, second: int | None, ahead: int) -> str:
        """As `waited`, in the words of the mechanism."""
        if kind == LinkKind.HANDOFF:
            return f"{self.name(cause)} handed over to {self.name(effect)}"
        if kind == LinkKind.RETRY:
            return f"{self.name(effect)} repeated the failed attempt of {self.name(cause)}"
        if kind == LinkKind.ERROR_HANDLER:
            return f"{self.name(effect)} handled the failure of {self.name(cause)}"
        if kind == LinkKind.MESSAGE:
            return f"{self.name(effect)} read what {self.name(cause)} wrote"
        return self.waited(effect, cause, branches, second, ahead)

    def started(self, above: int, begun: int) -> str:
        return f"{self.name(above)} started {self.name(begun)}"

    def scheduled(self, above: int, begun: int, gap: int) -> str:
        return f"{self.name(above)} took {lasting(gap)} to start {self.name(begun)}"

    def paused(self, task: int) -> str:
        return f"{self.name(task)} paused to wait for input"

    def resumed(self, task: int) -> str:
        return f"{self.name(task)} resumed after the human answered"

    def followed(self, begun: int, done: int) -> str:
        return f"{self.name(begun)} started after {self.name(done)} had ended"

    def overlapped(self, begun: int, running: int) -> str:
        return f"{self.name(begun)} started while {self.name(running)} ran"

    def invoked_again(self, begun: int) -> str:
        return f"{self.name(begun)} started when the app was invoked again"

    def unrecorded(self, begun: int) -> str:
        return f"nothing was recorded until {self.name(begun)} started"
