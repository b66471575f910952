"""`otel-mas doctor`: what it prints, how it ends, and that it keeps secrets and changes nothing."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import get_type_hints

import pytest
from click.testing import CliRunner, Result

from otel_mas.cli import cli
from otel_mas.doctor.forms import DiagnosisForm

pytestmark = pytest.mark.slow

Doctor = Callable[..., Result]


@pytest.fixture
def doctor(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """`doctor("--json", VARIABLE="value")` about the team's store, in an otherwise empty environment."""
    for name in list(os.environ):
        if name.startswith(("OTEL_", "LANG", "VIRTUAL_ENV", "CONDA")) or name.lower().endswith("proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")

    def invoke(*words: str, **environ: str) -> Result:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        return CliRunner().invoke(cli, ["doctor", "--store", str(store), *words])

    return invoke


def test_without_problems_it_describes_what_there_is(doctor: Doctor, store: Path) -> None:
    result = doctor()
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("nothing is wrong")
    labels = [line.split()[0] for line in lines if line and not line.startswith((" ", "!", "nothing"))]
    assert labels == ["environment", "recording", "store", "sending", "privacy", "settings"]
    text = " ".join(result.stdout.split())
    assert f"{store} (command line)" in text
    assert "2 traces" in text
    assert "hooks fit" in text
    assert f"langchain-core {version('langchain-core')}" in text
    assert "nowhere: everything stays on this machine" in text
    assert "leaves this machine: nothing" in text
    assert "\x1b" not in result.stdout
    assert max(map(len, lines)) <= 120
    assert result.stderr == ""


def test_problems_come_first_each_with_what_to_do_and_the_exit_code_is_1(doctor: Doctor) -> None:
    result = doctor(OTEL_EXPORTER_OTLP_ENDPOINT="localhost:4318", OTEL_MAS_CONTENT="everything")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0].startswith("2 problems")
    assert lines[1] == "✗ OTEL_MAS_CONTENT is 'everything'; it must be one of full, redacted, none"
    assert lines[2] == "  → correct or unset it: with it, no process is recorded"
    assert any(line.startswith("✗ OTEL_EXPORTER_OTLP_ENDPOINT=localhost:4318 has no scheme") for line in lines)
    assert any("cannot be read" in line for line in lines)


def test_json_is_one_document_with_every_field(doctor: Doctor) -> None:
    result = doctor("--json")
    document = json.loads(result.stdout)
    assert list(document) == list(get_type_hints(DiagnosisForm))
    assert document["ok"] is True
    assert document["environment"]["python"] == sys.executable
    assert {finding["level"] for finding in document["findings"]} >= {"ok"}


def test_a_command_is_not_run_but_its_python_is_asked(doctor: Doctor, tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text("open('ran', 'w')\n")
    result = doctor("--json", "--", sys.executable, str(app), "--json", "--store", "x")
    assert json.loads(result.stdout)["environment"]["python"] == sys.executable
    assert not (tmp_path / "ran").exists()
    module = doctor("--json", "--", "-m", "app")
    assert json.loads(module.stdout)["environment"]["python"] == sys.executable
    missing = doctor("--", "no-such-command")
    assert missing.exit_code == 1
    assert "✗ no-such-command: command not found" in missing.stdout


def test_sources_are_asked(doctor: Doctor, store: Path) -> None:
    result = doctor("--from", str(store), "--from", "zipkin://there")
    assert result.exit_code == 1
    assert f"{store} · answers in" in " ".join(result.stdout.split())
    assert "✗ no source reads zipkin://" in result.stdout


SECRET = "t0p-S3cret-value"
HOLDING = {
    "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{SECRET}",
    "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://me:{SECRET}@127.0.0.1:1/?key={SECRET}",
    "OTEL_MAS_SOURCE_HEADERS": f"authorization={SECRET}",
    "OTEL_MAS_DIGEST_KEY": SECRET,
    "OTEL_MAS_EXPORT": f"otlp:http://me:{SECRET}@127.0.0.1:1",
    "OTEL_RESOURCE_ATTRIBUTES": f"api_key={SECRET}",
    "LANGSMITH_TRACING": "true",
    "LANGSMITH_API_KEY": SECRET,
    "LANGSMITH_ENDPOINT": f"https://{SECRET}@smith.example",
    "HTTP_PROXY": f"http://me:{SECRET}@127.0.0.1:1",
    "OPENAI_API_KEY": SECRET,
}


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_no_secret_and_no_prompt_is_printed(doctor: Doctor, form: tuple[str, ...]) -> None:
    result = doctor(*form, "--from", f"tempo+http://me:{SECRET}@127.0.0.1:1", "--", sys.executable, SECRET, **HOLDING)
    assert result.exit_code == 1
    assert SECRET not in result.output
    assert "Publish this?" not in result.output


def test_the_store_stays_as_it_is(doctor: Doctor, store: Path) -> None:
    before = store.read_bytes()
    doctor()
    assert store.read_bytes() == before


def test_a_check_that_fails_is_a_line_and_with_debug_a_traceback(doctor: Doctor) -> None:
    result = doctor("--from", "\0")
    assert "the check of" in result.stdout
    assert isinstance(doctor("--debug", "--from", "\0").exception, ValueError)


def test_as_a_process_it_ends_although_a_server_hangs(store: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        words = ["doctor", "--json", "--store", str(store), "--from", f"jaeger+grpc://127.0.0.1:{port}"]
        done = subprocess.run(
            [sys.executable, "-c", "from otel_mas.cli import main; main()", *words],
            capture_output=True,
            text=True,
            timeout=30,
            env={"PATH": os.environ["PATH"], "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}"},
        )
    codes = [finding["code"] for finding in json.loads(done.stdout)["findings"]]
    assert done.returncode == 1
    assert {"destination-silent", "source-silent"} <= set(codes)
