"""Model calls that are left to an instrumentation scope which never shows up."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from otel_mas.instrumentation.interop.missing_scope import PATIENCE_S, MissingScope

WANTED = "openinference.instrumentation.openia"
APP = """
import otel_mas
otel_mas.instrument(store={store!r})
from langchain_core.language_models import FakeListChatModel
from opentelemetry import trace
with trace.get_tracer({scope!r}).start_as_current_span("call"):
    FakeListChatModel(responses=["hello"]).invoke("hi")
"""


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def missing_scope(clock: Clock) -> MissingScope:
    return MissingScope(WANTED, clock)


def test_the_warning_comes_once_and_names_the_scopes_of_the_process(
    missing_scope: MissingScope, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    missing_scope.started("openinference.instrumentation.openai", chosen=False)
    missing_scope.unrecorded_call()
    missing_scope.unrecorded_call()
    assert caplog.messages == []
    clock.now += PATIENCE_S
    missing_scope.unrecorded_call()
    missing_scope.unrecorded_call()
    missing_scope.over()
    (warning,) = caplog.messages
    assert WANTED in warning
    assert "scopes here: openinference.instrumentation.openai" in warning


def test_a_process_that_ends_sooner_warns_at_its_end(
    missing_scope: MissingScope, caplog: pytest.LogCaptureFixture
) -> None:
    missing_scope.unrecorded_call()
    missing_scope.over()
    assert len(caplog.messages) == 1
    assert "no other code makes spans here" in caplog.messages[0]


def test_there_is_no_warning_once_a_span_of_the_scope_has_started(
    missing_scope: MissingScope, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    missing_scope.unrecorded_call()
    missing_scope.started(WANTED, chosen=True)
    clock.now += PATIENCE_S
    missing_scope.unrecorded_call()
    missing_scope.over()
    assert caplog.messages == []


def test_without_a_model_call_there_is_nothing_to_say(
    missing_scope: MissingScope, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        missing_scope.over()
    assert caplog.messages == []


@pytest.mark.slow
@pytest.mark.parametrize(("scope", "warns"), [("elsewhere", True), (WANTED, False)])
def test_an_app_with_a_misspelt_scope_gets_the_warning(tmp_path: Path, scope: str, warns: bool) -> None:
    app = APP.format(store=str(tmp_path / "runs.db"), scope=scope)
    env = {"OTEL_MAS_MODEL_SPANS": WANTED, "PATH": ""}
    ran = subprocess.run([sys.executable, "-c", app], env=env, capture_output=True, text=True, check=True)
    assert (f"leaves model calls to {WANTED}" in ran.stderr) is warns
    assert ("scopes here: elsewhere" in ran.stderr) is warns
