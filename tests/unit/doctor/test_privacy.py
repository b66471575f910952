"""Privacy: kept content, and content that leaves."""

from __future__ import annotations

from otel_mas.config import Settings
from otel_mas.doctor.findings import Finding
from otel_mas.doctor.forms import PrivacyForm, RecordingForm
from otel_mas.doctor.privacy import check_privacy
from otel_mas.doctor.shipping import plan_shipping

Checked = tuple[PrivacyForm, list[Finding]]

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def look(environ: dict[str, str], *, langsmith: bool = False) -> Checked:
    settings = Settings.from_env(environ)
    recording: RecordingForm = {"enabled": True, "exporters": [], "instrumentations": [], "langsmith": langsmith}
    return check_privacy(settings, plan_shipping(environ, settings, [], False).targets, recording)


def codes(found: Checked) -> list[str]:
    return [finding.code for finding in found[1]]


def test_by_default_the_way_in_decides_and_nothing_leaves() -> None:
    found = look({})
    assert found[1] == []
    assert found[0]["content"] is None
    assert (found[0]["content_under_run"], found[0]["content_under_instrument"]) == ("redacted", "none")
    assert found[0]["leaves"] == []


def test_a_content_setting_holds_for_every_way_in() -> None:
    found = look({"OTEL_MAS_CONTENT": "full"})
    assert codes(found) == ["content-full"]
    assert (found[0]["content_under_run"], found[0]["content_under_instrument"]) == ("full", "full")


def test_leaving_content_depends_on_the_destination_and_on_the_content_of_spans() -> None:
    assert look({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"})[0]["leaves"] == []
    far = {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://far.example"}
    assert look(far)[0]["leaves"] == ["spans without prompts, answers and exception messages, to far.example"]
    by_the_app = look({**far, CAPTURE: "SPAN_ONLY"})
    assert by_the_app[0]["leaves"] == ["spans without prompts and answers, with exception messages, to far.example"]
    by_us = look({**far, CAPTURE: "SPAN_ONLY", "OTEL_MAS_EXPORT": "otlp"})
    assert by_us[0]["leaves"] == ["spans with prompts and answers, to far.example"]
    assert codes(by_us) == ["content-on-spans"]
    assert by_us[1][0].message.endswith("content leaves with the spans shipped to far.example")
    assert codes(look({**far, CAPTURE: "EVENT_ONLY"})) == []


def test_langsmith_gets_prompts() -> None:
    assert look({}, langsmith=True)[0]["leaves"] == ["prompts and answers, to LangSmith"]
