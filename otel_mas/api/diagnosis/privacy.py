"""What is kept of prompts and answers, and what leaves this machine as things are set up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from otel_mas.api.diagnosis import kinds
from otel_mas.api.diagnosis.endpoint import Destination
from otel_mas.api.diagnosis.findings import Finding
from otel_mas.api.diagnosis.forms import PrivacyForm, RecordingForm
from otel_mas.config import Settings

_ON_SPANS = ("SPAN_ONLY", "SPAN_AND_EVENT")
_WITHOUT = "spans without prompts, answers and exception messages"
_WITH = "spans with prompts and answers"


@dataclass(frozen=True, slots=True)
class Privacy:
    """What was found."""

    form: PrivacyForm
    findings: list[Finding]


def on_spans(settings: Settings) -> bool:
    """Whether content is on the spans themselves, which every exporter gets."""
    return settings.capture_message_content in _ON_SPANS


def privacy(settings: Settings, destinations: Sequence[Destination], recording: RecordingForm | None) -> Privacy:
    """Say it; `recording` is who else exports, as far as that is known."""
    form: PrivacyForm = {
        "content": settings.content,
        "content_under_run": settings.content or "redacted",
        "content_under_instrument": settings.content or "none",
        "capture": settings.capture_message_content,
        "leaves": list(_leaving(settings, destinations, recording)),
    }
    return Privacy(form, list(_findings(settings, destinations)))


def _leaving(settings: Settings, destinations: Sequence[Destination], recording: RecordingForm | None) -> Iterator[str]:
    for host in dict.fromkeys(one.host for one in destinations if one.usable and not one.loopback):
        yield f"{_WITH if on_spans(settings) else _WITHOUT}, to {host}"
    if recording is not None and recording["langsmith"]:
        yield "prompts and answers, to LangSmith"


def _findings(settings: Settings, destinations: Sequence[Destination]) -> Iterator[Finding]:
    if settings.content == "full":
        yield kinds.CONTENT_FULL.found()
    if on_spans(settings):
        hosts = list(dict.fromkeys(one.host for one in destinations if one.usable))
        who = " and ".join([*hosts, "the app's exporters"])
        yield kinds.CONTENT_ON_SPANS.found(value=settings.capture_message_content, who=who)
