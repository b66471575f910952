"""Places that traces are read from: asked, and told what they can do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from otel_mas.doctor.sources import check_source


def test_a_store_answers_and_can_do_everything(team_store: Path) -> None:
    form, finding = check_source(str(team_store))
    assert finding.code == "source-answers"
    assert form["reachable"]
    assert form["took_ms"] is not None
    assert (form["conversations"], form["content"], form["runs"]) == (True, True, True)
    assert "service" in form["filters"]


def test_a_server_that_answers(serve: Callable[..., int], tools: ModuleType) -> None:
    body = b'{"traces": []}'
    form, finding = check_source(f"tempo+http://localhost:{serve(tools.answering('200 OK', body, 'application/json'))}")
    assert finding.code == "source-answers"
    assert (form["content"], form["id_prefixes"]) == (True, False)  # content that is on spans


def test_a_server_that_does_not_answer_comes_with_advice(
    closed_port: int, serve: Callable[..., int], tools: ModuleType
) -> None:
    form, finding = check_source(f"jaeger+http://localhost:{closed_port}")
    assert finding.code == "source-fails"
    assert finding.message == f"nothing listens at jaeger+http://localhost:{closed_port} (connection refused)"
    assert finding.fix.startswith("Jaeger's query service listens on 16686")
    assert not form["reachable"]
    refusing = serve(tools.answering("401 Unauthorized", b"no token: go away"))
    form, finding = check_source(f"tempo+http://localhost:{refusing}")
    assert finding.message.endswith("refuses access (401): no token: go away")
    assert finding.fix.startswith("set OTEL_MAS_SOURCE_HEADERS")


def test_unknown_schemes_and_missing_files_fail_with_advice(tmp_path: Path) -> None:
    for target in ("zipkin://localhost", str(tmp_path / "none.db")):
        _, finding = check_source(target)
        assert finding.code == "source-fails"
        assert finding.fix


def test_a_password_in_an_address_is_not_shown() -> None:
    form, finding = check_source("jaeger+http://me:s3cr3t@localhost")
    assert "s3cr3t" not in repr((form, finding))
    assert form["source"] == "jaeger+http://***@localhost"
