"""Whose tracer provider it is: the app's, whenever it sets one; ours only where there is none.

Each case runs in a process of its own, since the API's provider can be set once in each.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable

import pytest

SETUP = """
import os, sys
from opentelemetry import trace
from opentelemetry.trace import get_tracer, set_tracer_provider
from otel_mas.config import Settings
from otel_mas.record.sdk import provider

class Mirror:
    def __init__(self):
        self.started, self.ended = [], []
    def on_start(self, span, parent_context=None):
        self.started.append(span.name)
    def _on_ending(self, span):
        pass
    def on_end(self, span):
        self.ended.append(span.name)
        self.last = span
    def shutdown(self):
        pass
    def force_flush(self, timeout_millis=0):
        return True

mirror = Mirror()

def app_provider(cls=None, **given):
    '''What an app sets up: its provider, and the names that reach its exporter.'''
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
    exported = []
    class Exporter(SpanExporter):
        def export(self, spans):
            exported.extend(span.name for span in spans)
            return SpanExportResult.SUCCESS
    made = (cls or TracerProvider)(**given)
    made.add_span_processor(SimpleSpanProcessor(Exporter()))
    return made, exported

def ours(name):
    provider.tracer().start_span(name).end()
"""

Case = Callable[..., str]


@pytest.fixture
def case() -> Case:
    """Runs code after SETUP in a fresh process; returns its stderr."""

    def run(code: str, **environment: str) -> str:
        result = subprocess.run(
            [sys.executable, "-c", SETUP + textwrap.dedent(code)],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert result.returncode == 0, result.stderr
        return result.stderr

    return run


def test_a_provider_set_before_is_used_and_keeps_its_exporters(case: Case) -> None:
    output = case("""
        before = get_tracer("before")
        made, exported = app_provider()
        set_tracer_provider(made)
        provider.attach(mirror, Settings())
        before.start_span("app").end()
        ours("ours")
        assert exported == mirror.ended == ["app", "ours"], (exported, mirror.ended)
        assert trace.get_tracer_provider() is made
    """)
    assert output == ""


def test_a_provider_set_after_attaching_is_used_from_its_first_span_on(case: Case) -> None:
    output = case("""
        provider.attach(mirror, Settings())
        early = get_tracer("early")
        made, exported = app_provider()
        set_tracer_provider(made)
        early.start_span("app").end()
        ours("ours")
        assert exported == mirror.ended == ["app", "ours"], (exported, mirror.ended)
        assert mirror.last.resource is made.resource
    """)
    assert output == ""


def test_the_apps_own_first_span_is_recorded_where_it_has_no_provider(case: Case) -> None:
    """As its later ones are: ours is there from the first span on, whoever starts it."""
    case("""
        tracer = get_tracer("app")  # handed out before there is any provider
        provider.attach(mirror, Settings())
        assert trace._TRACER_PROVIDER is None  # nothing is made before it is needed
        with tracer.start_as_current_span("request 1"):
            ours("run 1")
        with tracer.start_as_current_span("request 2"):
            ours("run 2")
        assert mirror.ended == ["run 1", "request 1", "run 2", "request 2"], mirror.ended
        given, exported = app_provider()
        set_tracer_provider(given)
        with tracer.start_as_current_span("request 3"):
            pass
        assert exported == ["request 3"]
    """)


def test_after_detaching_the_apps_spans_are_not_recorded(case: Case) -> None:
    case("""
        provider.attach(mirror, Settings())
        provider.detach()
        with get_tracer("app").start_as_current_span("request"):
            pass
        assert mirror.ended == [] and trace._TRACER_PROVIDER is None
    """)


def test_ours_gives_way_to_a_provider_set_after_spans(case: Case) -> None:
    output = case("""
        never_used, used = get_tracer("never used"), get_tracer("used")
        provider.attach(mirror, Settings())
        ours("first")
        handed_out = get_tracer("handed out")
        kept = trace.get_tracer_provider()
        used.start_span("u1").end()
        handed_out.start_span("h1").end()
        made, exported = app_provider()
        set_tracer_provider(made)
        assert trace.get_tracer_provider() is made
        for tracer, name in [(never_used, "n2"), (used, "u2"), (handed_out, "h2"), (kept.get_tracer("late"), "k2"),
                             (get_tracer("new"), "new")]:
            tracer.start_span(name).end()
        ours("last")
        later = ["n2", "u2", "h2", "k2", "new", "last"]
        assert exported == later, exported
        assert mirror.ended == ["first", "u1", "h1", *later], mirror.ended
    """)
    assert output == ""  # above all not "Overriding of current TracerProvider is not allowed"


def test_open_spans_end_where_they_started_and_their_children_go_on_in_the_same_trace(case: Case) -> None:
    case("""
        provider.attach(mirror, Settings())
        parent = provider.tracer().start_span("open")
        made, exported = app_provider()
        set_tracer_provider(made)
        with trace.use_span(parent):
            child = provider.tracer().start_span("child")
        child.end()
        parent.end()
        assert exported == ["child"]
        assert mirror.ended == ["child", "open"]
        assert child.parent == parent.get_span_context()
    """)


def test_a_decorator_made_before_the_set_follows_it(case: Case) -> None:
    case("""
        provider.attach(mirror, Settings())
        ours("first")
        @get_tracer("app").start_as_current_span("decorated")
        def work():
            return trace.get_current_span().resource
        work()
        made, exported = app_provider()
        set_tracer_provider(made)
        assert work() is made.resource
        assert exported == ["decorated"]
        assert mirror.ended == ["first", "decorated", "decorated"]
    """)


def test_the_apps_own_second_set_is_refused_as_ever(case: Case) -> None:
    output = case("""
        provider.attach(mirror, Settings())
        ours("first")
        made, exported = app_provider()
        set_tracer_provider(made)
        set_tracer_provider(app_provider()[0])
        assert trace.get_tracer_provider() is made
    """)
    assert "Overriding of current TracerProvider is not allowed" in output


def test_processors_added_to_ours_by_somebody_who_found_it_move_on_with_the_spans(case: Case) -> None:
    case("""
        from opentelemetry.sdk.trace import TracerProvider
        provider.attach(mirror, Settings())
        ours("first")
        assert isinstance(trace.get_tracer_provider(), TracerProvider)
        guest, late = Mirror(), Mirror()
        found = trace.get_tracer_provider()
        found.add_span_processor(guest)
        ours("second")
        made, exported = app_provider()
        set_tracer_provider(made)
        found.add_span_processor(late)
        ours("third")
        assert guest.ended == ["second", "third"], guest.ended
        assert late.ended == exported == ["third"]
        assert mirror.ended == ["first", "second", "third"], mirror.ended
    """)


def test_a_provider_that_drops_its_exporter_when_something_is_added_keeps_it(case: Case) -> None:
    """As arize-phoenix-otel's does, with the default exporter that its `register()` sets up."""
    case("""
        from opentelemetry.sdk.trace import TracerProvider
        class Dropping(TracerProvider):
            default = False
            def add_span_processor(self, processor):
                if self.default:
                    self._active_span_processor._span_processors = ()
                    self.default = False
                super().add_span_processor(processor)
        made, exported = app_provider(Dropping)
        made.default = True
        provider.attach(mirror, Settings())
        set_tracer_provider(made)
        ours("both")
        assert exported == mirror.ended == ["both"], (exported, mirror.ended)
        user = Mirror()
        made.add_span_processor(user)  # drops the default exporter, as its user knows; and us, whom he does not
        ours("again")
        assert user.ended == ["again"]
        assert mirror.ended == ["both", "again"]
    """)


def test_a_provider_that_is_not_the_sdks_is_kept_and_ours_is_added(case: Case) -> None:
    output = case("""
        class Foreign(trace.TracerProvider):
            names = []
            def get_tracer(self, *args, **kwargs):
                outer = self
                class Tracer(trace.NoOpTracer):
                    def start_span(self, name, *args, **kwargs):
                        outer.names.append(name)
                        return super().start_span(name, *args, **kwargs)
                return Tracer()
        provider.attach(mirror, Settings())
        ours("before")
        handed_out = get_tracer("handed out")
        foreign = Foreign()
        set_tracer_provider(foreign)
        assert trace.get_tracer_provider() is foreign
        handed_out.start_span("theirs").end()
        ours("after"); ours("more")
        assert foreign.names == ["theirs"]
        assert mirror.ended == ["before", "after", "more"]
    """)
    assert output.count("takes no span processors") == 1
    assert len(output.splitlines()) == 1


def test_a_provider_assigned_past_the_api_is_noticed_with_the_next_span(case: Case) -> None:
    case("""
        provider.attach(mirror, Settings())
        ours("first")
        made, exported = app_provider()
        trace._TRACER_PROVIDER = made
        ours("second")
        assert exported == ["second"]
        assert mirror.ended == ["first", "second"]
    """)


def test_a_provider_that_the_environment_names_is_the_apps(case: Case) -> None:
    case(
        """
        provider.attach(mirror, Settings())
        assert trace._TRACER_PROVIDER is None, "attaching alone must not set it: the app's code may come first"
        ours("first")
        assert type(trace.get_tracer_provider()).__module__ == "opentelemetry.sdk.trace"
        get_tracer("app").start_span("second").end()
        assert mirror.ended == ["first", "second"]
        """,
        OTEL_PYTHON_TRACER_PROVIDER="sdk_tracer_provider",
    )


def test_an_unknown_api_is_warned_of_once_and_the_app_can_still_set_its_provider(case: Case) -> None:
    output = case("""
        trace.set_tracer_provider = lambda made: original(made, True)
        original = trace._set_tracer_provider
        del trace._set_tracer_provider
        provider.attach(mirror, Settings())
        ours("private")
        made, exported = app_provider()
        trace.set_tracer_provider(made)
        ours("both")
        assert exported == ["both"]
        assert mirror.ended == ["private", "both"]
    """)
    assert output.count("does not know this version of opentelemetry-api") == 1
    assert len(output.splitlines()) == 1


def test_detaching_leaves_the_api_and_the_apps_provider_as_they_were(case: Case) -> None:
    case("""
        original = trace._set_tracer_provider
        made, exported = app_provider()
        processors = made._active_span_processor._span_processors
        set_tracer_provider(made)
        provider.attach(mirror, Settings())
        ours("first")
        provider.detach()
        assert trace._set_tracer_provider is original
        assert made._active_span_processor._span_processors == processors
        get_tracer("app").start_span("app").end()
        ours("nobody's")
        assert exported == ["first", "app"]
        assert mirror.ended == ["first"]
    """)


def test_detaching_takes_ours_away_and_attaching_again_works_with_old_tracers(case: Case) -> None:
    output = case("""
        early = get_tracer("early")
        provider.attach(mirror, Settings())
        ours("first")
        handed_out = get_tracer("handed out")
        provider.detach()
        assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
        assert not handed_out.start_span("lost").is_recording()
        provider.attach(mirror, Settings())
        ours("second")
        handed_out.start_span("third").end()
        early.start_span("fourth").end()
        made, exported = app_provider()
        set_tracer_provider(made)
        for tracer in (early, handed_out):
            tracer.start_span("app").end()
        assert exported == ["app", "app"]
        assert mirror.ended == ["first", "second", "third", "fourth", "app", "app"], mirror.ended
    """)
    assert output == ""


def test_a_provider_of_ours_that_somebody_exports_from_stays_after_detaching(case: Case) -> None:
    case("""
        provider.attach(mirror, Settings())
        ours("first")
        guest = Mirror()
        trace.get_tracer_provider().add_span_processor(guest)
        provider.detach()
        get_tracer("app").start_span("second").end()
        assert guest.ended == ["second"]
        assert mirror.ended == ["first"]
        provider.attach(mirror, Settings())
        ours("third")
        made, exported = app_provider()
        set_tracer_provider(made)
        ours("fourth")
        assert exported == ["fourth"]
        assert guest.ended == ["second", "third", "fourth"]
        assert mirror.ended == ["first", "third", "fourth"]
    """)


def test_threads_that_start_their_first_spans_at_once_share_one_provider_and_lose_none(case: Case) -> None:
    case("""
        import threading
        sys.setswitchinterval(1e-5)
        provider.attach(mirror, Settings())
        barrier = threading.Barrier(9)
        def work():
            barrier.wait()
            for _ in range(50):
                ours("span")
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        made, exported = app_provider()
        barrier.wait()
        set_tracer_provider(made)
        for thread in threads:
            thread.join()
        ours("last")
        assert trace.get_tracer_provider() is made
        assert mirror.ended.count("span") == 400, len(mirror.ended)
        assert "last" in exported
    """)


def test_ours_is_named_after_the_program_unless_the_environment_names_it(case: Case) -> None:
    attach = """
        sys.argv = ["/somewhere/team/__main__.py"]
        provider.attach(mirror, Settings(run_id="r1"))
        ours("span")
        attributes = mirror.last.resource.attributes
        assert attributes["mas.run.id"] == "r1"
    """
    case(attach + "    assert attributes['service.name'] == 'team', attributes")
    case(attach + "    assert attributes['service.name'] == 'given'", OTEL_SERVICE_NAME="given")
    case(attach + "    assert attributes['service.name'] == 'there'", OTEL_RESOURCE_ATTRIBUTES="service.name=there")


@pytest.mark.parametrize(
    ("argv0", "name"),
    [
        ("app.py", "app"),
        ("/a/b/my.agent.py", "my.agent"),
        ("/venv/bin/uvicorn", "uvicorn"),
        ("/venv/bin/tool-1.2", "tool-1.2"),
        ("-c", "python"),
        ("", "python"),
    ],
)
def test_a_programs_name(argv0: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from otel_mas.record.sdk.own_provider import program_name

    monkeypatch.setattr(sys, "argv", [argv0, "argument"])
    assert program_name() == name


SAMPLED = """
        provider.attach(mirror, Settings(record_unsampled={record}))
        with provider.tracer().start_as_current_span("parent", attributes={{"early": 1}}) as parent:
            ours("child")
        assert not parent.get_span_context().trace_flags.sampled
        assert mirror.ended == {expected}, mirror.ended
"""


def test_spans_that_the_sampler_drops_are_recorded_unsampled_with_all_attributes(case: Case) -> None:
    code = SAMPLED.format(record=True, expected=["child", "parent"])
    case(code + "        assert mirror.last.attributes == {'early': 1}", OTEL_TRACES_SAMPLER="always_off")


def test_spans_that_the_sampler_drops_are_not_recorded_if_the_setting_is_off(case: Case) -> None:
    case(SAMPLED.format(record=False, expected=[]), OTEL_TRACES_SAMPLER="always_off")


def test_the_sampler_of_the_apps_provider_is_respected(case: Case) -> None:
    case("""
        from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
        made, exported = app_provider(sampler=ALWAYS_OFF)
        set_tracer_provider(made)
        provider.attach(mirror, Settings())
        ours("dropped")
        assert exported == mirror.ended == []
    """)
