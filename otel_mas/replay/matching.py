"""Matching: which recorded call answers a call of a replay. By its place, then its request, then in order.

A run of a graph is bound to the recorded run that it repeats when its first call comes: to one of the same graph at the
same place that no other run repeats, that began at the same step with the same input, and that has this request there.
So runs that race, as those of a batch do, find their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from otel_mas.errors import ReplayMiss
from otel_mas.replay import answers
from otel_mas.replay.given import is_same_input, plain_input
from otel_mas.replay.place import HerePlace, RunLevel
from otel_mas.replay.recording import CallKind, RecordedCall, RecordedRun, Recording
from otel_mas.replay.request import Form, MessageForm, Normaliser, Request, difference, likeness
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_mas.instrumentation.langgraph.runs import GraphRun
    from otel_mas.model import Message
    from otel_mas.replay.recording import Levels

PARAMETERS: Final = (
    names.GEN_AI_REQUEST_TEMPERATURE,
    names.GEN_AI_REQUEST_TOP_P,
    names.GEN_AI_REQUEST_TOP_K,
    names.GEN_AI_REQUEST_MAX_TOKENS,
    names.GEN_AI_REQUEST_SEED,
    names.GEN_AI_REQUEST_FREQUENCY_PENALTY,
    names.GEN_AI_REQUEST_PRESENCE_PENALTY,
    names.GEN_AI_REQUEST_CHOICE_COUNT,
    names.GEN_AI_REQUEST_STOP_SEQUENCES,
    names.GEN_AI_OUTPUT_TYPE,
)
"""The parameters of a model that are part of a request."""

_Group = tuple[int, "Levels", CallKind]


class RunStart(NamedTuple):
    """The beginning of a run of a graph."""

    step: int
    """Number of its first step."""
    resumed: int
    """How many earlier runs it was begun in; 0: it goes on with none."""
    given: Any
    """The app's input."""


Cache = dict[tuple[str, Form], MessageForm]


def recorded_request(call: RecordedCall, normaliser: Normaliser, cache: Cache) -> Request | None:
    """The request of a recorded call; None where its content was not kept.

    Args:
        call: the recorded one.
        normaliser: of both sides.
        cache: of the forms of messages, which are the same for many calls.
    """
    if call.kind is CallKind.MODEL:
        if any(message.body is None for message in call.input):
            return None
        head = {"model": call.name, **{name: call.span.get(name) for name in PARAMETERS}}
        head["tools"] = call.contents.get(names.GEN_AI_TOOL_DEFINITIONS)
        head["options"] = call.contents.get(names.MAS_REQUEST_OPTIONS)
        head["questions"] = answers.questions(call)
        keys = [message.digest for message in call.input]
        return Request(head, _Messages(call.input), normaliser, keys=keys, cache=cache)
    if call.kind is CallKind.TOOL:
        asked = call.contents.get(names.GEN_AI_TOOL_CALL_ARGUMENTS)
        return None if asked is None else Request({"tool": call.name, "arguments": asked}, (), normaliser, call.name)
    asked = call.contents.get(names.GEN_AI_RETRIEVAL_QUERY_TEXT)
    return None if asked is None else Request({"retriever": call.name, "query": asked}, (), normaliser)


class _Messages(Sequence[Any]):
    """Role and parts of recorded messages, looked at only when they are asked for: most are those of earlier calls."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self._messages = messages

    def __len__(self) -> int:
        return len(self._messages)

    def __getitem__(self, index: Any) -> Any:
        body = self._messages[index].body or {}
        return str(body.get("role")), body.get("parts") or ()


class Matcher:
    """Finds the recorded call for each call of a replay, and gives each only once. Callers hold a lock."""

    def __init__(self, recording: Recording, normaliser: Normaliser, bound: Callable[[Any, RecordedRun], None]) -> None:
        self.recording = recording
        self._normaliser = normaliser
        self._on_bound = bound
        self._requests: dict[int, Request | None] = {}
        self._forms: Cache = {}
        self._indices: dict[tuple[_Group, Form], dict[bytes, list[RecordedCall]]] = {}
        self._used: set[int] = set()
        self._replaced: set[int] = set()
        self._bound: WeakKeyDictionary[GraphRun, RecordedRun] = WeakKeyDictionary()
        self._repeated: set[int] = set()
        self._started: WeakKeyDictionary[GraphRun, RunStart] = WeakKeyDictionary()

    def started(self, run: GraphRun, start: RunStart) -> None:
        """Note how a run began."""
        self._started.setdefault(run, start)

    def bind(self, run: GraphRun, recorded: RecordedRun) -> None:
        """Bind a run to the recorded one that it repeats, which is known before any call."""
        self._bound[run] = recorded
        self._repeated.add(id(recorded))
        self._on_bound(run, recorded)

    def take(self, here: HerePlace, kind: CallKind, request: Request) -> RecordedCall | None:
        """The recorded call that answers a request here, used up by this; None where there is none."""
        run = self._run(here, kind, request)
        if run is None:
            return None
        group = (id(run), here.place.runs[-1].levels, kind)
        calls = run.calls.get(group[1:], ())
        for form in Form:
            for call in self._index(group, calls, form).get(request.digest(form), ()):
                if id(call) not in self._used:
                    self._used.add(id(call))
                    return call
        return None

    def replaced(self, here: HerePlace, kind: CallKind, name: str, request: Request) -> RecordedCall | None:
        """The recorded call in whose place one with another request is made; None where there is none left.

        Calls that were made one after the other are told apart by their order, those that raced by their request.
        """
        run = self._run(here, kind, request)
        there = () if run is None else run.calls.get((here.place.runs[-1].levels, kind), ())
        left = [one for one in there if one.name == name and id(one) not in self._used | self._replaced]
        if not left:
            return None
        racing = [one for one in left if one.span.start_ns < left[0].span.last_ns]
        return left[0] if len(racing) == 1 else self._most_like(racing, here, request) or left[0]

    def replace(self, call: RecordedCall) -> None:
        """Note that a call with another request was made in place of a recorded one, which still answers its own."""
        self._replaced.add(id(call))

    def number(self, call: RecordedCall) -> int:
        """The number of a call of a tool among those of its name at its place, from 0."""
        same = [one for one in self.recording.calls if one.kind is call.kind and one.place == call.place]
        return [one for one in same if one.name == call.name].index(call)

    def nearest(self, here: HerePlace, kind: CallKind, name: str, request: Request) -> RecordedCall | None:
        """The call whose request is most like this one; those at the place, and unused ones, first.

        Of a tool or retriever only calls of the same one: what another one answered has another form.
        """
        calls = (call for call in self.recording.calls if call.kind is kind)
        return self._most_like([call for call in calls if kind is CallKind.MODEL or call.name == name], here, request)

    def _most_like(self, calls: Sequence[RecordedCall], here: HerePlace, request: Request) -> RecordedCall | None:
        found = [(call, known) for call in calls if (known := self._request(call)) is not None]
        found = [one for one in found if one[0].place == here.place] or found
        found = [one for one in found if id(one[0]) not in self._used] or found
        if not found:
            return None
        flat = request.flat()
        return max(found, key=lambda one: likeness(flat, one[1].flat()))[0]

    def use(self, call: RecordedCall) -> None:
        """Use a call up."""
        self._used.add(id(call))

    def miss(self, here: HerePlace, kind: CallKind, name: str, request: Request) -> ReplayMiss:
        """The error about a call without an answer."""
        what = f"{kind.value} {name}".strip()
        place = str(here.place)
        nearest = self.nearest(here, kind, name, request)
        if nearest is None:
            nearest = self._most_like([call for call in self.recording.calls if call.kind is kind], here, request)
        advice = "record it anew, or replay with on_miss 'live' or 'nearest'"
        if nearest is None:
            return ReplayMiss(
                f"no recorded answer for {what} in {place}: {self.recording.what} has no call of a {kind.value} with "
                f"its content; {advice}",
                place=place,
            )
        recorded = self._request(nearest)
        apart = difference(request, recorded) if recorded is not None else ""
        where = nearest.label if nearest.place == here.place else f"{nearest.label}, in {nearest.place}"
        if nearest.place == here.place and self._run(here, kind, request) is None:
            apart = "none: all recorded runs of this graph are repeated already (is it one trace of several?)"
        elif apart.startswith("none"):
            apart = self._excluded(nearest, here)
        return ReplayMiss(
            f"no recorded answer for {what} in {place}; nearest in {self.recording.what}: {where}; "
            f"difference: {apart}; {advice}",
            place=place,
            nearest=nearest.label,
            difference=apart,
        )

    def _excluded(self, recorded: RecordedCall, here: HerePlace) -> str:
        """The reason, in words, why a recorded call of the same request does not answer it."""
        if recorded.place != here.place:
            return "none but in their place"
        if id(recorded) in self._used:
            return "none: it has answered already, and was recorded that often"
        return "none but in their order or number"

    def _run(self, here: HerePlace, kind: CallKind, request: Request) -> RecordedRun | None:
        """The recorded run that the innermost run here repeats."""
        run, levels = self.recording.root, here.place.runs
        for depth in range(1, len(levels)):
            instance = here.runs[depth]
            bound = None if instance is None else self._bound.get(instance)
            if bound is None and instance is not None:
                bound = self._bind(instance, run, levels[depth - 1 :], kind, request)
            if bound is None:
                return None
            run = bound
        return run

    def _bind(
        self, instance: GraphRun, outer: RecordedRun, levels: Sequence[RunLevel], kind: CallKind, request: Request
    ) -> RecordedRun | None:
        there = outer.runs.get((levels[0].levels, levels[1].graph), ())
        found = [run for run in there if id(run) not in self._repeated]
        started = self._started.get(instance)
        if started is not None:
            found = [run for run in found if run.first_step == started.step] or found
            found = [run for run in found if bool(run.resumed) == bool(started.resumed)] or found
            found = [run for run in found if run.resumed == started.resumed] or found
            if len(found) > 1:
                given = plain_input(started.given, instance.channels.state)
                found = [run for run in found if is_same_input(given, run.given, self._normaliser)] or found
        if len(found) > 1:
            found = [run for run in found if self._fits(run, levels[1:], kind, request)] or found
        if not found:
            return None
        self.bind(instance, found[0])
        return found[0]

    def _fits(self, run: RecordedRun, levels: Sequence[RunLevel], kind: CallKind, request: Request) -> bool:
        """Whether a recorded run has this request at this place in it."""
        if len(levels) > 1:
            inner = run.runs.get((levels[0].levels, levels[1].graph), ())
            return any(self._fits(one, levels[1:], kind, request) for one in inner)
        group = (id(run), levels[0].levels, kind)
        calls = run.calls.get(group[1:], ())
        return any(
            id(call) not in self._used
            for form in Form
            for call in self._index(group, calls, form).get(request.digest(form), ())
        )

    def _index(self, group: _Group, calls: Sequence[RecordedCall], form: Form) -> dict[bytes, list[RecordedCall]]:
        """The calls of a group by the digest of their request."""
        found = self._indices.get((group, form))
        if found is None:
            found = self._indices[group, form] = {}
            for call, request in self._with_requests(calls):
                found.setdefault(request.digest(form), []).append(call)
        return found

    def _with_requests(self, calls: Sequence[RecordedCall]) -> Iterator[tuple[RecordedCall, Request]]:
        for call in calls:
            request = self._request(call)
            if request is not None:
                yield call, request

    def _request(self, call: RecordedCall) -> Request | None:
        if id(call) not in self._requests:
            self._requests[id(call)] = recorded_request(call, self._normaliser, self._forms)
        return self._requests[id(call)]


__all__ = ["PARAMETERS", "Matcher", "RunStart", "recorded_request"]
