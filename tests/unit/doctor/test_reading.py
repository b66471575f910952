"""Places that traces are read from: asked, and told what they can do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from otel_mas.doctor.reading import read


def test_a_store_answers_and_can_do_everything(team_store: Path) -> None:
    found = read(str(team_store))
    assert found.finding is not None
    assert found.finding.code == "source-answers"
    assert found.form["reachable"]
    assert found.form["took_ms"] is not None
    assert (found.form["conversations"], found.form["content"], found.form["runs"]) == (True, True, True)
    assert "service" in found.form["filters"]


def test_a_server_that_answers(serve: Callable[..., int], tools: ModuleType) -> None:
    body = b'{"traces": []}'
    found = read(f"tempo+http://localhost:{serve(tools.answering('200 OK', body, 'application/json'))}")
    assert found.finding is not None
    assert found.finding.code == "source-answers"
    assert (found.form["content"], found.form["id_prefixes"]) == (False, False)


def test_a_server_that_does_not_says_what_to_do(closed_port: int, serve: Callable[..., int], tools: ModuleType) -> None:
    found = read(f"jaeger+http://localhost:{closed_port}")
    assert found.finding is not None
    assert found.finding.code == "source-fails"
    assert found.finding.message == f"nothing listens at jaeger+http://localhost:{closed_port} (connection refused)"
    assert found.finding.fix.startswith("Jaeger's query service listens on 16686")
    assert not found.form["reachable"]
    refusing = serve(tools.answering("401 Unauthorized", b"no token: go away"))
    found = read(f"tempo+http://localhost:{refusing}")
    assert found.finding is not None
    assert found.finding.message.endswith("refuses access (401): no token: go away")
    assert found.finding.fix.startswith("set OTEL_MAS_SOURCE_HEADERS")


def test_what_no_source_reads_and_what_is_not_there(tmp_path: Path) -> None:
    for target in ("zipkin://localhost", str(tmp_path / "none.db")):
        found = read(target)
        assert found.finding is not None
        assert found.finding.code == "source-fails"
        assert found.finding.fix


def test_a_password_in_an_address_is_not_shown() -> None:
    found = read("jaeger+http://me:s3cr3t@localhost")
    assert "s3cr3t" not in repr(found)
    assert found.form["source"] == "jaeger+http://***@localhost"
