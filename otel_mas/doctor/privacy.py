"""What is kept of prompts and answers, and what leaves this machine as things are set up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from otel_mas.config import Settings
from otel_mas.doctor import kinds
from otel_mas.doctor.endpoint import Destination
from otel_mas.doctor.findings import Finding
from otel_mas.doctor.forms import PrivacyForm, RecordingForm
from otel_mas.doctor.shipping import OURS

_WITHOUT = "spans without prompts, answers and exception messages"
_WITH_ERRORS = "spans without prompts and answers, with exception messages"
_WITH = "spans with prompts and answers"


@dataclass(frozen=True, slots=True)
class Privacy:
    """What was found."""

    form: PrivacyForm
    findings: list[Finding]


def on_spans(settings: Settings) -> bool:
    """Whether content leaves with spans: all of it with those that otel-mas ships, exceptions with others."""
    return settings.content_may_leave and settings.content != "none"


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
    ours = _hosts(destinations)
    for host in dict.fromkeys(one.host for one in destinations if one.usable and not one.loopback):
        what = _WITHOUT if not on_spans(settings) else _WITH if host in ours else _WITH_ERRORS
        yield f"{what}, to {host}"
    if recording is not None and recording["langsmith"]:
        yield "prompts and answers, to LangSmith"


def _hosts(destinations: Sequence[Destination]) -> list[str]:
    """The destinations that otel-mas ships to."""
    return list(dict.fromkeys(one.host for one in destinations if one.usable and one.sender == OURS))


def _findings(settings: Settings, destinations: Sequence[Destination]) -> Iterator[Finding]:
    if settings.content == "full":
        yield kinds.CONTENT_FULL.found()
    if on_spans(settings):
        who = " and ".join(_hosts(destinations)) or "wherever it is told to"
        yield kinds.CONTENT_ON_SPANS.found(value=settings.capture_message_content, who=who)
