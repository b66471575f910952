"""What handles show of themselves in a notebook."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from html.parser import HTMLParser
from types import ModuleType

import pytest

from otel_mas.analyse.cost import cost
from otel_mas.analyse.profile import profile
from otel_mas.analyse.what_if import what_if
from otel_mas.causal import CausalGraph, build
from otel_mas.causal.schedule import Faster
from otel_mas.model import Event, Link, Span, SpanBody, StatusCode, SummaryBuilder, Trace
from otel_mas.report.html import notebook
from otel_mas.report.html.style import style
from otel_mas.semconv import attributes as names

HOSTILE = "</style></svg></title>\"'><script>hacked=1</script><img src=http://evil.example onerror=hacked=1>\u202e"
KEPT = {names.MAS_RECORD_KIND, names.MAS_TASK_ID, names.GEN_AI_OPERATION_NAME, names.MAS_TASK_OUTCOME}
"""Attributes that decide how a span is shown: under attack it is to be shown just so."""
VOID = {"meta", "path", "rect", "line", "br"}
BOUND = 700_000


class _Checker(HTMLParser):
    """Collects elements; complains where they are not closed in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.extend(attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data + " "


def read(markup: str) -> _Checker:
    checker = _Checker()
    checker.feed(markup)
    checker.close()
    assert checker.open == []
    return checker


def words(markup: str) -> str:
    return " ".join(read(markup).text.split())


def shown(causal: CausalGraph, problems: tuple[str, ...] = ()) -> str:
    return notebook.run(causal, causal.critical_path(), cost(causal.spans), problems)


def test_a_conversation_shows_what_it_was_and_what_caused_what(team: ModuleType) -> None:
    found = shown(build(team.research_traces()))
    text = words(found)
    assert "research_team · research-team · thread demo-1 · 2 traces · 2026-11-21 10:00:00 · 1m 06s · 27 spans" in text
    for part in (
        "waiting for input",
        "collect waited for summarise#3 (last of 3 branches, 600 ms after summarise#1)",
        "7.50 s at work",
        "simulated",
        "in-house-7b, span",
        "the same as text",
    ):
        assert part in text
    assert {"svg", "details", "table"} <= read(found).tags


def test_what_waits_is_said_first(team: ModuleType) -> None:
    paused = shown(build(team.research_traces()[:1]))
    assert paused.index("waits for input") < paused.index("<svg")


def test_what_failed_and_what_is_wrong_with_the_record_is_said() -> None:
    span = Span(
        trace_id="a" * 32,
        span_id="b" * 16,
        parent_span_id=None,
        name="invoke_workflow team",
        start_ns=0,
        end_ns=9,
        status=StatusCode.ERROR,
        columns={names.ERROR_TYPE: "TimeoutError"},
    )
    text = words(shown(build([Trace("a" * 32, (span,))]), ("one span is missing",)))
    assert "failed, and ended the run : invoke_workflow team, TimeoutError" in text
    assert "one span is missing" in text


FORMS: dict[str, Callable[[CausalGraph], str]] = {
    "run": shown,
    "graph": lambda causal: notebook.graph(causal, causal.critical_path(), (HOSTILE,)),
    "critical path": lambda causal: notebook.critical_path(causal, causal.critical_path()),
    "cost": lambda causal: notebook.cost(cost(causal.spans)),
    "what if": lambda causal: notebook.what_if(causal, what_if(causal, [Faster("span:" + causal.spans[0].span_id, 2)])),
    "slack": lambda causal: notebook.what_if(causal, what_if(causal)),
    "profile": lambda causal: notebook.profile(profile([causal])),
    "traces": lambda causal: notebook.traces(
        [SummaryBuilder.of(Trace("a" * 32, causal.spans)).summary(HOSTILE)] * 3, True
    ),
    "spans": lambda causal: notebook.spans(causal.spans),
    "span": lambda causal: notebook.span(causal.spans[-1]),
}


@pytest.fixture
def hostile(team: ModuleType) -> CausalGraph:
    """The team's run with an attack wherever text can be."""
    return build([Trace(team.FIRST, tuple(_attacked(span) for span in team.research_traces()[0].spans))])


def _attacked(span: Span) -> Span:
    phrase = {
        key: HOSTILE if isinstance(value, str) and key not in KEPT else value for key, value in span.columns.items()
    }
    return Span.complete(
        SpanBody(
            attributes={**phrase, HOSTILE: HOSTILE, "deep": {HOSTILE: [HOSTILE, b"\xff"]}},
            events=(Event(HOSTILE, span.start_ns, {HOSTILE: HOSTILE}),),
            links=span.links,
            status_message=HOSTILE,
        ),
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_span_id,
        name=HOSTILE,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        status=StatusCode.ERROR,
        service=HOSTILE,
        links=(*span.links, Link("c" * 32, "d" * 16, "trigger")),
    )


@pytest.mark.parametrize("form", FORMS)
def test_whatever_was_recorded_is_text_and_nothing_is_loaded(form: str, hostile: CausalGraph) -> None:
    markup = FORMS[form](hostile)
    found = read(markup)
    assert not found.tags & {"script", "img", "image", "iframe", "link", "a", "use", "object", "foreignobject"}
    for name, value in found.attributes:
        assert not name.startswith("on")
        assert name not in ("src", "href", "xlink:href", "id", "srcset", "action")
        assert "url(" not in (value or "")
    assert "hacked=1" in found.text
    assert "\u202e" not in markup


@pytest.mark.parametrize("form", FORMS)
def test_styles_stay_inside_the_block(form: str, hostile: CausalGraph) -> None:
    found = FORMS[form](hostile)
    assert found.startswith('<div class="otel-mas"><style>')
    classes = [one for name, value in read(found).attributes if name == "class" for one in (value or "").split()]
    assert all(one == "otel-mas" or one.startswith("om-") for one in classes)


def test_every_rule_is_scoped() -> None:
    sheet = style().removeprefix("<style>").removesuffix("</style>")
    sheet = re.sub(r"@media\([^)]*\)\{(.*?\})\}", r"\1", sheet)
    selectors = [one.strip() for rule in re.findall(r"([^{}]+)\{", sheet) for one in rule.split(",")]
    assert len(selectors) > 50
    assert [one for one in selectors if ".otel-mas" not in one] == []


def large(number: int) -> CausalGraph:
    """Tasks of ten agents, each with a model call, seven at a time."""
    spans = [Span("a" * 32, f"{1:016x}", None, "invoke_workflow large", 0, (number // 14 + 1) * 10**9)]
    for i in range(1, number // 2):
        ids = f"{2 * i:016x}", f"{2 * i + 1:016x}"
        begin = (i // 7) * 10**9 + (i % 7) * 10**6
        cause = (Link("a" * 32, f"{2 * (i - 7):016x}", "trigger"),) if i > 7 else ()
        task = {
            names.MAS_TASK_ID: f"t{i}",
            names.MAS_TASK_NAME: f"agent number {i % 10}",
            names.MAS_RECORD_KIND: "AGENT_TASK",
        }
        chat = {names.MAS_RECORD_KIND: "LLM_CALL", names.GEN_AI_USAGE_INPUT_TOKENS: 10, names.MAS_COST_USD: 0.01}
        end = begin + 8 * 10**8
        spans.append(Span("a" * 32, ids[0], f"{1:016x}", "task", begin, end, links=cause, columns=task))
        spans.append(Span("a" * 32, ids[1], ids[0], "chat gpt", begin + 10**6, end - 10**6, columns=chat))
    return build([Trace("a" * 32, tuple(sorted(spans, key=lambda span: span.start_ns)))])


def test_a_thousand_spans_are_shown_at_once() -> None:
    causal = large(1_000)
    begun = time.process_time()
    found = shown(causal)
    assert time.process_time() - begun < 5  # seconds of CPU; a tenth of one where nothing else runs
    assert len(found) < BOUND


def test_however_many_spans_the_size_is_bounded_and_what_is_left_out_is_said() -> None:
    found = shown(large(20_000))
    assert len(found) < BOUND
    text = words(found)
    for part in ("shorter tasks", "shorter spans", "shorter steps"):
        assert part in text


@pytest.mark.parametrize("form", ["run", "graph", "critical path", "cost", "traces", "spans"])
def test_nothing_at_all_is_said_to_be_nothing(form: str) -> None:
    found = notebook.traces([]) if form == "traces" else FORMS[form](build([]))
    assert "No " in words(found)


def test_a_span_shows_attributes_links_and_events() -> None:
    span = Span.complete(
        SpanBody(
            attributes={"gen_ai.request.model": "gpt-4o", "long": "x" * 5_000},
            events=(Event("exception", 1_000_000, {"exception.type": "Boom"}),),
        ),
        trace_id="a" * 32,
        span_id="b" * 16,
        parent_span_id=None,
        name="chat",
        start_ns=0,
        end_ns=2_000_000,
        links=(Link("c" * 32, "d" * 16, "send"),),
    )
    text = words(notebook.span(span))
    for part in ("gen_ai.request.model gpt-4o", "send " + "d" * 16, "exception +1.0 ms", "(3,000 more characters)"):
        assert part in text


def test_a_list_of_traces_says_when_there_may_be_more(team: ModuleType) -> None:
    summaries = [SummaryBuilder.of(trace).summary() for trace in team.research_traces()]
    assert "limit=" in notebook.traces(summaries, more=True)
    assert "limit=" not in notebook.traces(summaries)
