"""Hooks go on once, come off completely, and one that does not fit is left off without harm."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import langgraph.graph
import langgraph.prebuilt.tool_node
import langgraph.pregel.remote  # noqa: F401
import pytest
from langgraph.graph._branch import BranchSpec
from langgraph.pregel import _loop, _runner

from otel_mas.instrumentation.langgraph.hook_table import HOOK_TABLE


@pytest.fixture(autouse=True)
def unpatched() -> Iterator[None]:
    HOOK_TABLE.unpatch()
    yield
    HOOK_TABLE.unpatch()


def standing() -> dict[tuple[str, str], Any]:
    modules = __import__("sys").modules
    found = {}
    for hook in HOOK_TABLE.hooks:
        owner = getattr(modules[hook.module], hook.owner) if hook.owner else modules[hook.module]
        if not hook.optional:
            found[hook.owner, hook.name] = getattr(owner, hook.name)
    return found


def test_every_hook_fits_the_installed_langgraph(caplog: pytest.LogCaptureFixture) -> None:
    before = standing()
    HOOK_TABLE.patch()
    after = standing()
    assert [place for place in before if after[place] is before[place]] == []
    assert not caplog.records


def test_patching_twice_wraps_once_and_unpatching_restores() -> None:
    before = standing()
    HOOK_TABLE.patch()
    once = standing()
    HOOK_TABLE.patch()
    assert standing() == once
    HOOK_TABLE.unpatch()
    assert standing() == before


def test_only_the_module_that_was_imported_is_patched() -> None:
    before = standing()
    HOOK_TABLE.patch("langgraph.pregel._runner")
    changed = {place for place, function in standing().items() if function is not before[place]}
    assert changed == {("", "run_with_retry"), ("", "arun_with_retry")}


def test_a_hook_with_other_parameters_is_left_off_and_warned_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def run_with_retry(job: Any) -> None: ...

    monkeypatch.setattr(HOOK_TABLE, "_warned", set())
    monkeypatch.setattr(_runner, "run_with_retry", run_with_retry)
    with caplog.at_level(logging.WARNING):
        HOOK_TABLE.patch()
        HOOK_TABLE.patch()
    assert _runner.run_with_retry is run_with_retry
    assert [r.getMessage().count("run_with_retry") for r in caplog.records] == [1]


def test_a_hook_that_is_gone_takes_its_group_along_and_the_others_stay(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(HOOK_TABLE, "_warned", set())
    monkeypatch.delattr(_loop, "apply_writes")
    before = _loop.PregelLoop.tick, _runner.run_with_retry
    original = BranchSpec._finish
    with caplog.at_level(logging.WARNING):
        HOOK_TABLE.patch()
    assert (_loop.PregelLoop.tick, _runner.run_with_retry) == before
    assert BranchSpec._finish is not original
    assert [r.getMessage().count("apply_writes is not there") for r in caplog.records] == [1]
    assert handler_is_registered()
    HOOK_TABLE.unpatch()
    assert not handler_is_registered()


def handler_is_registered() -> bool:
    """Whether LangChain calls a handler of ours."""
    from langchain_core.tracers import context

    return any("otel-mas" in hook[0].name for hook in context._configure_hooks)
