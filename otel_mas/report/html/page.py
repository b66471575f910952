"""A report for people who were not there: one page, without a script and without a request to anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources

from otel_mas.analyse.complaints import Complaint
from otel_mas.analyse.content import NO_CONTENT, RunContent
from otel_mas.analyse.cost import CostTable
from otel_mas.analyse.log import Entry, log
from otel_mas.analyse.profile import profile
from otel_mas.analyse.root_cause import RootCause
from otel_mas.causal import CausalGraph, CriticalPath
from otel_mas.model import Finding
from otel_mas.model.instants import instant
from otel_mas.report.html import cost as costs
from otel_mas.report.html import graph as graphs
from otel_mas.report.html import path as paths
from otel_mas.report.html import profile as profiles
from otel_mas.report.html.attention import attention, problems
from otel_mas.report.html.block import run_ended
from otel_mas.report.html.explanation import explanation
from otel_mas.report.html.findings import findings
from otel_mas.report.html.heading import at_work, price, title
from otel_mas.report.html.log import log as entries_table
from otel_mas.report.html.style import style
from otel_mas.report.html.tree import tree
from otel_mas.report.markup import Child, Markup, element, text, trusted
from otel_mas.report.text import count, duration, listing, plain

MOST_SPANS = 2_000
_MOST_STEPS = 60
# Whatever a recorded text contained: nothing is fetched, no script runs, no form is sent.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True, slots=True)
class Material:
    """Material of a report."""

    causal: CausalGraph
    path: CriticalPath
    cost: CostTable
    problems: Sequence[str] = ()
    content: RunContent = NO_CONTENT
    complaint: Complaint | None = None
    root_cause: Sequence[RootCause] = ()
    findings: Sequence[Finding] = ()


def page(material: Material, made_by: str) -> str:
    """The whole document.

    Args:
        material: what the page tells.
        made_by: Program and version, for the last line.
    """
    named = title(material.causal.spans)
    return document(f"{named}: what caused what", [element("h1", named), *_sections(material)], made_by)


def document(named: str, content: Child, made_by: str) -> str:
    """A page with this title and content, which loads nothing and runs no script."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", named),
        style(),
        element("style", trusted(_sheet())),
    )
    body = element("main", content, class_="otel-mas om-page")
    foot = element("footer", f"Made by {made_by}. It holds everything that it shows; nothing was loaded.")
    return f"<!DOCTYPE html>\n{element('html', head, element('body', body, foot), lang='en')}\n"


def _sheet() -> str:
    return resources.files("otel_mas.report.html").joinpath("page.css").read_text(encoding="utf-8")


def _sections(material: Material) -> Iterator[Child]:
    causal, path = material.causal, material.path
    if not causal.spans:
        yield element("p", "No span was recorded.")
        return
    reasons = material.content.reasons(causal.spans)
    yield _facts(material)
    yield _section("What most probably went wrong", explanation(material.complaint, material.root_cause, causal))
    yield _section("What needs attention", attention(causal, material.content))
    yield _section("What is wrong, and what to do", findings(material.findings, causal))
    yield _section("What caused what", graphs.graph(causal, path, reasons))
    yield _section("What the time went into", paths.critical_path(causal, path, _MOST_STEPS))
    yield _section("Where the time went", profiles.profile(profile([causal])))
    yield _section("What was said and done", _log(material))
    yield _section("What it cost", costs.cost(material.cost))
    yield _section("What ran inside what", tree(causal, MOST_SPANS, reasons))
    yield _section("What is wrong with the record", problems(material.problems))


def _section(heading: str, content: Child) -> Markup | None:
    return element("section", element("h2", heading), content) if content else None


def _facts(material: Material) -> Markup:
    """Name, time, duration and cost, as pairs."""
    pairs = [(name, value) for name, value in _pairs(material) if value]
    return element("dl", [element("div", element("dt", name), element("dd", value)) for name, value in pairs])


def _pairs(material: Material) -> Iterator[tuple[str, Child]]:
    spans = material.causal.spans
    begin = min(span.start_ns for span in spans)
    end = max(span.last_ns for span in spans)
    yield "Ended", run_ended(spans)
    yield "Started", _instant(begin)
    yield "Took", f"{duration(end - begin)}: {at_work(material.path)}"
    yield "Cost", price(material.cost)
    agents = list(dict.fromkeys(plain(span.agent) for span in spans if span.agent))
    yield "Agents", listing(agents, 12)
    yield "Service", listing(list(dict.fromkeys(plain(span.service) for span in spans if span.service)), 6)
    yield "Thread", plain(next((span.conversation_id for span in spans if span.conversation_id), "") or "")
    ids = list(dict.fromkeys(span.trace_id for span in spans))
    shown: list[Child] = [text(element("code", one), " ") for one in ids[:6]]
    yield count(len(ids), "Trace"), text(shown, f"and {len(ids) - 6:,} more" if len(ids) > 6 else None)


def _instant(ns: int) -> str:
    """With its distance from UTC: the reader's clock may be another one."""
    return instant(ns).astimezone().isoformat(sep=" ")


def _log(material: Material) -> Markup:
    entries = list(log(material.causal, material.content))
    about = element("p", _about_content(material, entries), class_="om-dim")
    return text(about, entries_table(entries, material.causal.spans[0].start_ns))


def _about_content(material: Material, entries: Sequence[Entry]) -> str:
    having = [one for one in entries if one.text is not None or one.missing is not None]
    missing = sum(one.missing is not None for one in having)
    if not missing:
        return "As it was stored; what looked like a secret was taken out before that."
    if not material.content.kept:
        return "The source that this was read from keeps no content: who read which message is known, its text is not."
    if missing == len(having):
        return "The content was not kept: who read which message is known, its text is not."
    return f"Content of {missing:,} of {len(having):,} entries was not kept, or not all of it."
