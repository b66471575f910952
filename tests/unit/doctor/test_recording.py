"""Who else records and exports, from the environment and from what is installed."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from otel_mas.config import Settings
from otel_mas.doctor.environment import Interpreter, ask_interpreter
from otel_mas.doctor.findings import Finding
from otel_mas.doctor.forms import RecordingForm
from otel_mas.doctor.recording import check_recording

Checked = tuple[RecordingForm, list[Finding]]


@pytest.fixture
def installed(bare_python: Path, tmp_path: Path, tools: ModuleType) -> Any:
    """`installed({package: entry points})` as a Python with these packages says it."""

    def ask_one(packages: dict[str, str]) -> Interpreter:
        for name, points in packages.items():
            tools.distribution(tmp_path, name, "1.0", points=points)
        answer = ask_interpreter(str(bare_python), {"PYTHONPATH": str(tmp_path)}, 60.0)
        assert isinstance(answer, Interpreter)
        return answer

    return ask_one


def look(environ: dict[str, str], interpreter: Interpreter | None = None, **settings: Any) -> Checked:
    return check_recording(environ, Settings.from_env({}, **settings), interpreter)


def codes(found: Checked) -> list[str]:
    return [finding.code for finding in found[1]]


EXPORTERS = "[opentelemetry_traces_exporter]\notlp = x:y\nconsole = x:y\n"
DISTRO = "[opentelemetry_distro]\ndistro = x:y\n[opentelemetry_configurator]\nconfigurator = x:y\n"


def test_without_other_recorders_there_is_no_finding(installed: Any) -> None:
    found = look({}, installed({}))
    assert found[1] == []
    assert found[0] == {"enabled": True, "exporters": [], "instrumentations": [], "langsmith": False}


@pytest.mark.parametrize("value", ["otel_mas", "flask, otel_mas", "*"])
def test_instrumentation_that_keeps_us_out_is_a_problem(value: str) -> None:
    assert codes(look({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": value})) == ["instrumentation-disabled"]
    assert codes(look({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "flask"})) == []


def test_a_distro_or_configurator_that_is_not_installed_is_a_problem(installed: Any) -> None:
    asked = installed({"my-distro": DISTRO})
    found = look({"OTEL_PYTHON_DISTRO": "theirs", "OTEL_PYTHON_CONFIGURATOR": "theirs"}, asked)
    assert codes(found) == ["distro-missing", "distro-missing"]
    assert found[1][0].fix == "unset it, or name one of: distro"


def test_a_distro_is_named_and_what_it_exports_unasked_is_known(installed: Any) -> None:
    asked = installed({"opentelemetry-distro": DISTRO, "opentelemetry-exporter-otlp": EXPORTERS})
    found = look({}, asked)
    assert codes(found) == ["distro-in-force"]
    assert "exports over OTLP by default" in found[1][0].message
    assert found[0]["exporters"] == [{"name": "otlp", "origin": "opentelemetry-distro"}]
    assert look({"OTEL_TRACES_EXPORTER": "none"}, asked)[0]["exporters"] == []


def test_an_exporter_that_is_not_installed_is_a_problem(installed: Any) -> None:
    asked = installed({"opentelemetry-exporter-otlp": EXPORTERS})
    found = look({"OTEL_TRACES_EXPORTER": "otlp, zipkin"}, asked)
    assert codes(found) == ["exporter-missing"]
    assert found[1][0].message.startswith("OTEL_TRACES_EXPORTER names zipkin, ")
    assert found[1][0].fix.endswith("name one of: console, otlp, none")
    assert codes(look({"OTEL_TRACES_EXPORTER": "none"}, asked)) == []


def test_other_instrumentation_of_models_is_named_unless_it_is_switched_off(installed: Any) -> None:
    asked = installed(
        {
            "openinference-instrumentation-langchain": "[opentelemetry_instrumentor]\nlangchain = x:y\n",
            "opentelemetry-instrumentation-openai-v2": "[opentelemetry_instrumentor]\nopenai = x:y\n",
            "opentelemetry-instrumentation-flask": "[opentelemetry_instrumentor]\nflask = x:y\n",
            "otel-mas-copy": "[opentelemetry_instrumentor]\notel_mas = x:y\n",
        }
    )
    found = look({}, asked)
    assert codes(found) == ["instrumented-twice", "instrumented-twice"]
    assert sorted(found[0]["instrumentations"]) == [
        "openinference-instrumentation-langchain",
        "opentelemetry-instrumentation-openai-v2",
    ]
    fixes = " ".join(finding.fix for finding in found[1])
    assert "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=langchain " in fixes
    assert "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=openai " in fixes
    off = look({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "langchain,openai"}, asked)
    assert codes(off) == []


@pytest.mark.parametrize("variable", ["LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"])
def test_a_note_on_langsmith_names_the_host_that_gets_prompts(variable: str) -> None:
    found = look({variable: "True", "LANGSMITH_ENDPOINT": "https://key:secret@eu.example/api?token=secret"})
    assert codes(found) == ["langsmith-on"]
    assert found[0]["langsmith"]
    assert "https://***@eu.example/api?***" in found[1][0].message
    assert codes(look({variable: "false"})) == []
    assert codes(look({variable: "true", "LANGSMITH_OTEL_ENABLED": "true"})) == ["langsmith-on", "langsmith-otel"]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"OTEL_TRACES_SAMPLER": "always_off"}, ["sampler"]),
        ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"}, ["sampler"]),
        ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "1.0"}, []),
        ({"OTEL_TRACES_SAMPLER": "parentbased_always_on"}, []),
    ],
)
def test_a_sampler_that_drops_is_noted(environ: dict[str, str], expected: list[str]) -> None:
    assert codes(look(environ)) == expected


def test_the_effect_of_a_sampler_depends_on_recording_unsampled_spans() -> None:
    environ = {"OTEL_TRACES_SAMPLER": "always_off"}
    assert "recorded here all the same" in look(environ)[1][0].message
    assert "not recorded either" in look(environ, record_unsampled=False)[1][0].message


OPENAI = {"openinference-instrumentation-openai": "[opentelemetry_instrumentor]\nopenai = x:y\n"}


def test_model_spans_that_are_left_to_a_scope_nobody_has_are_pointed_out(installed: Any) -> None:
    found = look({}, installed(OPENAI), model_spans="openinference.instrumentation.openia")
    left = next(finding for finding in found[1] if finding.code == "model-spans-left")
    assert "openinference.instrumentation.openia" in left.message
    assert "openinference.instrumentation.openai" in left.fix


@pytest.mark.parametrize("scope", ["own", "openinference.instrumentation.openai", "openinference.instrumentation"])
def test_model_spans_that_are_left_to_what_is_installed_need_no_word(installed: Any, scope: str) -> None:
    assert "model-spans-left" not in codes(look({}, installed(OPENAI), model_spans=scope))
