"""Privacy: what is kept of prompts and answers, and what leaves this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from otel_mas.config import Settings
from otel_mas.doctor.findings import Finding, finding
from otel_mas.doctor.forms import PrivacyForm, RecordingForm
from otel_mas.doctor.shipping import OURS, OtlpTarget


def content_leaves(settings: Settings) -> bool:
    """Whether content is on spans: all of it on those that otel-mas ships, exceptions on others."""
    return settings.content_may_leave and settings.content != "none"


def check_privacy(
    settings: Settings, targets: Sequence[OtlpTarget], recording: RecordingForm
) -> tuple[PrivacyForm, list[Finding]]:
    """Find what is kept and what leaves, as things are set up."""
    shipped_to = list(dict.fromkeys(target.endpoint.host for target in targets if target.sender == OURS))
    form: PrivacyForm = {
        "content": settings.content,
        "content_under_run": settings.content or "redacted",
        "content_under_instrument": settings.content or "none",
        "capture": settings.capture_message_content,
        "personal_data": list(settings.personal_data),
        "leaves": list(_leaving(settings, targets, shipped_to, recording)),
    }
    findings = [finding("content-full")] if settings.content == "full" else []
    if content_leaves(settings):
        hosts = " and ".join(filter(None, shipped_to)) or "any destination"
        findings.append(finding("content-on-spans", value=settings.capture_message_content, hosts=hosts))
    return form, findings


def _leaving(
    settings: Settings, targets: Sequence[OtlpTarget], shipped_to: Sequence[str], recording: RecordingForm
) -> Iterator[str]:
    for host in dict.fromkeys(target.endpoint.host for target in targets if target.usable and not target.loopback):
        content = "without prompts, answers and exception messages"
        if content_leaves(settings):
            by_us = host in shipped_to
            content = "with prompts and answers" if by_us else "without prompts and answers, with exception messages"
        yield f"spans {content}, to {host}"
    if recording["langsmith"]:
        yield "prompts and answers, to LangSmith"
