"""The picture of a run as JSON, in columns: 100,000 spans have to open in seconds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, TypedDict, TypeVar

from otel_mas.analyse.questions import Question
from otel_mas.causal import CausalGraph, CriticalPath
from otel_mas.model.frame import finite, whole
from otel_mas.report.json.fields import PROBABILITY, PROBLEMS
from otel_mas.report.swimlanes import NONE, parents_first, swimlanes
from otel_mas.report.task_labels import short_labels
from otel_mas.report.text import plain
from otel_mas.semconv import LinkKind
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import Operation

N = TypeVar("N", int, float)
_ERROR = 2
_WENT_ON = frozenset({LinkKind.RESUME.value, LinkKind.RETRY.value})
_DEEPEST = 100
"""Spans around an effect among which its causes are looked for."""
_TEXT = "index in `strings`; -1 for none"
_OFFSET = "nanoseconds after `start_ns`"


class PictureSpansForm(TypedDict):
    id: Annotated[list[str], "16 hex digits"]
    trace: Annotated[list[int], "index in `trace_ids`"]
    parent: Annotated[list[int], "index of the span around it; -1 on roots"]
    name_s: Annotated[list[int], f"the span's name: {_TEXT}"]
    label_s: Annotated[list[int], f"a task's name, numbered where several share it; else the span's name: {_TEXT}"]
    lane_s: Annotated[list[int], f"name of its lane; -1 of what encloses all lanes: {_TEXT}"]
    agent_s: Annotated[list[int], f"the agent that it is, or works for: {_TEXT}"]
    service_s: Annotated[list[int], f"`service.name`: {_TEXT}"]
    record_kind_s: Annotated[list[int], f"`mas.record.kind`: {_TEXT}"]
    model_s: Annotated[list[int], f"the model that answered, or else the one asked: {_TEXT}"]
    tool_s: Annotated[list[int], f"the tool that was called: {_TEXT}"]
    task: Annotated[list[int], "1 where it is a bar of its lane: a task or an agent's work; where none is known, any"]
    depth: Annotated[list[int], "number of spans around it"]
    start: Annotated[list[int], _OFFSET]
    end: Annotated[list[int | None], f"{_OFFSET}; null where it has not ended"]
    status: Annotated[list[int], "0 unset, 1 ok, 2 error"]
    error: Annotated[list[int], "1 where an error happened in it, and did not only pass through"]
    input_tokens: Annotated[list[int | None], "tokens that a model read"]
    output_tokens: Annotated[list[int | None], "tokens that a model wrote"]
    cost_usd: Annotated[list[float | None], "USD; null where no price is known"]
    stopped: Annotated[list[int], "1 where its process stopped before it ended"]


class PictureEdgesForm(TypedDict):
    cause: Annotated[list[int], "index of the span; -1 where it lies in another trace"]
    effect: Annotated[list[int], "index of the span"]
    kind_s: Annotated[list[int], f"`mas.link.kind`: {_TEXT}"]
    provenance_s: Annotated[list[int], f"recorded, metadata or inferred: {_TEXT}"]
    probability: Annotated[list[float | None], PROBABILITY]
    gap: Annotated[list[int | None], "nanoseconds from the end of the cause to the start of the effect; null: unknown"]
    joined: Annotated[list[int], "1: of several causes, this one ended last, and the effect waited for it"]


class LaneForm(TypedDict):
    name: Annotated[str, "of the agent, or the outermost task"]
    agent: Annotated[bool, "whether it is that of an agent"]


class PicturePathForm(TypedDict):
    start: Annotated[int, f"start of the first step: {_OFFSET}"]
    end: Annotated[list[int], f"{_OFFSET}; the next one starts there"]
    kind_s: Annotated[list[int], f"span, framework, waiting for input or waiting in queue: {_TEXT}"]
    span: Annotated[list[int], "index of the span; -1 for none"]


class WaitForm(TypedDict):
    span: Annotated[int, "index of the task that asked"]
    start: Annotated[int, f"when it asked: {_OFFSET}"]
    end: Annotated[int | None, f"when it was answered or dropped: {_OFFSET}; null while it waits"]
    overdue: Annotated[bool, "it waits, or was answered after waiting, for longer than it was to"]


class PictureDocument(TypedDict):
    trace_ids: Annotated[list[str], "32 hex digits each"]
    start_ns: Annotated[str, "the first start: nanoseconds since the Unix epoch, as digits"]
    strings: Annotated[list[str], "texts that columns ending in _s refer to"]
    spans: Annotated[PictureSpansForm, "a column for each field, in start order"]
    edges: Annotated[PictureEdgesForm, "causes other than parents, a column for each field"]
    lanes: Annotated[list[LaneForm], "from top to bottom"]
    critical_path: Annotated[
        PicturePathForm, "its steps in time order, without gaps or overlaps, a column for each field"
    ]
    waits: Annotated[list[WaitForm], "for people"]
    problems: Annotated[list[str], PROBLEMS]
    incomplete: Annotated[str | None, "what is known to be missing, in words"]
    open: Annotated[bool, "whether a span still runs"]
    cursor: Annotated[str | None, "of the live stream: it goes on from here; null where the source has none"]


def picture(
    causal: CausalGraph,
    path: CriticalPath,
    problems: Sequence[str],
    asked: Sequence[Question] = (),
    *,
    incomplete: str | None = None,
    cursor: str | None = None,
) -> PictureDocument:
    """The picture of a trace or a conversation."""
    table, texts = causal.table, _Strings()
    start_ns = min(table.starts, default=0)
    trace_ids = list(dict.fromkeys(table.trace_ids))
    lanes = swimlanes(causal)
    stopped = frozenset(i for i in table.open_spans if table[i].stopped)
    return {
        "trace_ids": trace_ids,
        "start_ns": str(start_ns),
        "spans": {
            "id": list(table.ids),
            "trace": list(map({one: i for i, one in enumerate(trace_ids)}.__getitem__, table.trace_ids)),
            "parent": list(causal.parents),
            **_texts(causal, texts),  # type: ignore[typeddict-item]
            "lane_s": [NONE if lane == NONE else texts[lanes.names[lane]] for lane in lanes.lane],
            "task": [int(bar == i) for i, bar in enumerate(lanes.bar)],
            "depth": _depths(causal.parents),
            "start": [start - start_ns for start in table.starts],
            "end": _ends(causal, start_ns),
            "status": list(map(int, table.statuses)),
            "error": _errors(causal),
            "input_tokens": _numbers(whole, table.column(names.GEN_AI_USAGE_INPUT_TOKENS)),
            "output_tokens": _numbers(whole, table.column(names.GEN_AI_USAGE_OUTPUT_TOKENS)),
            "cost_usd": _numbers(finite, table.column(names.MAS_COST_USD)),
            "stopped": [int(i in stopped) for i in range(len(table))],
        },
        "edges": _edges(causal, texts),
        "lanes": [{"name": name, "agent": agent} for name, agent in zip(lanes.names, lanes.agents, strict=True)],
        "critical_path": _steps(path, start_ns, texts),
        "waits": list(_waits(causal, asked, start_ns)),
        "problems": list(problems),
        "incomplete": incomplete,
        "open": len(table.open_spans) > len(stopped),
        "cursor": cursor,
        "strings": list(texts),
    }


class _Strings(dict[Any, int]):
    """The number of each text, given when it is first asked for."""

    def __missing__(self, text: Any) -> int:
        if text is None or text == "":
            return NONE
        number = self.get(known := plain(text))
        if number is None:
            number = len(self)
            self[known] = number
        return number

    def column(self, values: Iterable[Any]) -> list[int]:
        """The numbers of a column of texts, most of which are equal."""
        values = list(values)
        numbers = {value: NONE if value is None else self[str(value)] for value in dict.fromkeys(values)}
        return list(map(numbers.__getitem__, values))


def _numbers(read: Callable[[object], N | None], values: Iterable[Any]) -> list[N | None]:
    """The numbers of a column, which most spans lack."""
    return [None if value is None else read(value) for value in values]


def _texts(causal: CausalGraph, texts: _Strings) -> dict[str, list[int]]:
    """The columns of texts that spans bring along."""
    table, labels = causal.table, short_labels(causal)
    asked, answered = table.column(names.GEN_AI_REQUEST_MODEL), table.column(names.GEN_AI_RESPONSE_MODEL)
    return {
        "name_s": texts.column(table.names),
        "label_s": texts.column(labels.get(one) or name for one, name in zip(table.ids, table.names, strict=True)),
        "agent_s": texts.column(_agents(causal)),
        "service_s": texts.column(table.services()),
        "record_kind_s": texts.column(table.column(names.MAS_RECORD_KIND)),
        "model_s": texts.column(one or other for one, other in zip(answered, asked, strict=True)),
        "tool_s": texts.column(table.column(names.GEN_AI_TOOL_NAME)),
    }


def _agents(causal: CausalGraph) -> list[str | None]:
    """The nearest agent at work around each span; outside of any, the one that it names (`analyse.places`)."""
    table, parents = causal.table, causal.parents
    operations = table.column(names.GEN_AI_OPERATION_NAME)
    named = [
        None if operation == Operation.INVOKE_WORKFLOW else agent
        for agent, operation in zip(table.column(names.GEN_AI_AGENT_NAME), operations, strict=True)
    ]
    found: list[str | None] = [None] * len(table)
    for i in parents_first(parents):
        around = None if parents[i] == NONE else found[parents[i]]
        own = named[i] or None
        found[i] = (own if operations[i] == Operation.INVOKE_AGENT else None) or around or own
    return found


def _depths(parents: Sequence[int]) -> list[int]:
    depths = [0] * len(parents)
    for i in parents_first(parents):
        if parents[i] != NONE:
            depths[i] = depths[parents[i]] + 1
    return depths


def _ends(causal: CausalGraph, start_ns: int) -> list[int | None]:
    ends: list[int | None] = [end - start_ns for end in causal.ends]
    for i in causal.table.open_spans:
        ends[i] = None
    return ends


def _errors(causal: CausalGraph) -> list[int]:
    """As `analyse.failures.failures`."""
    statuses, parents = causal.table.statuses, causal.parents
    passed_on = causal.table.column(names.MAS_ERROR_SPAN)
    failed = [i for i, status in enumerate(statuses) if status == _ERROR]
    above = {parents[i] for i in failed}
    found = [0] * len(statuses)
    for i in failed:
        found[i] = int(not passed_on[i] and i not in above)
    return found


def _edges(causal: CausalGraph, texts: _Strings) -> PictureEdgesForm:
    causes, effects, kinds, provenances = map(list, zip(*causal.links, strict=True)) if any(causal.links) else _NO_EDGES
    starts, ends = causal.table.starts, causal.ends
    still_open = frozenset(causal.table.open_spans)
    return {
        "cause": [max(cause, NONE) for cause in causes],
        "effect": effects,
        "kind_s": texts.column(kinds),
        "provenance_s": texts.column(provenances),
        "probability": list(map(causal.probabilities.get, range(len(causes)))),
        "gap": [
            None if cause < 0 or cause in still_open else starts[effect] - ends[cause]
            for cause, effect in zip(causes, effects, strict=True)
        ],
        "joined": _joined(causal, causes, effects, kinds),
    }


_NO_EDGES: tuple[list[Any], ...] = ([], [], [], [])


def _joined(causal: CausalGraph, causes: list[int], effects: list[int], kinds: list[str]) -> list[int]:
    """Mark, of the several causes of an effect, the edge from the one that ended last."""
    found = [0] * len(causes)
    several = {effect for effect, number in Counter(effects).items() if number > 1}
    into: dict[int, list[int]] = defaultdict(list)
    for number, (cause, effect, kind) in enumerate(zip(causes, effects, kinds, strict=True)):
        if effect in several and cause >= 0 and kind != LinkKind.MESSAGE:
            into[effect].append(number)
    starts, ends = causal.table.starts, causal.ends
    for effect, numbers in into.items():
        if len(numbers) > 1:
            around = _around(causal.parents, effect)
            numbers = [one for one in numbers if causes[one] not in around]
            # What went on after a pause or a failure was triggered before it: the edges into that one say by what.
            numbers = [one for one in numbers if kinds[one] in _WENT_ON] or numbers
        if len({causes[one] for one in numbers}) > 1:
            found[max(numbers, key=lambda one: (ends[causes[one]], starts[causes[one]]))] = 1
    return found


def _around(parents: Sequence[int], span: int) -> set[int]:
    found: set[int] = set()
    while (span := parents[span]) != NONE and len(found) < _DEEPEST:
        found.add(span)
    return found


def _steps(path: CriticalPath, start_ns: int, texts: _Strings) -> PicturePathForm:
    steps = list(path.numbers())[::-1]
    return {
        "start": path.start_ns - start_ns if steps else 0,
        "end": [end - start_ns for _, _, end, _ in steps],
        "kind_s": texts.column(kind.value for *_, kind in steps),
        "span": [span for span, *_ in steps],
    }


def _waits(causal: CausalGraph, asked: Sequence[Question], start_ns: int) -> Iterable[WaitForm]:
    numbers = causal.table.numbers
    for one in asked:
        span = next((span for span in one.paused if span.span_id in numbers), None)
        if span is not None:
            yield {
                "span": numbers[span.span_id],
                "start": one.asked_ns - start_ns,
                "end": None if one.ended_ns is None else one.ended_ns - start_ns,
                "overdue": one.overdue,
            }


__all__ = ["PictureDocument", "picture"]
