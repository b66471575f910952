"""Log records of the app: ids on them, and copies beside their span."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import loguru
import pytest
import structlog
from click.testing import CliRunner
from opentelemetry import baggage
from opentelemetry import context as otel_context
from opentelemetry import trace as otel_trace

import otel_mas
from otel_mas.analyse.log import LogRecord
from otel_mas.api import Trace
from otel_mas.cli import cli
from otel_mas.instrumentation.logs import keep

log = logging.getLogger("app.of.tests")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "runs.db"
    otel_mas.instrument(store=path, personal_data=["email"])
    yield path
    otel_mas.shutdown(30)


def kept(store: Path) -> list[LogRecord]:
    assert otel_mas.flush(30)
    with otel_mas.open(store) as source:
        return [record for one in source.traces() for record in _trace(source, one.trace_id).logs()]


def _trace(source: Any, trace_id: str) -> Trace:
    found: Trace = source.trace(trace_id)
    return found


def test_a_record_is_kept_beside_its_span_redacted_and_by_level(store: Path) -> None:
    with otel_mas.workflow("flow"), otel_mas.task("step") as step:
        log.warning("mail to %s, password=%s", "bob@example.com", "hunter2hunter2", extra={"order": 7})
        log.info("not kept")
    (record,) = kept(store)
    assert record.message.startswith("mail to [email:")
    assert record.message.endswith("], password=[redacted]")
    assert (record.severity, record.severity_number, record.logger) == ("WARNING", 13, "app.of.tests")
    assert record.attributes == {"order": 7}
    assert record.task == "step#1"
    assert record.span_id == f"{step.span.get_span_context().span_id:016x}"
    assert record.source is not None
    assert record.source.startswith("test_records.py:")


def test_an_exception_is_kept_with_its_stack(store: Path) -> None:
    with otel_mas.task("step"):
        try:
            raise ValueError("no")
        except ValueError:
            log.exception("failed")
    (record,) = kept(store)
    assert (record.exception_type, record.exception_message) == ("ValueError", "no")
    assert "test_an_exception_is_kept" in (record.stacktrace or "")


def test_records_get_ids_which_never_clash_with_those_of_the_app(store: Path, caplog: Any) -> None:
    token = otel_context.attach(baggage.set_baggage("user.id", "ada"))
    try:
        with otel_mas.workflow("flow", conversation="t-1"), otel_mas.agent("writer") as agent:
            log.warning("one")
            log.warning("two", extra={"trace_id": "mine"})
    finally:
        otel_context.detach(token)
    one, two = caplog.records
    assert (one.workflow, one.agent, one.task, one.user_id) == ("flow", "writer", "writer", "ada")
    assert one.trace_id == f"{agent.span.get_span_context().trace_id:032x}"
    assert two.trace_id == "mine"
    assert two.span_id == one.span_id


def test_outside_of_a_span_and_while_off_a_record_is_as_it_was(store: Path, caplog: Any) -> None:
    log.warning("outside")
    otel_mas.shutdown(30)
    assert not hasattr(logging.Logger.callHandlers, "__wrapped__")
    with otel_mas.task("step"):
        log.warning("off")
    assert not any(hasattr(record, "trace_id") for record in caplog.records)


@pytest.mark.parametrize("settings", [{"log_level": "off"}, {"content": "none"}])
def test_logging_is_untouched_where_no_records_are_wanted(tmp_path: Path, settings: dict[str, Any]) -> None:
    otel_mas.instrument(store=tmp_path / "runs.db", **settings)
    try:
        assert not hasattr(logging.Logger.callHandlers, "__wrapped__")
        assert loguru.logger._core.patcher is None
    finally:
        otel_mas.shutdown(30)


def test_another_level_holds_from_then_on(tmp_path: Path) -> None:
    otel_mas.instrument(store=tmp_path / "runs.db", log_level=logging.DEBUG)
    log.setLevel(logging.DEBUG)
    try:
        with otel_mas.task("step"):
            log.debug("kept")
        assert [record.message for record in kept(tmp_path / "runs.db")] == ["kept"]
    finally:
        log.setLevel(logging.NOTSET)
        otel_mas.shutdown(30)


def test_records_of_one_span_are_bounded_and_it_is_said(store: Path) -> None:
    with otel_mas.task("step"):
        for number in range(keep.MAX_RECORDS + 50):
            log.warning("%d", number)
        log.warning("x" * 100_000)
    with otel_mas.task("other"):
        log.warning("y" * 100_000)
    records = kept(store)
    assert len(records) == keep.MAX_RECORDS + 2
    assert sum("others are not kept" in record.message for record in records) == 1
    (long,) = [record.message for record in records if record.message.startswith("y")]
    assert long.endswith("more)")
    assert len(long) < 10_000


def test_own_messages_and_those_of_the_writers_thread_are_not_recorded(store: Path) -> None:
    with otel_mas.task("step"):
        logging.getLogger("otel_mas").warning("ours")
        logging.getLogger("otel_mas.part").warning("ours")
    assert kept(store) == []


def test_a_message_that_logs_or_fails_costs_nothing(store: Path) -> None:
    class Talkative:
        def __str__(self) -> str:
            log.warning("inside")
            return "outer"

    class Broken:
        def __str__(self) -> str:
            raise RuntimeError

    raising, logging.raiseExceptions = logging.raiseExceptions, False
    try:
        with otel_mas.task("step"):
            log.warning(Talkative())
            log.warning("%d", "no number")
            log.warning("%s", Broken())
    finally:
        logging.raiseExceptions = raising
    messages = [record.message for record in kept(store)]
    assert "outer" in messages
    assert messages.count("%d") == 1
    assert messages.count("%s") == 1


async def test_records_of_coroutines_are_beside_their_own_spans(store: Path) -> None:
    async def work(number: int) -> None:
        async with otel_mas.task(f"step{number}"):
            await asyncio.sleep(0)
            log.warning("%d", number)

    await asyncio.gather(*map(work, range(20)))
    assert {record.task: record.message for record in kept(store)} == {f"step{n}#1": str(n) for n in range(20)}


def test_records_inside_spans_of_others_are_beside_them(store: Path) -> None:
    with otel_trace.get_tracer("other").start_as_current_span("foreign"):
        log.error("here")
    assert [record.message for record in kept(store)] == ["here"]


def test_loguru_records_are_kept_with_ids(store: Path) -> None:
    lines: list[Any] = []
    sink = loguru.logger.add(lambda message: lines.append(message.record))
    try:
        with otel_mas.task("step"):
            loguru.logger.bind(order=7).warning("hello {}", "you")
            loguru.logger.info("not kept")
            try:
                raise ValueError("no")
            except ValueError:
                loguru.logger.exception("failed")
        loguru.logger.warning("outside")
    finally:
        loguru.logger.remove(sink)
    first, second = kept(store)
    assert (first.message, first.severity, first.attributes) == ("hello you", "WARNING", {"order": 7})
    assert second.exception_type == "ValueError"
    assert lines[0]["extra"]["task"] == "step"
    assert "task" not in lines[-1]["extra"]


def test_a_patcher_of_the_apps_own_stays(tmp_path: Path) -> None:
    def own(record: Any) -> None:
        record["extra"]["own"] = True

    loguru.logger.configure(patcher=own)
    try:
        otel_mas.instrument(store=tmp_path / "runs.db")
        assert loguru.logger._core.patcher is own
        otel_mas.shutdown(30)
        assert loguru.logger._core.patcher is own
    finally:
        loguru.logger._core.patcher = None


def test_the_structlog_processor_adds_ids_and_keeps_the_event_once(store: Path) -> None:
    out = io.StringIO()
    processors = [otel_mas.logs.structlog_processor, structlog.processors.JSONRenderer()]
    bound = structlog.wrap_logger(structlog.PrintLogger(out), processors=processors).bind(order=7)
    through = structlog.wrap_logger(log, processors=processors)
    with otel_mas.task("step"):
        bound.warning("hello", task="mine")
        bound.info("not kept")
        through.error("to logging")
    bound.warning("outside")
    first, second = kept(store)
    assert (first.message, first.severity, first.attributes) == ("hello", "WARNING", {"order": 7})
    assert second.logger == "app.of.tests"
    assert '"task": "mine"' in out.getvalue()
    assert '"span_id"' in out.getvalue()
    assert out.getvalue().splitlines()[-1] == '{"order": 7, "event": "outside"}'


def test_the_log_has_records_before_what_came_after_them(store: Path) -> None:
    with otel_mas.task("step"):
        log.warning("first")
        with otel_mas.tool("look_up"):
            log.warning("second")
        log.warning("third")
    assert otel_mas.flush(30)
    with otel_mas.open(store) as source:
        entries = list(source.latest().log())
    assert [entry.text for entry in entries if entry.kind == "log"] == ["first", "second", "third"]
    kinds = [str(entry.kind) for entry in entries]
    assert kinds.index("log") < kinds.index("tool_call")
    assert (entries[0].outcome, entries[0].sender) == ("WARNING", "app.of.tests")


def test_records_leave_with_their_span_where_content_may(store: Path, tmp_path: Path) -> None:
    with otel_mas.task("step"):
        log.warning("a", extra={"order": 7})
        log.error("b")
    here = kept(store)
    for options, there in ((["--content"], here), ([], [])):
        archive = tmp_path / f"trace{len(options)}.jsonl"
        done = CliRunner().invoke(cli, ["export", "latest", "--store", str(store), "-o", str(archive), *options])
        assert done.exit_code == 0, done.output
        with otel_mas.open(archive) as source:
            assert list(source.latest().logs()) == there


def test_logs_are_filtered_by_level_and_are_a_table(store: Path) -> None:
    with otel_mas.task("step"):
        log.warning("a")
        log.error("b", extra={"order": {"id": 7}})
    assert otel_mas.flush(30)
    with otel_mas.open(store) as source:
        logs = source.latest().logs(level="error")
        assert [record.message for record in logs] == ["b"]
        frame = source.latest().logs().to_pandas()
    assert list(frame["message"]) == ["a", "b"]
    assert frame["attributes"][1] == '{"order": {"id": 7}}'
