"""`otel-mas profile --json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypedDict

from otel_mas.analyse.profile import FunctionRow, HotSpot, Profile, ProfileRow
from otel_mas.report.json.fields import PROBLEMS


class ProfileRowForm(TypedDict):
    by: Annotated[str, "agent, turn (of an agent, in a single run), node, model or tool"]
    name: Annotated[str | None, "which one; null outside of any agent or node, or of a model without a name"]
    calls: Annotated[int, "how often it was called; `p50_ns` and its kin are of so many durations"]
    errors: Annotated[int, "calls that failed, or that an error passed through"]
    wall_ns: Annotated[int, "nanoseconds in which at least one call ran; over several runs each run's are added"]
    sum_ns: Annotated[int, "nanoseconds of all calls, in parallel or not"]
    model_ns: Annotated[int, "nanoseconds in which a model call of it ran"]
    tool_ns: Annotated[int, "nanoseconds in which a tool or retriever of it ran, without model calls inside"]
    self_ns: Annotated[int, "nanoseconds in which its own code ran, and nothing inside of it that has a span"]
    waiting_sibling_ns: Annotated[int, "nanoseconds from its end to that of the siblings of its join or step"]
    waiting_input_ns: Annotated[int, "nanoseconds from its pause to its resumption"]
    waiting_rate_limit_ns: Annotated[int, "nanoseconds from an attempt that a rate limit refused to the next one"]
    on_path_ns: Annotated[int, "nanoseconds on the critical path, with what is inside of it"]
    loop_lag_max_ns: Annotated[int | None, "nanoseconds of the longest block of the event loop meanwhile; null: none"]
    loop_lag_total_ns: Annotated[int | None, "nanoseconds of all of them, counted for each call"]
    p50_ns: Annotated[int, "nanoseconds: median of the durations of its calls, interpolated (Hyndman and Fan's 7)"]
    p90_ns: Annotated[int, "nanoseconds: 90th percentile; says little of fewer than 10 calls"]
    p99_ns: Annotated[int, "nanoseconds: 99th percentile; says little of fewer than 100 calls"]
    max_ns: Annotated[int, "nanoseconds of the longest call"]
    first_chunk_calls: Annotated[int, "streamed model calls of it, whose time to the first chunk is known"]
    first_chunk_p50_ns: Annotated[int, "nanoseconds: median of that time; 0 without any"]
    first_chunk_p90_ns: Annotated[int, "nanoseconds: its 90th percentile"]
    first_chunk_p99_ns: Annotated[int, "nanoseconds: its 99th percentile"]
    input_tokens: Annotated[int, "of its model calls, with those read from a cache"]
    output_tokens: Annotated[int, "of its model calls, with those spent on reasoning"]
    cache_read_tokens: Annotated[int, "part of the input tokens"]
    reasoning_tokens: Annotated[int, "part of the output tokens"]
    usd: Annotated[float | None, "USD of the calls that have a price; null where none has"]
    unpriced: Annotated[int, "calls without a known price; `usd` leaves them out"]
    simulated: Annotated[bool, "a stand-in answered some of the calls: nobody was charged for them"]


class HotSpotForm(TypedDict):
    kind: Annotated[str, "node, model, tool, retrieval, workflow (the framework between tasks) or another kind of span"]
    name: Annotated[str, "which one"]
    spans: Annotated[int, "number of spans"]
    self_ns: Annotated[int, "nanoseconds in which it ran, and nothing inside of it that has a span"]
    on_path_ns: Annotated[int, "nanoseconds of its steps on the critical path"]
    off_path_ns: Annotated[int, "nanoseconds of `self_ns` in which something else was on the path"]


class FunctionForm(TypedDict):
    name: Annotated[str, "qualified name of a function marked with `otel_mas.profiled`"]
    agent: Annotated[str | None, "the agent that it ran in"]
    node: Annotated[str | None, "the node that it ran in"]
    calls: Annotated[int, "how often it was called"]
    errors: Annotated[int, "calls that an exception left"]
    total_ns: Annotated[int, "nanoseconds of all calls"]
    self_ns: Annotated[int, "nanoseconds of them outside of profiled functions that it called"]
    running_ns: Annotated[int, "nanoseconds of them in which it ran, and did not wait in an `await`"]
    max_ns: Annotated[int, "nanoseconds of the longest call"]


class ProfileDocument(TypedDict):
    runs: Annotated[int, "number of runs: traces, or a conversation"]
    spans: Annotated[int, "number of spans"]
    total_ns: Annotated[int, "nanoseconds: `on_path_ns` of all hot spots, `waiting_ns` and `outside_ns`"]
    waiting_ns: Annotated[int, "nanoseconds of the critical paths that are waiting for input"]
    outside_ns: Annotated[int, "nanoseconds of the critical paths in which no span ran"]
    run_p50_ns: Annotated[int, "nanoseconds: median of the durations of the runs"]
    run_p90_ns: Annotated[int, "nanoseconds: their 90th percentile"]
    run_p99_ns: Annotated[int, "nanoseconds: their 99th percentile"]
    rows: Annotated[list[ProfileRowForm], "by agent, turn, node, model and tool, in each the longest first"]
    hot_spots: Annotated[list[HotSpotForm], "the most self time first"]
    functions: Annotated[list[FunctionForm], "the most self time first"]
    problems: Annotated[list[str], PROBLEMS]


def profile(found: Profile, problems: Sequence[str] = ()) -> ProfileDocument:
    """The document of a profile."""
    return {
        "runs": found.runs,
        "spans": found.spans,
        "total_ns": found.total_ns,
        "waiting_ns": found.waiting_ns,
        "outside_ns": found.outside_ns,
        "run_p50_ns": found.durations.p50,
        "run_p90_ns": found.durations.p90,
        "run_p99_ns": found.durations.p99,
        "rows": [_row(row) for row in found.rows],
        "hot_spots": [_hot_spot(spot) for spot in found.hot_spots],
        "functions": [_function(row) for row in found.functions],
        "problems": list(problems),
    }


def _row(row: ProfileRow) -> ProfileRowForm:
    took, first, cost = row.durations, row.first_chunk, row.cost
    return {
        "by": row.by,
        "name": row.name,
        "calls": row.calls,
        "errors": row.errors,
        "wall_ns": row.wall_ns,
        "sum_ns": row.sum_ns,
        "model_ns": row.model_ns,
        "tool_ns": row.tool_ns,
        "self_ns": row.self_ns,
        "waiting_sibling_ns": row.waiting_sibling_ns,
        "waiting_input_ns": row.waiting_input_ns,
        "waiting_rate_limit_ns": row.waiting_rate_limit_ns,
        "on_path_ns": row.on_path_ns,
        "loop_lag_max_ns": row.loop_lag_max_ns,
        "loop_lag_total_ns": row.loop_lag_total_ns,
        "p50_ns": took.p50,
        "p90_ns": took.p90,
        "p99_ns": took.p99,
        "max_ns": took.longest,
        "first_chunk_calls": first.n,
        "first_chunk_p50_ns": first.p50,
        "first_chunk_p90_ns": first.p90,
        "first_chunk_p99_ns": first.p99,
        "input_tokens": cost.input_tokens,
        "output_tokens": cost.output_tokens,
        "cache_read_tokens": cost.cache_read_tokens,
        "reasoning_tokens": cost.reasoning_tokens,
        "usd": cost.usd,
        "unpriced": cost.unpriced,
        "simulated": cost.simulated,
    }


def _hot_spot(spot: HotSpot) -> HotSpotForm:
    return {
        "kind": spot.kind,
        "name": spot.name,
        "spans": spot.spans,
        "self_ns": spot.self_ns,
        "on_path_ns": spot.on_path_ns,
        "off_path_ns": spot.off_path_ns,
    }


def _function(row: FunctionRow) -> FunctionForm:
    return {
        "name": row.name,
        "agent": row.agent,
        "node": row.node,
        "calls": row.calls,
        "errors": row.errors,
        "total_ns": row.total_ns,
        "self_ns": row.self_ns,
        "running_ns": row.running_ns,
        "max_ns": row.max_ns,
    }


__all__ = ["FunctionForm", "HotSpotForm", "ProfileDocument", "ProfileRowForm", "profile"]
