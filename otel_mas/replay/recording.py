"""Recording: the calls of models, tools and retrievers in a trace or conversation, and what each was answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from otel_mas.analyse.content import RunContent
from otel_mas.model import Message, Span, Trace
from otel_mas.replay.contents import given_values, run_content
from otel_mas.replay.place import Level, RunLevel, TaskPlace, mark_level, run_name, task_path
from otel_mas.semconv import LinkKind, RecordKind
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import TaskOutcome

if TYPE_CHECKING:
    from otel_mas.causal import CausalGraph
    from otel_mas.sources import Source


class CallKind(StrEnum):
    """The sort of thing that is called."""

    MODEL = "model"
    TOOL = "tool"
    RETRIEVER = "retriever"


@dataclass(frozen=True, slots=True, eq=False)
class RecordedCall:
    """One call in a recording: where it was made, what was asked, and what was answered.

    Messages and contents are as the store has them: redacted, media taken out. An answer that an exception took the
    place of has none; the span and `contents` say which exception it was.
    """

    span: Span
    kind: CallKind
    place: TaskPlace
    label: str
    """Text form: `researcher#1/model#2`, the second call of a model in the task of that label; `.../tool:search#1`."""
    name: str
    """The model's, tool's or retriever's."""
    input: tuple[Message, ...] = ()
    """Messages of a model's request, in order; the body of one is None where its content was not kept."""
    output: tuple[Message, ...] = ()
    """Messages of the answer: one for each candidate of a model; those that a tool returned."""
    contents: Mapping[str, Any] = field(default_factory=dict)
    """Other content by attribute name: tool definitions, arguments and result, query and documents, the exception."""
    question: Any = None
    """Question of a tool to a person, where it paused for the answer."""

    def get(self, name: str) -> Any:
        """A content or attribute by name; None where it was not kept."""
        value = self.contents.get(name)
        return self.span.get(name) if value is None else value


_KINDS: Final = {
    RecordKind.LLM_CALL: CallKind.MODEL,
    RecordKind.TOOL_CALL: CallKind.TOOL,
    RecordKind.RETRIEVAL: CallKind.RETRIEVER,
}
_NAMES: Final = {
    CallKind.MODEL: names.GEN_AI_REQUEST_MODEL,
    CallKind.TOOL: names.GEN_AI_TOOL_NAME,
    CallKind.RETRIEVER: names.GEN_AI_DATA_SOURCE_ID,
}
_RESULTS: Final = (names.GEN_AI_TOOL_CALL_RESULT, names.GEN_AI_RETRIEVAL_DOCUMENTS)
_WORK: Final = (RecordKind.AGENT_TASK, RecordKind.WORKFLOW)
_REDACTED: Final = "[redacted]"
_WITHHELD: Final = "$withheld"

Levels = tuple[Level, ...]


@dataclass(slots=True, eq=False)
class RecordedRun:
    """One run of a graph in a recording, with what was called in it; the outermost stands for no graph.

    Args:
        span: of the run; None of the outermost.
        number: among the runs of its name at its place, in order of start.
        first_step: the superstep of its first task; -1 where it had none.
        resumed: how many earlier runs its first tasks had begun in.
        given: its input, by channel, as its content has it; empty where that was not kept.
        calls: by the levels in it and the kind, in order of start.
        runs: those inside it, by the levels in it and their name, in order of start.
    """

    span: Span | None = None
    number: int = 0
    first_step: int = -1
    resumed: int = 0
    given: Mapping[str, Any] = field(default_factory=dict)
    calls: dict[tuple[Levels, CallKind], list[RecordedCall]] = field(default_factory=dict)
    runs: dict[tuple[Levels, str], list[RecordedRun]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class RecordedTask:
    """A task in a recording: each of its attempts, the paused and the resumed ones among them, and their places.

    Args:
        spans: in order of start.
        places: of code inside them.
    """

    spans: tuple[Span, ...]
    places: tuple[TaskPlace, ...]


@dataclass(eq=False)
class Recording:
    """The answers that a trace or conversation has.

    Args:
        root: the runs and calls outside of any graph; all others are inside.
        calls: all calls, in order of start.
        spans: all spans, in order of start.
        lacks: what it cannot answer, in words; empty where it can answer everything.
        what: the trace or conversation, in words.
        graph: its causal graph.
        tasks: by their labels, as `researcher#1`.
        resume_values: by the levels of a task, as `task_path` writes them, what people answered it, in order.
    """

    root: RecordedRun
    calls: tuple[RecordedCall, ...]
    spans: tuple[Span, ...]
    lacks: tuple[str, ...]
    what: str
    graph: CausalGraph
    tasks: Mapping[str, RecordedTask]
    resume_values: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    @cached_property
    def has_options(self) -> bool:
        """Whether it has the options of requests, such as the choice of a tool; those of earlier versions have none."""
        return any(names.MAS_REQUEST_OPTIONS in call.contents for call in self.calls)

    @cached_property
    def trace_ids(self) -> tuple[str, ...]:
        """The ids of its traces, in order of start."""
        return tuple(dict.fromkeys(span.trace_id for span in self.spans))

    @property
    def start_ns(self) -> int:
        """When it began, in nanoseconds since the Unix epoch; 0 where it is empty."""
        return min((span.start_ns for span in self.spans), default=0)

    @property
    def duration_ns(self) -> int:
        """Time from its first start to its last end, in nanoseconds."""
        return max((span.last_ns for span in self.spans), default=0) - self.start_ns

    def asked(self, task: str) -> bool:
        """Whether a task, by its label, paused for the answer of a person."""
        return any(
            span.get(names.MAS_TASK_OUTCOME) == TaskOutcome.INTERRUPTED
            or any(link.kind == LinkKind.RESUME for link in span.links)
            for span in self.tasks[task].spans
        )

    @classmethod
    def read(cls, traces: Sequence[tuple[Trace, Source]], what: str) -> Recording:
        """The recording that traces are, each with the source that has its content.

        Args:
            traces: those of one run, oldest first.
            what: the run, in words.
        """
        spans = sorted((span for trace, _ in traces for span in trace.spans), key=lambda span: span.start_ns)
        return _Reader(spans, run_content(traces)).recording(what)


class _Reader:
    """Finds the place of every call of a run."""

    def __init__(self, spans: Sequence[Span], content: RunContent) -> None:
        self._spans = spans
        self._content = content
        self._by_id = {span.span_id: span for span in spans}
        self._tasks = {span.span_id: span for span in spans if is_task(span)}
        self._run_ids = {
            span.parent_span_id
            for span in self._tasks.values()
            if span.parent_span_id in self._by_id and span.parent_span_id not in self._tasks
        }
        self._numbers = self._task_numbers()
        self._tools: dict[str, int] = {}
        self._runs: dict[str, RecordedRun] = {}
        self._paths: dict[str, tuple[str | None, Levels]] = {}
        self._begun: Counter[str] = Counter()

    def recording(self, what: str) -> Recording:
        root = RecordedRun()
        graph = self._graph_of_causes()
        labels = graph.labels()
        calls: list[RecordedCall] = []
        counts: dict[tuple[str, str], int] = {}
        for span in self._spans:
            if span.span_id in self._run_ids:
                self._add_run(root, span)
            kind = _KINDS.get(RecordKind(span.record_kind)) if span.record_kind in _KINDS else None
            if kind is None:
                continue
            run_id, levels = self._path(span)
            run = root if run_id is None else self._runs[run_id]
            name = str(span.get(_NAMES[kind]) or "")
            same = run.calls.setdefault((levels, kind), [])
            self._tools[span.span_id] = sum(one.name == name for one in same)
            what_kind = kind.value if kind is CallKind.MODEL else f"{kind.value}:{name}"
            task = self._nearest_task(span)
            prefix = labels.get(task, "") if task else ""
            counts[prefix, what_kind] = counts.get((prefix, what_kind), 0) + 1
            label = "/".join(filter(None, (prefix, f"{what_kind}#{counts[prefix, what_kind]}")))
            call = RecordedCall(
                span,
                kind,
                self._place(*self._path(span)),
                label,
                name,
                self._content.messages_of(span, "input"),
                self._content.messages_of(span, "output"),
                self._content.of(span),
                self._question(span, task) if kind is CallKind.TOOL else None,
            )
            same.append(call)
            calls.append(call)
        tasks = self._recorded_tasks(labels)
        return Recording(
            root, tuple(calls), tuple(self._spans), tuple(_lacking(calls)), what, graph, tasks, self._resume_values()
        )

    def _question(self, span: Span, task: str | None) -> Any:
        """The question of a tool that paused: it has neither result nor error, and its task has asked."""
        contents = self._content.of(span)
        asking = self._by_id.get(task or "")
        if asking is None or names.GEN_AI_TOOL_CALL_RESULT in contents or span.get(names.ERROR_TYPE):
            return None
        asked = self._content.of(asking).get(names.MAS_INTERRUPT_VALUES)
        return asked[0] if isinstance(asked, list) and asked else None

    def _resume_values(self) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for span in self._spans:
            if span.record_kind != RecordKind.HUMAN_INPUT:
                continue
            contents = self._content.of(span)
            if names.MAS_RESUME_VALUES in contents:
                tasks = [self._tasks[one.span_id] for one in self._around(span) if one.span_id in self._tasks]
                path = task_path(reversed([self._task_level(one) for one in tasks]))
                found.setdefault(path, []).append(contents[names.MAS_RESUME_VALUES])
        return found

    def _recorded_tasks(self, labels: Mapping[str, str]) -> dict[str, RecordedTask]:
        found: dict[str, list[Span]] = {}
        for span in self._tasks.values():
            if span.span_id in labels:
                found.setdefault(labels[span.span_id], []).append(span)
        return {
            label: RecordedTask(tuple(spans), tuple(self._place(*self._inside(span)) for span in spans))
            for label, spans in found.items()
        }

    def _graph_of_causes(self) -> CausalGraph:
        from otel_mas.causal import build

        by_trace: dict[str, list[Span]] = {}
        for span in self._spans:
            by_trace.setdefault(span.trace_id, []).append(span)
        return build(tuple(Trace(one, found) for one, found in by_trace.items()), whole=True)

    def _add_run(self, root: RecordedRun, span: Span) -> None:
        outer_id, levels = self._path(span)
        outer = root if outer_id is None else self._runs[outer_id]
        same = outer.runs.setdefault((levels, self._graph(span)), [])
        tasks = [one for one in self._tasks.values() if one.parent_span_id == span.span_id]
        first = min((int(one.get(names.MAS_TASK_STEP) or 0) for one in tasks), default=-1)
        ids = {one.task_id for one in tasks if int(one.get(names.MAS_TASK_STEP) or 0) == first and one.task_id}
        resumed = max((self._begun[one] for one in ids), default=0)
        run = RecordedRun(span, len(same), first, resumed, given_values(self._content, span))
        self._begun.update({one.task_id for one in tasks if one.task_id})
        same.append(run)
        self._runs[span.span_id] = run

    def _graph(self, span: Span) -> str:
        return run_name(span.get(names.GEN_AI_AGENT_NAME))

    def _parent(self, span: Span) -> Span | None:
        """The span around a span in its process: running code does not know the tasks of those who called it."""
        parent = self._by_id.get(span.parent_span_id or "")
        return parent if parent is not None and _process(parent) == _process(span) else None

    def _around(self, span: Span) -> Iterator[Span]:
        """The spans around a span in its process, the nearest first."""
        seen = {span.span_id}
        above = self._parent(span)
        while above is not None and above.span_id not in seen:
            seen.add(above.span_id)
            yield above
            above = self._parent(above)

    def _nearest_task(self, span: Span) -> str | None:
        return next((one.span_id for one in self._around(span) if one.span_id in self._tasks), None)

    def _path(self, span: Span) -> tuple[str | None, Levels]:
        """The id of the run that a span is in, and the levels between; None: of no graph."""
        parent = self._parent(span)
        if parent is None:
            return None, ()
        known = self._paths.get(parent.span_id)
        if known is None:
            known = self._paths[parent.span_id] = self._inside(parent)
        return known

    def _inside(self, span: Span) -> tuple[str | None, Levels]:
        """The path of what is directly inside a span."""
        if span.span_id in self._run_ids:
            return span.span_id, ()
        run, levels = self._path(span)
        if span.span_id in self._tasks:
            return run, (*levels, self._task_level(span))
        if span.record_kind == RecordKind.TOOL_CALL:
            name = span.get(names.GEN_AI_TOOL_NAME)
            number = self._tools.get(span.span_id, 0)
            return run, _before_marks(levels, Level(f"tool:{name}", number=number))
        if span.record_kind in _WORK:
            name = span.get(names.GEN_AI_AGENT_NAME) or span.get(names.MAS_TASK_NAME) or ""
            return run, (*levels, mark_level(str(name)))
        return run, levels

    def _place(self, run_id: str | None, levels: Levels) -> TaskPlace:
        """The place that a path is."""
        runs: list[RunLevel] = []
        while run_id is not None:
            run = self._by_id[run_id]
            runs.append(RunLevel(self._graph(run), levels))
            run_id, levels = self._path(run)
        runs.append(RunLevel("", levels))
        return TaskPlace(tuple(reversed(runs)))

    def _task_level(self, span: Span) -> Level:
        caller = next((link.span_id for link in span.links if link.kind == LinkKind.CALL), None)
        calling = self._tasks.get(caller or "")
        return Level(
            str(span.task_name or span.name),
            int(span.get(names.MAS_TASK_STEP) or 0),
            self._numbers[span.span_id],
            int(span.get(names.MAS_TASK_ATTEMPT) or 0),
            "" if calling is None else str(self._task_level(calling)),
        )

    def _task_numbers(self) -> dict[str, int]:
        """Numbers of the tasks; worked out from their order in traces that do not have them."""
        given = {one.span_id: one.get(names.MAS_TASK_NUMBER) for one in self._tasks.values()}
        if any(given.values()):
            return {span_id: int(number or 0) for span_id, number in given.items()}
        groups: dict[Any, dict[str | None, int]] = {}
        found = {}
        for span in sorted(self._tasks.values(), key=lambda one: int(one.get(names.MAS_TASK_INDEX) or 0)):
            caller = next((link.span_id for link in span.links if link.kind == LinkKind.CALL), None)
            where = caller or (span.task_name, span.get(names.MAS_TASK_STEP))
            group = groups.setdefault((span.parent_span_id, where), {})
            found[span.span_id] = group.setdefault(span.task_id, len(group))
        return found


def _before_marks(levels: Levels, tool: Level) -> Levels:
    """Levels with that of a tool, before marks: in running code the order of the two is not known."""
    at = len(levels)
    while at and levels[at - 1].name.startswith("@"):
        at -= 1
    return (*levels[:at], tool, *levels[at:])


def _process(span: Span) -> object:
    return span.resource.attributes.get(names.MAS_INSTANCE_ID)


def is_task(span: Span) -> bool:
    """Whether a span is a task that a graph ran: no update of its state by the code around it."""
    return bool(span.task_id and span.get(names.MAS_TASK_STEP) is not None and not span.get(names.MAS_TASK_UPDATED))


def _lacking(calls: Sequence[RecordedCall]) -> Iterator[str]:
    """The answers that a recording does not have, or not exactly, in words."""
    without = [call for call in calls if not _is_complete(call)]
    if without:
        first = without[0].label
        yield (
            f"{len(without)} of {len(calls)} calls were recorded without their content ({first} is the first): record "
            "with `--content redacted` or `full`, and export with content"
        )
    redacted = [call for call in calls if any(_holds(answer, _REDACTED) for answer in _answers(call))]
    if redacted:
        yield (
            f"{len(redacted)} answers had secrets in them, which are answered as {_REDACTED} ({redacted[0].label} is "
            "the first): what the app does with one fails, or goes another way"
        )


def _answers(call: RecordedCall) -> Iterator[Any]:
    yield from (message.body for message in call.output)
    yield from (call.contents.get(name) for name in _RESULTS)


def _is_complete(call: RecordedCall) -> bool:
    failed = call.span.get(names.ERROR_TYPE) is not None
    if call.kind is CallKind.MODEL:
        answered = failed or bool(call.output)
        return answered and all(message.body is not None for message in (*call.input, *call.output))
    asked = names.GEN_AI_TOOL_CALL_ARGUMENTS if call.kind is CallKind.TOOL else names.GEN_AI_RETRIEVAL_QUERY_TEXT
    got = names.GEN_AI_TOOL_CALL_RESULT if call.kind is CallKind.TOOL else names.GEN_AI_RETRIEVAL_DOCUMENTS
    return all(
        name in call.contents and not _holds(call.contents[name], _WITHHELD, keys=True)
        for name in ((asked,) if failed or call.question is not None else (asked, got))
    )


def _holds(value: Any, text: str, *, keys: bool = False) -> bool:
    if isinstance(value, str):
        return text in value
    if isinstance(value, Mapping):
        return (keys and text in value) or any(_holds(item, text, keys=keys) for item in value.values())
    return isinstance(value, list | tuple) and any(_holds(item, text, keys=keys) for item in value)


__all__ = ["CallKind", "RecordedCall", "RecordedRun", "RecordedTask", "Recording", "is_task"]
