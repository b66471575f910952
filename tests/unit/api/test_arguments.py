"""Every public call refuses what means nothing: an error of the tree or a TypeError that names the argument."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import otel_mas
from otel_mas.api.filters import FILTERS
from otel_mas.errors import OtelMasError

NAMES: tuple[Any, ...] = (None, 3, 1.5, b"x", "", "  ", [], {"a": 1}, ["x"], object(), True, datetime.now(UTC))
"""Values that are no name."""
DURATIONS: tuple[Any, ...] = (-1, math.nan, math.inf, b"x", "", "soon", [], {}, object(), True, "\ud800")
TIMES: tuple[Any, ...] = (*DURATIONS, datetime.min)
NUMBERS: tuple[Any, ...] = (0, -1, 1.5, 2**80, b"x", "", "ten", [], {}, object(), True)
PATHS: tuple[Any, ...] = (3, 1.5, b"x", "", [], {}, object(), True, "a\0b", "\ud800")
SPANS: tuple[Any, ...] = (None, 3, b"x", "", "nobody", [], {}, object())
MAPPINGS: tuple[Any, ...] = (3, "x", b"x", [], ["x"], object(), {1: 2}, {"": "x"})
OBJECTS: tuple[Any, ...] = (None, 3, "x", [None], ["x"], {"a": 1}, object())
CHOICES: tuple[Any, ...] = (*NAMES, "nobody", "\ud800")
WORKFLOWS: tuple[Any, ...] = tuple(one for one in NAMES if one is not None)
SHARES: tuple[Any, ...] = (None, 0, -0.1, 1.5, math.nan, math.inf, b"x", "", "0.1", [], {}, object())
TEXTS: tuple[Any, ...] = (3, 1.5, b"x", "", "  ", [], {"a": 1}, object(), True)
OPTIONAL: tuple[Any, ...] = tuple(one for one in CHOICES if one is not None)
MOMENTS: tuple[Any, ...] = (None, 1.5, b"x", "", "+", "+x", "nobody", [], {}, object())
LEVELS: tuple[Any, ...] = (None, -1, 101, 1.5, b"x", "loud", [], {}, object(), True)

_BY_METAVAR = {"TIME": TIMES, "DURATION": DURATIONS, "KEY=VALUE": MAPPINGS}
FILTER_VALUES: Mapping[str, tuple[Any, ...]] = {
    name: _BY_METAVAR.get(field.metavar, tuple(one for one in NAMES if one is not None))
    for name, (field, _) in FILTERS.items()
} | {"no_filter": (1,)}
KINDS: tuple[Any, ...] = (None, 3, b"x", "", "nobody", ["x"], [None], [[]], object(), True)
COMPLAINTS: tuple[Any, ...] = (3, "nobody", b"x", "", [], {}, object(), True)
SELECTION = {name: tuple(one for one in NAMES if one not in (None, "  ")) for name in ("agent", "tool", "model")} | {
    "grep": (3, b"x", "", [], object()),
    "kinds": KINDS,
}

THRESHOLDS = (3, "x", b"x", object(), {1: 2}, {"x": 1})
STUBS: tuple[Any, ...] = (3, 1.5, b"x", "", "x", "a:", ":b", [], {"a": 1}, object(), True)
LIVE: tuple[Any, ...] = (None, 3, 1.5, b"x", "", [3], [""], object(), True)
REPLAY: Mapping[str, tuple[Any, ...]] = {
    "source": PATHS,
    "live": LIVE,
    "on_miss": (None, 3, b"x", "", "sometimes", [], {}, object(), True),
    "timing": (None, 3, "x", [], object()),
    "freeze": (None, 3, "x", [], object()),
    "volatile": (3, 1.5, b"x", "(", ["("], [3], object(), True),
    "stub": STUBS,
    "reference": (3, "x", b"x", [], [None], {"a": 1}, object(), True),
}

SWEEP: Mapping[str, Mapping[str, Mapping[str, tuple[Any, ...]]]] = {
    "source": {
        "traces": FILTER_VALUES | {"limit": NUMBERS},
        "executions": FILTER_VALUES | {"limit": NUMBERS, "kind": OPTIONAL},
        "events": FILTER_VALUES | {"limit": NUMBERS, "type": OPTIONAL},
        "metrics": FILTER_VALUES | {"limit": NUMBERS, "name": CHOICES, "by": CHOICES, "window": DURATIONS},
        "outcomes": FILTER_VALUES | {"limit": NUMBERS},
        "topology": FILTER_VALUES | {"limit": NUMBERS, "workflow": WORKFLOWS},
        "variants": FILTER_VALUES | {"limit": NUMBERS, "workflow": WORKFLOWS},
        "rare_paths": FILTER_VALUES | {"limit": NUMBERS, "workflow": WORKFLOWS, "below": SHARES},
        "hot_spots": FILTER_VALUES | {"limit": NUMBERS, "workflow": WORKFLOWS},
        "findings": FILTER_VALUES | {"limit": NUMBERS, "codes": KINDS, "thresholds": THRESHOLDS},
        "profile": FILTER_VALUES | {"limit": NUMBERS},
        "to_pandas": FILTER_VALUES | {"limit": NUMBERS},
        "to_arrow": FILTER_VALUES | {"limit": NUMBERS},
        "each": FILTER_VALUES | {"limit": NUMBERS, "grep": (3, b"x", "", [], object())},
        "search": FILTER_VALUES | {"limit": NUMBERS, "text": (None, 3, b"x", "", [], object())},
        "compare": {"before": (None, *MAPPINGS), "after": (None, *MAPPINGS), "limit": NUMBERS},
        "diff": {
            "before": (None, *MAPPINGS),
            "after": (None, *MAPPINGS),
            "limit": NUMBERS,
            "against": OBJECTS[1:],
            "ratio": (None, "x", 0.5, math.nan, True),
            "least": DURATIONS,
            "least_usd": (None, "x", -1, math.nan),
        },
        "trace": {"trace_id": CHOICES},
        "conversation": {"thread": CHOICES, "service": OPTIONAL},
        "run": {"run_id": NAMES},
        "sql": {"query": CHOICES, "limit": NUMBERS, "parameters": (None, 3, object())},
        "log": SELECTION | {"trace_id": OPTIONAL, "conversation": OPTIONAL, "service": (), "since": TIMES, "x": (1,)},
        "tail": {"cursor": OPTIONAL},
        "follow": SELECTION | {"trace_id": OPTIONAL, "conversation": NAMES[1:]},
        "overdue": {"summaries": OBJECTS},
        "error_messages": {"summaries": OBJECTS},
        "measurements": {"since": TIMES, "until": TIMES},
        "health": {"agents": (), "window": DURATIONS, "thresholds": THRESHOLDS, "limit": NUMBERS},
        "prometheus": {"findings": ()},
    },
    "trace": {
        "log": SELECTION,
        "diff": {
            "other": (None, *OBJECTS),
            "ratio": (None, "x", 0.5, math.nan, True),
            "least": DURATIONS,
            "least_usd": (None, "x", -1, math.nan),
        },
        "executions": FILTER_VALUES | {"kind": OPTIONAL},
        "events": FILTER_VALUES | {"type": OPTIONAL},
        "metrics": FILTER_VALUES | {"name": CHOICES, "by": (*CHOICES, "run"), "window": DURATIONS},
        "messages": {"span": SPANS},
        "contents": {"span": SPANS},
        "span": {"name": CHOICES},
        "span_details": {"name": CHOICES},
        "why_not": {"agent": NAMES},
        "logs": {"level": LEVELS},
        "records": {"max_payload_bytes": NUMBERS},
        "findings": {"codes": KINDS, "thresholds": THRESHOLDS},
        "root_cause": {"complaint": COMPLAINTS},
        "explain": {"complaint": COMPLAINTS},
        "mark": {
            "score": (math.nan, math.inf, b"x", "", "low", [], {}, object()),
            **dict.fromkeys(("label", "reason", "author"), TEXTS),
            "name": (None, *TEXTS),
            "span": (*TEXTS, "nobody"),
        },
        "introduced": {"text": (None, *TEXTS)},
        "record_findings": {"findings": (3, "x", [None], ["x"], object())},
        "record_evaluations": {"report": OBJECTS},
    },
    "graph": {
        "drag_ns": {"exclusive": ()},
        "what_if": {
            "faster": (3, "x", [], ["x"], object(), {1: 2}, {"": 2}, {"writer": 0}, {"writer": "2"}, {"nobody": 2}),
            "lasting": (
                3,
                "x",
                [],
                ["x"],
                object(),
                {1: 2},
                {"": 2},
                {"writer": -1},
                {"writer": "soon"},
                {"nobody": 2},
            ),
            "parallel": (3, "x", b"x", object(), {"a": 1}, ["writer"], [3], [[3]], [""], ["nobody", "writer"]),
            "without": (None, 3, b"x", "", object(), {"a": 1}, [3], [""], "nobody"),
            "models": (3, "x", [], ["x"], object(), {1: "x"}, {"": "x"}, {"gpt-4o": 3}, {"nobody": "gpt-4o"}),
        },
    },
    "state": {"at": {"where": MOMENTS}, "channel": {"name": CHOICES}, "compare": {"first": MOMENTS, "second": MOMENTS}},
    "session": {
        "change": {"target": CHOICES},
        "segment": {"first": CHOICES, "last": OPTIONAL},
    },
    "executions": {"by": {"by": CHOICES}, "slowest": {"most": NUMBERS}},
    "profile": {"by": {"kind": CHOICES}},
    "records": {"write": {"path": PATHS}},
    "agent_profiler": {"hotspots": {"limit": NUMBERS}, "percentiles": {"by": CHOICES}},
    "otel_mas": {
        "open": {"target": PATHS},
        "read_records": {"path": (None, *PATHS)},
        "InteractionGraph": {"records": OBJECTS},
        "AgentProfiler": {"runs": OBJECTS, "since": (1,)},
        "replay": {"trace": (None, *PATHS, object(), [None])} | REPLAY,
        "TraceReplayEngine": {"trace": (None, *PATHS, object(), [None])},
        "verify_root_cause": {
            "trace": OBJECTS,
            "app": (None, 3, "x", [], {}, object()),
            "reference": (3, "x", [None], {"a": 1}, object()),
            "mended": (*MAPPINGS, {"nobody#1": "x"}),
            "expect": (3, b"x", "(", [], {}, object()),
            "candidates": NUMBERS,
            "complaint": COMPLAINTS,
            "stub": STUBS,
            "live": LIVE,
        },
        "DebugSession": {"store": PATHS, "quiet_after": (-1, 0, "soon", object()), "on_state": (3, "x", [])},
        "MASTraceLogger": {
            "store": PATHS,
            "file": PATHS,
            "queue_records": NUMBERS,
            "flush_interval_s": (-1, math.nan, "1", None, [], True),
            "wait_s": (-1, math.nan, "1", None, [], True),
            "max_payload_bytes": NUMBERS,
            "content": ("some", 3, []),
        },
    },
}
"""By handle and call: the values of each argument that are refused."""
GIVEN: Mapping[str, dict[str, Any]] = {
    "metrics": {"name": "duration"},
    "search": {"text": "tram"},
    "compare": {"before": {"since": "2d"}, "after": {"since": "1d"}},
    "conversation": {"thread": "nobody"},
    "sql": {"query": "SELECT 1"},
    "AgentProfiler": {"runs": []},
    "change": {"output": "x"},
    "segment": {"first": "supervisor#1"},
    "replay": {},
    "verify_root_cause": {"app": lambda: None, "mended": {"supervisor#1": {}}, "expect": "x"},
}
"""Arguments that a call needs, where another one is swept."""
SWITCHES = {"loops", "barriers", "retries", "waiting", "full", "payload", "attributes", "may_ship", "openmetrics"}
"""Read as Python reads any value where a truth is asked for."""
INNER = {"of", "like", "close", "count", "index", "append", "extend", "insert", "remove", "pop", "sort"}
"""Calls by which other handles make a handle, and those of a Python sequence."""


@pytest.fixture(scope="module")
def handles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    from tests import research_team

    with otel_mas.open(research_team.write(tmp_path_factory.mktemp("handles") / "team.db")) as source:
        trace = source.latest()
        session = otel_mas.replay(trace).session
        GIVEN["replay"]["trace"] = GIVEN["verify_root_cause"]["trace"] = trace
        yield {
            "source": source,
            "trace": trace,
            "conversation": source.conversation(trace.conversation_id or ""),
            "graph": trace.graph(),
            "state": trace.state(),
            "executions": source.executions(),
            "profile": trace.profile(),
            "records": trace.records(),
            "log": trace.log(),
            "logs": trace.logs(),
            "agent_profiler": otel_mas.AgentProfiler(trace),
            "interaction_graph": otel_mas.InteractionGraph(trace.records()),
            "session": SimpleNamespace(change=session.change, segment=session.segment),  # the rest is for hooks
            "otel_mas": otel_mas,
        }


CASES = [
    pytest.param(handle, call, argument, id=f"{handle}.{call}({argument})")
    for handle, calls in SWEEP.items()
    for call, arguments in calls.items()
    for argument in arguments
]


@pytest.mark.parametrize(("handle", "call", "argument"), CASES)
def test_what_means_nothing_is_refused(handle: str, call: str, argument: str, handles: dict[str, Any]) -> None:
    accepted, raw = [], []
    for value in SWEEP[handle][call][argument]:
        try:
            _call(getattr(handles[handle], call), {**GIVEN.get(call, {}), argument: value})
        except (OtelMasError, TypeError) as error:
            if "\n" in str(error) or _is_raw(error):
                raw.append((value, error))
        except Exception as error:
            raw.append((value, error))
        else:
            accepted.append(value)
    assert accepted == []
    assert raw == []


def _call(call: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    answer = call(**arguments)
    if inspect.isgenerator(answer):
        list(answer)


def _is_raw(error: Exception) -> bool:
    """Whether an error speaks of what is inside of otel-mas, and not of the argument."""
    text = str(error)
    return any(phrase in text for phrase in ("unhashable", "startswith", "strip", "instances of", "binding parameter"))


def test_the_sweep_has_every_argument_of_every_public_call(handles: dict[str, Any]) -> None:
    missing = []
    for handle, found in handles.items():
        swept = SWEEP.get(handle, SWEEP["trace"] if handle == "conversation" else {})
        names = otel_mas.__all__ if handle == "otel_mas" else [one for one in dir(found) if not one.startswith("_")]
        for name in names if handle != "otel_mas" else SWEEP["otel_mas"]:
            call = getattr(type(found), name, None) if handle != "otel_mas" else getattr(found, name)
            if not callable(call) or name in INNER or (isinstance(found, list) and hasattr(list, name)):
                continue
            for one in inspect.signature(call).parameters.values():
                takes = one.name not in SWITCHES | {"self"} and one.kind is not one.VAR_KEYWORD
                if takes and one.name not in swept.get(name, {}):
                    missing.append(f"{handle}.{name}({one.name})")
    assert missing == []


def test_a_name_that_nobody_has_is_answered_with_those_that_are_there(handles: dict[str, Any]) -> None:
    with pytest.raises(OtelMasError, match="supervisor"):
        handles["conversation"].span("supervisr#1")
    with pytest.raises(OtelMasError, match="agent, turn, node, model, tool"):
        handles["profile"].by("agents")
    assert handles["trace"].why_not("wrter").known


def test_nothing_is_written_where_no_file_can_be(handles: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(OtelMasError, match="names no file"):
        handles["records"].write("")
    handles["records"].write(tmp_path / "a b\u2028.jsonl")
    assert len(list(otel_mas.read_records(tmp_path / "a b\u2028.jsonl"))) == len(handles["records"])
