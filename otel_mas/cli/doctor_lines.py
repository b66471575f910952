"""A diagnosis as lines of text: problems and notes first, then a paragraph for each area."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from otel_mas.doctor.forms import (
    DestinationForm,
    DiagnosisForm,
    EnvironmentForm,
    FindingForm,
    PortForm,
    PrivacyForm,
    RecordingForm,
    SettingForm,
    SourceForm,
    StoreForm,
)
from otel_mas.report.terminal.lines import wrap
from otel_mas.report.text import byte_size, count, duration, listing, local_time, plain

_LABEL = 13
_INDENT = "  "
_MARKS = {"problem": ("✗", "bold red"), "note": ("!", "yellow")}
_VERSIONS = (
    ("otel-mas", "otel-mas"),
    ("opentelemetry", "opentelemetry-sdk"),
    ("langgraph", "langgraph"),
    ("langchain-core", "langchain-core"),
)


def lines(form: DiagnosisForm, width: int) -> Iterator[Text]:
    """The report, in lines of this width."""
    yield _verdict(form)
    for finding in form["findings"]:
        if finding["level"] != "ok":
            yield from _finding(finding, width)
    yield Text("")
    for label, paragraph in _paragraphs(form):
        yield from _paragraph(label, paragraph, width)


def _verdict(form: DiagnosisForm) -> Text:
    problems, notes = form["problems"], form["notes"]
    verdict = Text()
    if problems:
        verdict.append(count(problems, "problem"), style="bold red")
    else:
        verdict.append("nothing is wrong", style="bold green")
    if notes:
        verdict.append(f", {count(notes, 'note')}", style="yellow")
    return verdict


def _finding(finding: FindingForm, width: int) -> Iterator[Text]:
    mark, style = _MARKS[finding["level"]]
    for place, piece in enumerate(wrap(Text(plain(finding["message"])), width - 2)):
        yield Text.assemble((f"{mark} ", style) if place == 0 else _INDENT, piece)
    if finding["fix"]:
        for place, piece in enumerate(wrap(Text(plain(finding["fix"]), style="cyan"), width - 4)):
            yield Text.assemble(("  → ", "cyan") if place == 0 else _INDENT * 2, piece)


def _paragraph(label: str, paragraph: Iterable[Text | str], width: int) -> Iterator[Text]:
    for part in paragraph:
        for piece in wrap(part if isinstance(part, Text) else Text(plain(part)), width - _LABEL):
            yield Text.assemble((f"{label:<{_LABEL}}", "bold"), piece)
            label = ""


def _paragraphs(form: DiagnosisForm) -> Iterator[tuple[str, Iterable[Text | str]]]:
    if form["environment"] is not None:
        yield "environment", _environment(form["environment"])
    if form["recording"] is not None:
        yield "recording", _recording(form["recording"])
    if form["store"] is not None:
        yield "store", _store(form["store"])
    yield "sending", _destinations(form["destinations"], form["store"])
    if form["sources"]:
        yield "reading", map(_source, form["sources"])
    if any(one["listening"] for one in form["ports"]):
        yield "serving", map(_port, filter(lambda one: one["listening"], form["ports"]))
    yield "privacy", _privacy(form["privacy"])
    yield "settings", _settings(form["settings"])


def _environment(form: EnvironmentForm) -> Iterator[str]:
    yield f"Python {form['version']} · {form['prefix']}"
    versions = [f"{name} {form['packages'][package]}" for name, package in _VERSIONS if package in form["packages"]]
    hooks = form["hooks"]
    if hooks is not None:
        misfits = len(hooks["misfits"])
        versions.append(f"{hooks['checked']} hooks fit" if not misfits else f"{count(misfits, 'hook')} do not fit")
    if versions:
        yield " · ".join(versions)


def _recording(form: RecordingForm) -> Iterator[str]:
    others = [
        *(f"exporter {one['name']}" for one in form["exporters"]),
        *form["instrumentations"],
        *(["LangSmith"] if form["langsmith"] else []),
    ]
    along = f"along with {listing(others, 5)}" if others else "nothing else records or exports, as far as is known"
    yield f"{'on' if form['enabled'] else 'off'} · {along}"


def _store(form: StoreForm) -> Iterator[Text | str]:
    yield f"{form['path']} ({form['origin']})"
    if form["traces"] is not None and form["used_bytes"] is not None:
        held = f"{count(form['traces'], 'trace')}, {count(form['spans'] or 0, 'span')}"
        since = f" since {local_time(form['oldest_ns'])}" if form["oldest_ns"] is not None else ""
        caps = f"{byte_size(form['max_bytes'])}, {form['max_age_days']:g} days"
        yield f"{held}{since} · {byte_size(form['used_bytes'])} of {caps}"
    free = f"{byte_size(form['free_bytes'])} free" if form["free_bytes"] is not None else ""
    open_by = [f"{one['program']} ({one['pid']})" for one in form["open_by"]]
    if form["writing"]:
        services = listing(list(dict.fromkeys(one["service"] for one in form["writing"])))
        using = f"{count(len(form['writing']), 'process', 'processes')} recording now: {services}"
    else:
        using = f"open by {listing(open_by)}" if open_by else "no process is recording now"
    yield " · ".join(part for part in (using, free) if part)
    if form["redacted"]:
        rules = [f"{taken:,} {rule}" for rule, taken in form["redacted"].items()]
        yield f"secrets taken out: {listing(rules, 8)}"
    if form["readable"] and not form["checked"]:
        yield Text("too large to be looked through for damage in the time there was", style="dim")


def _destinations(forms: Sequence[DestinationForm], store: StoreForm | None) -> Iterator[str]:
    if not forms and not (store and store["shipping"]):
        yield "nowhere: everything stays on this machine"
    for one in forms:
        if not one["usable"]:
            yield f"{one['endpoint']} · no address that could be used · by {one['sender']}"
            continue
        place = "this machine" if one["loopback"] else "another machine"
        reached = {True: "answers", False: "does not take spans", None: "not tried"}[one["reachable"]]
        took = f" in {duration(round(one['took_ms'] * 1e6))}" if one["took_ms"] is not None else ""
        secured = ", TLS" if one["tls"] else ""
        yield f"{one['endpoint']} · {one['protocol']}{secured} · {place} · {reached}{took} · by {one['sender']}"
    for destination in store["shipping"] if store else ():
        waiting = count(destination["waiting"], "span")
        state = "sending" if destination["shipping"] else "not sending now"
        yield f"{destination['name']} · {state} · has {destination['shipped']:,}, {waiting} waiting"


def _source(form: SourceForm) -> str:
    reached = "does not answer"
    if form["reachable"]:
        reached = f"answers in {duration(round((form['took_ms'] or 0) * 1e6))}"
    can = {
        "conversations": form["conversations"],
        "messages": form["content"],
        "runs": form["runs"],
        "ids by their beginning": form["id_prefixes"],
    }
    able, unable = [name for name in can if can[name]], [name for name in can if not can[name]]
    knows = f" · knows {', '.join(able)}" if able else ""
    lacks = f", not {', '.join(unable)}" if able and unable else ""
    return f"{form['source']} · {reached}{knows}{lacks}"


def _port(form: PortForm) -> str:
    server = {True: "otel-mas serve", False: "another program", None: "a server"}[form["otel_mas"]]
    return f"{form['address']} · {server}" + (f" · shows {form['location']}" if form["location"] else "")


def _privacy(form: PrivacyForm) -> Iterator[str]:
    if form["content"] is not None:
        yield f"content kept: {form['content']} (OTEL_MAS_CONTENT)"
    else:
        under_run, under_instrument = form["content_under_run"], form["content_under_instrument"]
        yield f"content kept: {under_run} under `otel-mas run`, {under_instrument} under `opentelemetry-instrument`"
    yield f"personal data taken out: {', '.join(form['personal_data']) or 'none'} (OTEL_MAS_PERSONAL_DATA)"
    yield f"leaves this machine: {'; '.join(form['leaves']) or 'nothing'}"


def _settings(forms: Sequence[SettingForm]) -> Iterator[str]:
    given = [one for one in forms if one["origin"] != "default"]
    for one in given:
        invalid = "" if one["valid"] else " · cannot be read"
        yield f"{one['name']}={one['value']} ({one['origin']}){invalid}"
    left = len(forms) - len(given)
    yield f"{'the other ' if given else ''}{left} are at their defaults"
