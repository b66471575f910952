"""All the checks, side by side and in bounded time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from otel_mas.doctor import kinds, shipping
from otel_mas.doctor.endpoint import Destination
from otel_mas.doctor.environment import environment
from otel_mas.doctor.findings import Finding, Level
from otel_mas.doctor.forms import DestinationForm, DiagnosisForm, FindingForm, SourceForm
from otel_mas.doctor.others import others, stock_exporters
from otel_mas.doctor.privacy import on_spans, privacy
from otel_mas.doctor.reach import Reached, reach
from otel_mas.doctor.reading import Read, blank, read
from otel_mas.doctor.settings import configured
from otel_mas.doctor.store import store

PATIENCE_S = 30.0
"""For all checks together; what takes longer is given up, and said so."""

_SOURCE_S = 6.0
_ORDER = {Level.PROBLEM: 0, Level.NOTE: 1, Level.OK: 2}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be looked at.

    Args:
        environ: the variables as the app would have them.
        store: a store that the command line names.
        sources: what traces are to be read from, as `otel_mas.open` takes it.
        command: how the app is started; empty for the environment that otel-mas itself runs in.
        patience_s: after which the answer is given with what there is.
    """

    environ: Mapping[str, str]
    store: str | None = None
    sources: Sequence[str] = ()
    command: Sequence[str] = ()
    patience_s: float = PATIENCE_S


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found; `form` is all of it, as a JSON document. `errors` are those of checks that failed themselves."""

    findings: tuple[Finding, ...]
    form: DiagnosisForm
    errors: tuple[Exception, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no problem."""
        return self.form["ok"]


def diagnose(question: Question) -> Diagnosis:
    """Look at everything. Writes nothing, and contacts only what is configured or given."""
    clock = _Clock(question.patience_s)
    environ = question.environ
    known = configured(environ, question.store)
    settings, content = known.settings, on_spans(known.settings)
    asked = _Check("the app's Python", lambda: environment(question.command, environ))
    looked = _Check("the store", lambda: store(settings, known.store_origin))
    reads = [_Check(target, _reading(target)) for target in question.sources]
    planned = shipping.plan(environ, settings, stock_exporters(environ, {}), content)
    reached = _Reaching()
    reached.start(planned.destinations)

    inside = asked.result(clock)
    app = None if inside is None else inside.asked
    # A distro exports unasked, which only the app's own Python knows.
    exporters = stock_exporters(environ, {} if app is None else app.points)
    planned = shipping.plan(environ, settings, exporters, content)
    reached.start(planned.destinations)
    recording = others(environ, settings, app)
    local = looked.result(clock)
    destinations = reached.forms(planned.destinations, clock)
    sources = [_read(check, clock) for check in reads]
    private = privacy(settings, planned.destinations, recording.form)

    findings = [
        *known.findings,
        *([] if inside is None else inside.findings),
        *recording.findings,
        *([] if local is None else local.findings),
        *planned.findings,
        *reached.findings,
        *(one.finding for one in sources if one.finding is not None),
        *private.findings,
        *clock.findings,
    ]
    ordered = tuple(sorted(findings, key=lambda finding: _ORDER[finding.level]))
    counts = {level: sum(finding.level is level for finding in ordered) for level in Level}
    form: DiagnosisForm = {
        "ok": not counts[Level.PROBLEM],
        "problems": counts[Level.PROBLEM],
        "notes": counts[Level.NOTE],
        "findings": [_form(finding) for finding in ordered],
        "settings": known.forms,
        "environment": None if inside is None else inside.form,
        "recording": recording.form,
        "store": None if local is None else local.form,
        "destinations": destinations,
        "sources": [one.form for one in sources],
        "privacy": private.form,
    }
    return Diagnosis(ordered, form, tuple(clock.errors))


class _Clock:
    """What is left of the time, and which checks took more than that, or failed."""

    def __init__(self, patience_s: float) -> None:
        self.patience_s = patience_s
        self.findings: list[Finding] = []
        self.errors: list[Exception] = []
        self.began = time.monotonic()

    def left(self, most: float | None = None) -> float:
        """Seconds; of `most` from the beginning, where given."""
        patience_s = self.patience_s if most is None else min(most, self.patience_s)
        return max(0.0, self.began + patience_s - time.monotonic())

    def unfinished(self, what: str) -> None:
        self.findings.append(kinds.CHECK_UNFINISHED.found(what=what, seconds=f"{self.patience_s:g}"))

    def failed(self, what: str, error: Exception) -> None:
        said = f"{type(error).__name__}: {error}"
        self.findings.append(kinds.CHECK_FAILED.found(what=what, error=said))
        self.errors.append(error)


class _Check(Generic[T]):
    """One check in a thread of its own, which is left behind where it hangs."""

    def __init__(self, what: str, work: Callable[[], T]) -> None:
        self.what = what
        self.value: T | None = None
        self._work = work
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"otel-mas doctor: {what}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.value = self._work()
        except Exception as error:
            self._error = error

    def done(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def result(self, clock: _Clock) -> T | None:
        """What it found; None, with a word about it, where it failed or the time is over."""
        if not self.done(clock.left()):
            clock.unfinished(self.what)
            return None
        if self._error is not None:
            clock.failed(self.what, self._error)
        return self.value


class _Reaching:
    """Asks each server once, whoever sends there."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._checks: dict[tuple[object, ...], _Check[Reached]] = {}

    def start(self, destinations: Sequence[Destination]) -> None:
        for one in destinations:
            if one.usable and one.proxy is None and shipping.same(one) not in self._checks:
                self._checks[shipping.same(one)] = _Check(one.shown, _reaching(one))

    def forms(self, destinations: Sequence[Destination], clock: _Clock) -> list[DestinationForm]:
        results = {key: check.result(clock) for key, check in self._checks.items()}
        wanted = {shipping.same(one) for one in destinations}
        self.findings += [found.finding for key, found in results.items() if found is not None and key in wanted]
        return [shipping.form(one, results.get(shipping.same(one))) for one in destinations]


def _reaching(destination: Destination) -> Callable[[], Reached]:
    return lambda: reach(destination)


def _reading(target: str) -> Callable[[], Read]:
    return lambda: read(target)


def _read(check: _Check[Read], clock: _Clock) -> Read:
    if check.done(clock.left(_SOURCE_S)):
        return check.result(clock) or Read(blank(check.what), None)
    form: SourceForm = blank(check.what)
    return Read(form, kinds.SOURCE_SILENT.found(source=form["source"], seconds=f"{min(_SOURCE_S, clock.patience_s):g}"))


def _form(finding: Finding) -> FindingForm:
    return {
        "code": finding.code,
        "level": finding.level.value,
        "area": finding.area.value,
        "message": finding.message,
        "fix": finding.fix,
    }
