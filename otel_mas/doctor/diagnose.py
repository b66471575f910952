"""All checks, side by side and in bounded time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Generic, TypeVar, cast

from otel_mas.doctor.environment import check_environment
from otel_mas.doctor.findings import Finding, Level, finding
from otel_mas.doctor.forms import DiagnosisForm, FindingForm, SourceForm
from otel_mas.doctor.privacy import check_privacy, content_leaves
from otel_mas.doctor.recording import check_recording, sdk_exporters
from otel_mas.doctor.server import PORTS, Address, check_server
from otel_mas.doctor.settings import check_settings
from otel_mas.doctor.shipping import OtlpTarget, ask_target, destination_form, plan_shipping
from otel_mas.doctor.sources import check_source, empty_form
from otel_mas.doctor.store import check_store

TIMEOUT_S = 30.0
"""For all checks together; what takes longer is given up, and noted."""

_SOURCE_TIMEOUT_S = 6.0
_ORDER = (Level.PROBLEM, Level.NOTE, Level.OK)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Findings, problems first; `form` is all of it as a JSON document; `errors` are those of checks that failed."""

    findings: tuple[Finding, ...]
    form: DiagnosisForm
    errors: tuple[Exception, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no problem."""
        return self.form["ok"]


def diagnose(
    environ: Mapping[str, str],
    *,
    store: str | None = None,
    sources: Sequence[str] = (),
    command: Sequence[str] = (),
    ports: Sequence[tuple[str, Address]] = PORTS,
    timeout_s: float = TIMEOUT_S,
) -> Diagnosis:
    """Look at everything. Writes nothing, and contacts only what is configured or given, and ports of this machine.

    Args:
        environ: the variables as the app would have them.
        store: a store that the command line names.
        sources: places that traces are read from, as `otel_mas.open` takes them.
        command: how the app is started; empty for the environment that otel-mas itself runs in.
        ports: of `otel-mas serve`, with their options: gRPC, HTTP, API.
        timeout_s: after which the diagnosis is made of what there is.
    """
    checks = _Checks(timeout_s)
    configured = check_settings(environ, store)
    settings = configured.settings
    content = content_leaves(settings)
    interpreter_check = checks.start("the app's Python", partial(check_environment, command, environ))
    store_check = checks.start("the store", partial(check_store, settings, configured.store_origin))
    server_check = checks.start("the ports of otel-mas serve", partial(check_server, settings.store, ports))
    source_checks = [checks.start(target, partial(check_source, target)) for target in sources]
    requests: dict[tuple[object, ...], _Check[tuple[Finding | None, float | None]]] = {}

    def ask(targets: Sequence[OtlpTarget]) -> None:
        """Ask each server once, also where several send there."""
        for target in targets:
            if target.usable and target.proxy is None and target.request not in requests:
                work = partial(ask_target, target, settings, environ)
                requests[target.request] = checks.start(target.endpoint.shown, work)

    ask(plan_shipping(environ, settings, sdk_exporters(environ, {}), content).targets)
    interpreter, environment_findings = checks.result(interpreter_check) or (None, [])
    # A distro exports unasked, which only the app's own Python knows.
    exporters = sdk_exporters(environ, {} if interpreter is None else interpreter.points)
    plan = plan_shipping(environ, settings, exporters, content)
    ask(plan.targets)
    recording_form, recording_findings = check_recording(environ, settings, interpreter)
    store_form, store_findings = checks.result(store_check) or (None, [])
    answers = {key: checks.result(check) for key, check in requests.items() if key in {t.request for t in plan.targets}}
    port_forms, server_findings = checks.result(server_check) or ([], [])
    reads = [checks.source(check) for check in source_checks]
    privacy_form, privacy_findings = check_privacy(settings, plan.targets, recording_form)
    findings = [
        *configured.findings,
        *environment_findings,
        *recording_findings,
        *store_findings,
        *plan.findings,
        *(answer[0] for answer in answers.values() if answer is not None and answer[0] is not None),
        *(one for _, one in reads if one is not None),
        *server_findings,
        *privacy_findings,
        *checks.findings,
    ]
    ordered = sorted(findings, key=lambda one: _ORDER.index(one.level))
    counts = {level: sum(one.level is level for one in ordered) for level in Level}
    form: DiagnosisForm = {
        "ok": not counts[Level.PROBLEM],
        "problems": counts[Level.PROBLEM],
        "notes": counts[Level.NOTE],
        "findings": [_finding_form(one) for one in ordered],
        "settings": configured.forms,
        "environment": None if interpreter is None else interpreter.form,
        "recording": recording_form,
        "store": store_form,
        "destinations": [destination_form(target, answers.get(target.request)) for target in plan.targets],
        "sources": [one for one, _ in reads],
        "ports": port_forms,
        "privacy": privacy_form,
    }
    return Diagnosis(tuple(ordered), form, tuple(checks.errors))


def _finding_form(one: Finding) -> FindingForm:
    return cast(FindingForm, {**asdict(one), "level": str(one.level), "area": str(one.area)})


class _Check(Generic[T]):
    """One check in a thread of its own, which is left behind where it hangs."""

    def __init__(self, subject: str, work: Callable[[], T]) -> None:
        self.subject = subject
        self.value: T | None = None
        self.error: Exception | None = None
        self._work = work
        self._thread = threading.Thread(target=self._run, name=f"otel-mas doctor: {subject}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.value = self._work()
        except Exception as error:
            self.error = error

    def is_done(self, timeout_s: float) -> bool:
        self._thread.join(timeout_s)
        return not self._thread.is_alive()


@dataclass(slots=True)
class _Checks:
    """Starts checks; notes those that take longer than there is time, or fail."""

    timeout_s: float
    findings: list[Finding] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    _start: float = field(default_factory=time.monotonic)

    def start(self, subject: str, work: Callable[[], T]) -> _Check[T]:
        return _Check(subject, work)

    def result(self, check: _Check[T]) -> T | None:
        """The check's result; None where it failed or the time is over."""
        if not check.is_done(self._left(self.timeout_s)):
            seconds = f"{self.timeout_s:g}"
            self.findings.append(finding("check-unfinished", subject=check.subject, seconds=seconds))
            return None
        if check.error is not None:
            error = f"{type(check.error).__name__}: {check.error}"
            self.findings.append(finding("check-failed", subject=check.subject, error=error))
            self.errors.append(check.error)
        return check.value

    def source(self, check: _Check[tuple[SourceForm, Finding]]) -> tuple[SourceForm, Finding | None]:
        """The result for a source, which has less time."""
        timeout_s = min(_SOURCE_TIMEOUT_S, self.timeout_s)
        form = empty_form(check.subject)
        if not check.is_done(self._left(timeout_s)):
            return form, finding("source-silent", source=form["source"], seconds=f"{timeout_s:g}")
        return self.result(check) or (form, None)

    def _left(self, timeout_s: float) -> float:
        return max(0.0, self._start + timeout_s - time.monotonic())
