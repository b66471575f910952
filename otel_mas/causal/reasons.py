"""Why a step waited, in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Final

from otel_mas.causal.links import Links
from otel_mas.dialects.messaging import queue_name
from otel_mas.model import SpanKind, SpanTable
from otel_mas.semconv import LinkKind, Operation
from otel_mas.semconv import attributes as names

Reason = tuple[str, int, int, tuple[int, ...]]
"""Text between the names of two spans (or after the first, if the second is `NO_SPAN`), the numbers of the two, and
either nothing, or the number of branches, the second to last of them, and by how many ns it was ahead;
or (`is_held`) the cause alone, and how many ns earlier it would have let the effect start."""

NO_SPAN: Final = -1
NO_REASON: Final[Reason] = ("", NO_SPAN, NO_SPAN, ())
WAITED: Final = " waited for "
STARTED: Final = " started "
PAUSED: Final = " paused to wait for input"
RESUMED: Final = " resumed after the human answered"
FOLLOWED: Final = " started after the end of "
OVERLAPPED: Final = " started during "
INVOKED_AGAIN: Final = " started when the app was invoked again"
DELAYED: Final = " started later than "
"""Between a cause and its effect, until somebody looks: then it is `SCHEDULED`, or a task that held the effect."""
SCHEDULED: Final = " took {} to start "
"""Between the one that scheduled and the one that was ready, for as long as the section lasts that the reason is of."""
QUEUED: Final = " took the message after {} in queue {}"
"""After the name of the receiver, for as long as the section lasts that the reason is of."""
SENT: Final = " sent the message that was received by "
UNRECORDED: Final = " started after a time in which nothing was recorded"

REQUESTED: Final = " got the request of "
ANSWERED: Final = " got the answer of "
"""In place of `STARTED` and `WAITED`, where a client's span and the server's are of two processes."""

CAUSED: Final[Mapping[str, str]] = defaultdict(
    lambda: WAITED,
    {
        LinkKind.HANDOFF: " took over from ",
        LinkKind.RETRY: " repeated the failed attempt of ",
        LinkKind.ERROR_HANDLER: " handled the failure of ",
        LinkKind.MESSAGE: " read what was written by ",
    },
)
"""By `mas.link.kind`, between an effect and its cause."""

_NAMED_BY_OPERATION = tuple(
    f"{operation} " for operation in (Operation.INVOKE_WORKFLOW, Operation.INVOKE_AGENT, Operation.EXECUTE_TOOL)
)

_UNITS = ((10**9, "s"), (10**6, "ms"), (10**3, "µs"), (1, "ns"))


def lasting(ns: int) -> str:
    """A duration with two significant digits or more, as "1.2 s"; from a minute on as "2 min 5 s"."""
    if ns >= 60 * 10**9:
        minutes, seconds = divmod(round(ns / 10**9), 60)
        return f"{minutes} min {seconds} s"
    for unit, sign in _UNITS:
        if ns >= unit:
            value = ns / unit
            return f"{value:.1f} {sign}" if value < 10 and unit > 1 else f"{value:.0f} {sign}"
    return "0 s"


def is_held(reason: Reason) -> bool:
    """Whether the effect waited for a task that is no cause of it: the other one that the reason names."""
    return len(reason[3]) == 2


class ReasonText:
    """Sentences of reasons, with the names of the spans."""

    def __init__(self, spans: SpanTable, tasks: Callable[[], Mapping[int, str]], links: Links) -> None:
        """`tasks` gives the names of task spans by number; it is called when the first one is needed."""
        self._spans = spans
        self._links = links
        self._tasks = tasks
        self._names: dict[int, str] = {}

    @cached_property
    def _task_names(self) -> Mapping[int, str]:
        return self._tasks()

    def sentence(self, reason: Reason, lasted: int = 0) -> str:
        """The sentence, with the names of its spans, about a section that lasted so many ns."""
        text, one, other, more = self._asking(reason)
        if text is SCHEDULED:
            text = text.format(lasting(lasted))
        elif text is QUEUED:
            text = text.format(lasting(lasted), queue_name(self._spans[one]) or "without a name")
        if one != NO_SPAN:
            text = (self._names.get(one) or self._name(one)) + text
        if other != NO_SPAN:
            text += self._names.get(other) or self._name(other)
            text += self._doubt(one, other)
        if not more:
            return text
        if is_held(reason):
            cause, later = more
            after = f"{lasting(later)} after {self._names.get(cause) or self._name(cause)}"
            return f"{text}: a step ends when all its tasks have ({after})"
        branches, second, ahead = more
        margin = f"{lasting(ahead)} after" if ahead else "together with"
        return f"{text} (last of {branches} branches, {margin} {self._names.get(second) or self._name(second)})"

    def _doubt(self, effect: int, cause: int) -> str:
        """How likely the cause is one, if it was only inferred."""
        links = self._links
        for edge in links.into(effect) if links.probabilities else ():
            if links.cause[edge] == cause and edge in links.probabilities:
                return f" (inferred, {100 * links.probabilities[edge]:.0f} %)"
        return ""

    def _asking(self, reason: Reason) -> Reason:
        """The same reason, in the words of what happened where it is between a client and its server."""
        text, one, other, more = reason
        if (text is not STARTED and text is not WAITED) or more or other == NO_SPAN or not self._asked(one, other):
            return reason
        return (REQUESTED, other, one, ()) if text is STARTED else (ANSWERED, one, other, ())

    def _asked(self, client: int, server: int) -> bool:
        spans = self._spans
        kinds = spans.kinds[client], spans.kinds[server]
        return kinds == (SpanKind.CLIENT, SpanKind.SERVER) and spans.parents[server] == spans.ids[client]

    def _name(self, i: int) -> str:
        """A task by its name, with a number where there are several; others by what is specific in the span's name."""
        name = self._spans.names[i]
        if self._spans.value(i, names.MAS_TASK_ID):
            name = self._task_names.get(i, name)
        elif name.startswith(_NAMED_BY_OPERATION):
            name = name.partition(" ")[2]
        self._names[i] = name or "a span without a name"
        return self._names[i]
