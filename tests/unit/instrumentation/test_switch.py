"""On and off: who goes before whom when recording is asked for more than once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from otel_mas.config import Settings
from otel_mas.instrumentation import switch
from otel_mas.instrumentation.instrumentor import OtelMasInstrumentor
from otel_mas.record import recorder


@pytest.fixture(autouse=True)
def _off() -> Iterator[None]:
    yield
    switch.switch_off(1)


def settings(**given: object) -> Settings:
    return Settings.from_env(**given)


def recorded() -> tuple[bool, str, str | None]:
    found = recorder()
    return found.active, found.settings.store, found.settings.content


def test_content_is_redacted_where_somebody_asked_and_none_where_nobody_did() -> None:
    switch.switch_on(settings(store="/a"), asked=False)
    assert recorded() == (True, "/a", "none")
    switch.switch_off(1)
    switch.switch_on(settings(store="/a"), asked=True)
    assert recorded() == (True, "/a", "redacted")
    switch.switch_off(1)
    switch.switch_on(settings(store="/a", content="full"), asked=False)
    assert recorded() == (True, "/a", "full")


def test_a_process_of_a_run_is_one_that_was_asked_for() -> None:
    switch.switch_on(settings(store="/a", run_id="r"), asked=False)
    assert recorded() == (True, "/a", "redacted")


def test_who_asks_goes_before_who_is_merely_installed_in_any_order() -> None:
    switch.switch_on(settings(store="/installed"), asked=False)
    switch.switch_on(settings(store="/asked"), asked=True)
    assert recorded() == (True, "/asked", "redacted")
    switch.switch_on(settings(store="/installed"), asked=False)
    assert recorded() == (True, "/asked", "redacted")


def test_a_second_call_in_code_with_other_settings_replaces_the_first() -> None:
    switch.switch_on(settings(store="/one"), asked=True)
    switch.switch_on(settings(store="/two", content="full"), asked=True)
    assert recorded() == (True, "/two", "full")


def test_the_store_of_otel_mas_run_goes_before_that_of_the_code(caplog: pytest.LogCaptureFixture) -> None:
    switch.switch_on(settings(store="/run", run_id="r"), asked=True)
    switch.switch_on(settings(store="/run", run_id="r"), asked=True)
    assert caplog.messages == []
    switch.switch_on(settings(store="/code", run_id="r"), asked=True)
    assert recorded() == (True, "/run", "redacted")
    assert "what the app asks for is set aside" in caplog.text


def test_switching_off_is_idempotent_and_can_be_followed_by_on() -> None:
    switch.switch_on(settings(store="/a"), asked=True)
    assert switch.switch_off(1)
    assert not recorder().active
    assert switch.switch_off(1)
    switch.switch_on(settings(store="/b"), asked=True)
    assert recorded() == (True, "/b", "redacted")


def test_disabled_settings_switch_nothing_on() -> None:
    switch.switch_on(settings(store="/a", enabled=False), asked=True)
    assert not recorder().active


def test_the_entry_point_can_be_used_twice_and_undone(caplog: pytest.LogCaptureFixture) -> None:
    instrumentor = OtelMasInstrumentor()
    instrumentor.instrument(skip_dep_check=True)
    instrumentor.instrument()
    assert recorder().active
    instrumentor.uninstrument()
    assert not recorder().active
    assert caplog.messages == []


def test_the_entry_point_says_bad_settings_in_one_line_and_raises_nothing(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it raised would keep opentelemetry-instrument from loading the instrumentors after it."""
    monkeypatch.setenv("OTEL_MAS_CONTENT", "everything")
    monkeypatch.setenv("OTEL_MAS_QUEUE_SPANS", "0")
    instrumentor = OtelMasInstrumentor()
    instrumentor.instrument()
    assert not recorder().active
    (message,) = caplog.messages
    assert "OTEL_MAS_CONTENT" in message
    assert "OTEL_MAS_QUEUE_SPANS" in message
    instrumentor.uninstrument()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("module", ["instrumentation.switch", "instrumentation.import_hooks", "record.sdk.provider"])
def test_a_forked_child_waits_for_no_lock_of_a_thread_that_it_does_not_have(module: str) -> None:
    program = f"""
import os, signal, threading
import otel_mas.{module} as module
held, done = threading.Event(), threading.Event()
def hold():
    with module._lock:
        held.set()
        done.wait(60)
thread = threading.Thread(target=hold)
thread.start()
held.wait()
child = os.fork()
if child == 0:
    signal.alarm(5)  # waiting for ever is what must not be
    with module._lock:
        os._exit(0)
status = os.waitpid(child, 0)[1]
done.set()
assert status == 0
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, timeout=300)
