"""Files of records are recognised by their first record, read whatever wrote them, and lose nothing to a bad line."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import pytest
from click.testing import CliRunner

import otel_mas
from otel_mas.api import Records
from otel_mas.cli import cli
from otel_mas.errors import SourceError
from otel_mas.sources import open_source
from otel_mas.sources.otlp.files import is_otlp
from otel_mas.sources.otlp.source import OtlpFileSource
from otel_mas.sources.records.files import RecordFile, is_record_file
from otel_mas.sources.records.source import RecordFileSource

SECOND = 10**9
MINIMAL: tuple[dict[str, Any], ...] = (
    {
        "trace_id": "run-1", "span_id": "1", "event_type": "AGENT_TASK", "timestamp": 1_000 * SECOND,
        "agent_name": "planner", "duration_ns": 2 * SECOND,
    },
    {
        "trace_id": "run-1", "span_id": "2", "event_type": "LLM_CALL", "timestamp": 1_001 * SECOND,
        "agent_name": "planner", "duration_ns": SECOND // 2, "parent_id": "1",
        "token_cost": {"prompt": 10, "completion": 5, "usd": 0.5},
    },
    {
        "trace_id": "run-1", "span_id": "3", "event_type": "AGENT_TASK", "timestamp": 1_003 * SECOND,
        "agent_name": "writer", "duration_ns": SECOND, "parent_id": "1",
    },
)  # fmt: skip


def lines(*documents: object) -> bytes:
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


@pytest.fixture
def written(tmp_path: Path) -> Callable[[bytes, str], Path]:
    def write(content: bytes, name: str = "records.jsonl") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", lines(*MINIMAL)),
        ("a.jsonl.gz", gzip.compress(lines(*MINIMAL))),
        ("a.msgpack", b"".join(map(msgpack.packb, MINIMAL))),
        ("a.msgpack.gz", gzip.compress(b"".join(map(msgpack.packb, MINIMAL)))),
    ],
)
def test_what_another_program_wrote_has_a_graph_a_path_and_a_cost(
    name: str, content: bytes, written: Callable[[bytes, str], Path]
) -> None:
    with otel_mas.open(written(content, name)) as source:
        assert isinstance(source._port, RecordFileSource)
        (summary,) = source.traces(agent="writer")
        trace = source.trace(summary.trace_id)
        path = trace.graph().critical_path()

        assert (summary.span_count, summary.cost_usd, summary.status) == (3, 0.5, "ok")
        assert summary.duration_ns == 4 * SECOND
        assert {(edge.kind, edge.provenance) for edge in trace.graph().edges} == {
            ("child", "recorded"), ("trigger", "recorded")
        }  # fmt: skip
        assert [span.agent for span in path.spans] == ["planner", "planner", "writer"]
        assert path.total_ns == 4 * SECOND
        assert [row.name for row in trace.graph().cost().by_agent] == ["planner"]


@pytest.mark.parametrize("command", ["graph", "critical-path", "cost", "show"])
def test_the_commands_work_on_it(command: str, written: Callable[[bytes, str], Path]) -> None:
    result = CliRunner().invoke(cli, [command, "--from", str(written(lines(*MINIMAL)))])

    assert result.exit_code == 0, result.output
    assert "planner" in result.stdout


def test_records_that_speak_of_otlp_are_no_otlp_and_the_reverse(written: Callable[[bytes, str], Path]) -> None:
    speaking = {**MINIMAL[0], "payload": {"resourceSpans": [], "batches": "x"}, "attributes": {"resourceLogs": 1}}
    first = {"payload": {"resourceSpans": []}, **speaking}
    otlp = {"resourceSpans": [{"scopeSpans": [{"spans": [{**MINIMAL[0]}]}]}], **dict.fromkeys(MINIMAL[0], 1)}
    records = [written(lines(one), f"{number}.jsonl") for number, one in enumerate((speaking, first))]

    assert [(is_record_file(path), is_otlp(path)) for path in records] == [(True, False)] * 2
    assert is_otlp(written(lines(otlp), "otlp.jsonl"))
    assert isinstance(open_source(written(lines(otlp), "otlp.jsonl")), OtlpFileSource)


def test_a_bad_line_is_named_and_costs_no_other(
    written: Callable[[bytes, str], Path], caplog: pytest.LogCaptureFixture
) -> None:
    bad = [b"{broken\n", lines({**MINIMAL[0], "span_id": "9", "timestamp": "now"}), b"\n", lines({"a": 1})]
    path = written(lines(MINIMAL[0]) + b"".join(bad) + lines(*MINIMAL[1:]))

    with caplog.at_level(logging.WARNING), otel_mas.open(path) as source:
        assert source.traces()[0].span_count == 3
    assert [message.removeprefix(f"otel-mas: {path}: ")[:24] for message in caplog.messages] == [
        "line 2 is no record: Exp",
        "line 3 is no record: tim",
        "line 5 is no record: tra",
    ]


def test_a_bad_record_of_messagepack_is_named_and_what_lies_behind_a_cut_is_gone(
    written: Callable[[bytes, str], Path],
) -> None:
    packed = [msgpack.packb(one) for one in (MINIMAL[0], {"a": 1}, MINIMAL[1], MINIMAL[2])]
    file = RecordFile(written(b"".join(packed)[:-5], "a.msgpack"))

    assert [record.span_id for _, record in file.records()] == ["1", "2"]
    assert [problem.partition(": ")[2].partition(": ")[0] for problem in file.problems] == [
        "record 2 is no record",
        "what lies behind record 3 cannot be read",
    ]


@pytest.mark.parametrize("lacking", [1, 5, 9])
def test_a_file_of_messagepack_that_is_cut_says_so_wherever_that_is(
    lacking: int, written: Callable[[bytes, str], Path]
) -> None:
    packed = msgpack.packb(MINIMAL[0]) + msgpack.packb({**MINIMAL[1], "payload": {"a": [1, {"b": 2}]}})
    file = RecordFile(written(packed[:-lacking], "a.msgpack"))

    assert len(list(file.records())) == 1
    assert file.problems[0].endswith("the last record is cut")


@pytest.mark.parametrize("number", [2, 20_000])
def test_a_gzip_file_with_a_wrong_checksum_is_read_to_its_end(
    number: int, written: Callable[[bytes, str], Path]
) -> None:
    whole = gzip.compress(lines(*({**MINIMAL[1], "span_id": f"{one:05}"} for one in range(number))))
    path = written(whole[:-8] + bytes(8), "a.jsonl.gz")
    file = RecordFile(path)

    assert is_record_file(path)
    assert len(list(file.records())) == number
    assert "the gzip file is cut or damaged" in file.problems[-1]


def test_an_empty_file_of_records_is_called_empty(written: Callable[[bytes, str], Path]) -> None:
    with pytest.raises(SourceError, match=r"records\.jsonl is empty"):
        otel_mas.open(written(b""))


def test_a_gzip_file_that_is_cut_is_read_up_to_there(written: Callable[[bytes, str], Path]) -> None:
    whole = gzip.compress(lines(*(({**MINIMAL[1], "span_id": f"{number:05}"}) for number in range(5_000))))
    file = RecordFile(written(whole[: len(whole) // 2], "a.jsonl.gz"))

    found = list(file.records())
    assert 0 < len(found) < 5_000
    assert "the gzip file is cut" in file.problems[-1]


def test_the_first_hundred_problems_are_named_and_the_rest_counted(written: Callable[[bytes, str], Path]) -> None:
    file = RecordFile(written(lines(MINIMAL[0]) + b"x\n" * 150))

    assert len(list(file.records())) == 1
    assert file.problems[-1].endswith("50 more records cannot be read")


def test_a_file_that_grows_is_read_again(written: Callable[[bytes, str], Path]) -> None:
    path = written(lines(*MINIMAL[:2]))
    with otel_mas.open(path) as source:
        assert source.traces()[0].span_count == 2
        written(lines(*MINIMAL))
        assert source.traces()[0].span_count == 3
        assert len(source.latest().spans) == 3


@pytest.mark.slow
def test_files_of_a_folder_are_read_together_and_large_ones_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("otel_mas.sources.records.source._SMALL", 0)
    for number in range(2):
        many = [{**MINIMAL[1], "trace_id": f"run-{at % 7}", "span_id": f"{number}.{at}"} for at in range(2_500)]
        (tmp_path / f"{number}.jsonl").write_bytes(lines(*many))
    with otel_mas.open(f"records+file://{tmp_path}") as source:
        summaries = source.traces()
        assert sum(summary.span_count for summary in summaries) == 5_000
        assert all(len(source.trace(one.trace_id).spans) == one.span_count for one in summaries)


def test_an_error_in_another_part_of_the_file_belongs_to_its_span(tmp_path: Path) -> None:
    error = {**MINIMAL[2], "event_type": "ERROR", "payload": "it broke", "duration_ns": 0}
    others = [{**MINIMAL[1], "trace_id": "run-2", "span_id": str(at)} for at in range(1_500)]
    (tmp_path / "a.jsonl").write_bytes(lines(error, *others, *MINIMAL))
    with otel_mas.open(tmp_path / "a.jsonl") as source:
        (summary,) = [one for one in source.traces() if one.span_count == 3]
        trace = source.trace(summary.trace_id)

        assert (len(trace.spans), summary.error_count) == (3, 1)
        assert list(trace.error_messages().values()) == ["it broke"]


@pytest.mark.parametrize("target", ["records+file:///no/such/file", "records+file:///tmp"])
def test_what_is_not_there_is_said(target: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no file of trace records"):
        otel_mas.open(target.replace("/tmp", str(tmp_path)))


def test_records_are_written_and_read_in_python(tmp_path: Path) -> None:
    found = Records(otel_mas.TraceRecord.model_validate(one) for one in MINIMAL)
    for name in ("a.jsonl", "a.jsonl.gz", "a.msgpack", "a.msgpack.gz"):
        found.write(tmp_path / name)
        assert list(otel_mas.read_records(tmp_path / name)) == found
    assert (tmp_path / "a.msgpack.gz").read_bytes()[:2] == b"\x1f\x8b"
    assert found.to_pandas()["agent_name"].tolist() == ["planner", "planner", "writer"]
