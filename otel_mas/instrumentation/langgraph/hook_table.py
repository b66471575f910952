"""The hooks into LangGraph."""

from __future__ import annotations

from otel_mas.instrumentation.langgraph import MODULES, hooks, remote, unstarted
from otel_mas.instrumentation.langgraph.callback_fallback import RUNS_FALLBACK
from otel_mas.instrumentation.patches import Hook, HookTable

_LOOP, _RUNNER, _BRANCH, _MAIN, _REMOTE, _TOOL_NODE = MODULES
_EXIT = ("self", "exc_type", "exc_value", "traceback")

RUNS, UPDATES = "runs", "updates"
"""Groups of hooks: a run is recorded exactly, or by the fallback."""

_HOOKS = (
    Hook(_LOOP, "", "apply_writes", ("checkpoint", "channels", "tasks"), hooks.apply_writes, group=RUNS),
    Hook(_LOOP, "PregelLoop", "_first", ("self",), hooks.first, group=RUNS),
    Hook(_LOOP, "PregelLoop", "tick", ("self",), hooks.tick, group=RUNS),
    Hook(_LOOP, "PregelLoop", "after_tick", ("self",), hooks.after_tick, group=RUNS),
    Hook(_LOOP, "PregelLoop", "_put_checkpoint", ("self", "metadata"), hooks.put_checkpoint),
    Hook(_LOOP, "SyncPregelLoop", "__enter__", ("self",), hooks.enter, group=RUNS),
    Hook(_LOOP, "SyncPregelLoop", "__exit__", _EXIT, hooks.leave, group=RUNS),
    Hook(_LOOP, "SyncPregelLoop", "accept_push", ("self", "task"), hooks.accept_push, group=RUNS),
    Hook(_LOOP, "SyncPregelLoop", "match_cached_writes", ("self",), hooks.match_cached_writes),
    Hook(_LOOP, "AsyncPregelLoop", "amatch_cached_writes", ("self",), hooks.amatch_cached_writes),
    Hook(_LOOP, "AsyncPregelLoop", "__aenter__", ("self",), hooks.aenter, group=RUNS),
    Hook(_LOOP, "AsyncPregelLoop", "__aexit__", _EXIT, hooks.aleave, group=RUNS),
    Hook(_LOOP, "AsyncPregelLoop", "aaccept_push", ("self", "task"), hooks.aaccept_push, group=RUNS),
    Hook(
        _LOOP,
        "SyncPregelLoop",
        "schedule_error_handler",
        ("self", "failed_task"),
        hooks.schedule_error_handler,
        True,
        RUNS,
    ),
    Hook(
        _LOOP,
        "AsyncPregelLoop",
        "aschedule_error_handler",
        ("self", "failed_task"),
        hooks.aschedule_error_handler,
        True,
        RUNS,
    ),
    Hook(_RUNNER, "", "run_with_retry", ("task", "retry_policy"), hooks.run_with_retry, group=RUNS),
    Hook(_RUNNER, "", "arun_with_retry", ("task", "retry_policy"), hooks.arun_with_retry, group=RUNS),
    Hook(_BRANCH, "BranchSpec", "_finish", ("self", "writer", "input", "result", "config"), hooks.branch_finish),
    Hook(_MAIN, "Pregel", "_defaults", ("self", "config"), unstarted.defaults),
    Hook(_TOOL_NODE, "ToolNode", "_validate_tool_call", ("self", "call"), hooks.validate_tool_call),
    Hook(
        _MAIN, "Pregel", "bulk_update_state", ("self", "config", "supersteps"), hooks.bulk_update_state, group=UPDATES
    ),
    Hook(
        _MAIN, "Pregel", "abulk_update_state", ("self", "config", "supersteps"), hooks.abulk_update_state, group=UPDATES
    ),
    Hook(_MAIN, "", "prepare_next_tasks", ("checkpoint",), hooks.prepare_next_tasks, group=UPDATES),
    Hook(
        _MAIN,
        "",
        "apply_writes",
        ("checkpoint", "channels", "tasks", "get_next_version"),
        hooks.apply_update_writes,
        group=UPDATES,
    ),
    Hook(_MAIN, "", "create_checkpoint", ("checkpoint", "channels", "step"), hooks.create_checkpoint, group=UPDATES),
    Hook(_REMOTE, "RemoteGraph", "stream", ("self", "input", "config"), remote.call),
    Hook(_REMOTE, "RemoteGraph", "astream", ("self", "input", "config"), remote.call),
    Hook(_REMOTE, "RemoteGraph", "stream_events", ("self", "input", "config"), remote.call, True),
    Hook(_REMOTE, "RemoteGraph", "astream_events", ("self", "input", "config"), remote.call, True),
)

HOOK_TABLE = HookTable("LangGraph", _HOOKS, "causes may be missing", {RUNS: RUNS_FALLBACK})
