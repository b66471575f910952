"""Which threads and submissions are carried, and what is left as it was."""

from __future__ import annotations

import contextvars
import functools
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType, SimpleNamespace

import pytest
from opentelemetry import context as otel_context
from opentelemetry.context import Context

from otel_mas.instrumentation.propagation import threads
from otel_mas.instrumentation.propagation.hook_table import HOOK_TABLE
from otel_mas.record import RECORDED_SPAN_KEY

ORIGINALS = (threading.Thread.start, ThreadPoolExecutor.submit)


@pytest.fixture(autouse=True)
def patched() -> Iterator[None]:
    HOOK_TABLE.patch()
    yield
    HOOK_TABLE.unpatch()
    assert (threading.Thread.start, ThreadPoolExecutor.submit) == ORIGINALS


@pytest.fixture
def within() -> Iterator[Context]:
    """This test runs inside something recorded."""
    context = Context({RECORDED_SPAN_KEY: "a span"})
    token = otel_context.attach(context)
    yield context
    otel_context.detach(token)


def seen_in_a_thread(thread_class: type[threading.Thread] = threading.Thread) -> object:
    seen: list[object] = []
    thread = thread_class(target=lambda: seen.append(otel_context.get_current().get(RECORDED_SPAN_KEY)))
    thread.start()
    thread.join()
    return seen[0]


def test_a_thread_runs_in_the_context_of_the_code_that_starts_it(within: Context) -> None:
    assert seen_in_a_thread() == "a span"


def test_the_app_s_own_context_variables_stay_behind_as_ever(within: Context) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("the app's", default="not set")
    variable.set("set")
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(variable.get).result() == "not set"


def test_outside_of_anything_recorded_a_thread_is_started_as_it_is() -> None:
    thread = threading.Thread(target=lambda: None)
    thread.start()
    assert "run" not in vars(thread)
    assert seen_in_a_thread() is None


def test_a_thread_that_cannot_start_is_left_as_it_was(within: Context) -> None:
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    with pytest.raises(RuntimeError, match="only be started once"):
        thread.start()
    assert "run" not in vars(thread)


def test_a_run_that_the_app_gave_to_one_thread_is_respected(within: Context) -> None:
    ran: list[bool] = []
    thread = threading.Thread()
    thread.run = lambda: ran.append(True)  # type: ignore[method-assign]
    thread.start()
    thread.join()
    assert ran == [True]
    assert "run" in vars(thread)


def test_an_error_in_a_thread_is_the_thread_s_own(within: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    caught: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: caught.append(args.exc_value))
    error = ValueError("the app's")

    def fail() -> None:
        raise error

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    assert caught == [error]


@pytest.mark.parametrize("wrapped", [False, True])
def test_what_comes_with_a_context_of_its_own_is_submitted_as_it_is(wrapped: bool, within: Context) -> None:
    """As `asyncio.to_thread`, and LangChain's and LangGraph's executors submit it."""
    submitted: list[object] = []
    run = contextvars.copy_context().run
    given = functools.partial(run, len) if wrapped else run
    threads.submit(lambda self, fn, *args: submitted.append(fn))(None, given, "abc")
    assert submitted == [given]


def test_a_worker_of_a_pool_does_not_stay_in_the_context_that_it_was_first_needed_in() -> None:
    with ThreadPoolExecutor(1) as pool:
        token = otel_context.attach(Context({RECORDED_SPAN_KEY: "a span"}))
        carried = pool.submit(otel_context.get_value, RECORDED_SPAN_KEY).result()
        otel_context.detach(token)
        assert carried == "a span"
        assert pool.submit(otel_context.get_value, RECORDED_SPAN_KEY).result() is None


@pytest.fixture
def opentelemetry_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """`opentelemetry-instrumentation-threading`, switched on, as far as we look at it."""
    module = ModuleType("opentelemetry.instrumentation.threading")
    instrumentor = SimpleNamespace(is_instrumented_by_opentelemetry=True)
    module.ThreadingInstrumentor = lambda: instrumentor  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.mark.usefixtures("opentelemetry_s_own")
def test_where_opentelemetry_carries_the_context_it_is_not_carried_twice(within: Context) -> None:
    submitted: list[object] = []
    threads.submit(lambda self, fn, *args: submitted.append(fn))(None, len, "abc")
    assert submitted == [len]
    assert seen_in_a_thread() is None  # the stand-in does nothing


@pytest.mark.usefixtures("opentelemetry_s_own")
def test_a_thread_that_opentelemetry_does_not_reach_is_carried_all_the_same(within: Context) -> None:
    seen: list[object] = []

    class Worker(threading.Thread):
        def run(self) -> None:
            seen.append(otel_context.get_value(RECORDED_SPAN_KEY))

    worker = Worker()
    worker.start()
    worker.join()
    assert seen == ["a span"]
