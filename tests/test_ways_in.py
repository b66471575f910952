"""Three ways in, the same recording; and the app is what it is without any of them.

The ways are `otel-mas run`, `opentelemetry-instrument` (with nothing but what otel-mas depends on: no distro), and
`otel_mas.instrument()` in the app's own code. The apps, in `ways_in/`, know nothing of otel-mas.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import otel_mas
from otel_mas.model import Span
from otel_mas.semconv import attributes as names

APPS = Path(__file__).parent / "ways_in"
BIN = Path(sys.executable).parent
OTEL_MAS_RUN = (str(BIN / "otel-mas"), "run", "--")
INSTRUMENT = (str(BIN / "opentelemetry-instrument"),)
CODE = "import otel_mas\notel_mas.instrument()\n"
KEY = "ab" * 32

# Differ from run to run, or are looked at on their own.
VOLATILE = {
    names.MAS_TASK_ID,
    names.MAS_CHECKPOINT_ID,
    names.MAS_CHECKPOINT_LAST_ID,
    names.MAS_CHECKPOINT_PENDING,
    names.MAS_CAUSE_SPANS,
    names.MAS_CAUSE_REFS,
    names.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK,
}


@dataclass(frozen=True)
class Way:
    """A way in: what stands before the command, and whether the app itself asks."""

    prefix: tuple[str, ...] = ()
    code: bool = False


BARE = Way()
WAYS = {"run": Way(OTEL_MAS_RUN), "opentelemetry-instrument": Way(INSTRUMENT), "code": Way(code=True)}
BOTH = {
    "opentelemetry-instrument of run": Way(INSTRUMENT + OTEL_MAS_RUN),
    "all three": Way(OTEL_MAS_RUN + INSTRUMENT, code=True),
}
EACH_WAY = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())


@dataclass(frozen=True)
class Ran:
    """The result of running an app."""

    status: int
    stdout: str
    stderr: str
    store: Path

    @property
    def traces(self) -> list[tuple[Span, ...]]:
        """The spans of each trace, the oldest trace first."""
        with otel_mas.open(self.store) as source:
            return [source.trace(summary.trace_id).spans for summary in reversed(source.traces(limit=100))]

    @property
    def span_names(self) -> list[str]:
        return [span.name for spans in self.traces for span in spans]


def start(way: Way, folder: Path, app: str, *arguments: str, **environment: str) -> Ran:
    """Run an app from a copy of its own, as a user would, in some other folder than the repository."""
    folder.mkdir(exist_ok=True)
    for file in APPS.glob("*.py"):
        source = file.read_text()
        (folder / file.name).write_text(CODE + source if way.code and file.name == app else source)
    store = folder / "runs.db"
    environment = {**os.environ, "OTEL_MAS_STORE": str(store), "OTEL_MAS_DIGEST_KEY": KEY, **environment}
    command = [*way.prefix, sys.executable, app, *arguments]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    return Ran(result.returncode, result.stdout, result.stderr, store)


# -- the same recording ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Way], Ran]:
    """The team, run once by each way."""
    known: dict[Way, Ran] = {}

    def run(way: Way) -> Ran:
        if way not in known:
            folder = tmp_path_factory.mktemp("way")
            known[way] = start(way, folder, "team.py", OTEL_MAS_STRICT="1", XDG_DATA_HOME=str(folder))
        return known[way]

    return run


def labels(spans: tuple[Span, ...]) -> dict[str, str]:
    """Span id → name and how-manieth of that name, under its parent's."""
    found: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for span in spans:
        label = f"{found.get(span.parent_span_id or '', '')}/{span.name}"
        seen[label] += 1
        found[span.span_id] = f"{label}#{seen[label]}"
    return found


def essence(spans: tuple[Span, ...]) -> dict[str, Any]:
    """Everything about spans that does not change from one run of the app to the next."""
    label = labels(spans)
    return {
        label[span.span_id]: {
            "kind": span.kind,
            "status": span.status,
            "ended": span.end_ns is not None,
            "service": span.service,
            "scope": span.scope,
            "links": sorted((label[link.span_id], link.kind) for link in span.links),
            "causes": sorted(label[str(cause).partition("-")[2]] for cause in span.get(names.MAS_CAUSE_SPANS) or ()),
            "attributes": {k: v for k, v in span.attributes.items() if k not in VOLATILE},
            "attribute names": set(span.attributes),
            "events": [(event.name, event.attributes) for event in span.events],
        }
        for span in spans
    }


def test_the_team_is_recorded_as_it_is(ran: Callable[[Way], Ran]) -> None:
    """The others are compared with this one, so it is looked at first."""
    (spans,) = ran(WAYS["run"]).traces
    label = labels(spans)
    kinds = Counter(span.record_kind for span in spans)
    assert kinds["WORKFLOW"] == 1
    assert kinds["AGENT_TASK"] == 8
    assert (kinds["LLM_CALL"], kinds["TOOL_CALL"], kinds["ROUTING_DECISION"]) == (4, 4, 2)
    tasks = {span.task_name for span in spans} - {None}
    assert tasks == {"plan", "north", "south", "write"}
    (write,) = [s for s in spans if s.task_name == "write" and label[s.span_id].endswith("write#1")]
    assert sorted(label[link.span_id].rpartition(" ")[2] for link in write.links) == ["north#1", "south#1"]
    assert {link.kind for link in write.links} == {"trigger"}
    assert all(len(s.get(names.MAS_INPUT_MESSAGES) or ()) for s in spans if s.record_kind == "LLM_CALL")
    assert {span.service for span in spans} == {"team"}


@pytest.mark.parametrize("way", [*WAYS.values(), *BOTH.values()], ids=[*WAYS, *BOTH])
def test_every_way_records_the_same_spans_links_and_digests(way: Way, ran: Callable[[Way], Ran]) -> None:
    (expected,) = ran(WAYS["run"]).traces
    (found,) = ran(way).traces
    assert essence(found) == essence(expected)


@pytest.mark.parametrize("way", [*WAYS.values(), *BOTH.values()], ids=[*WAYS, *BOTH])
def test_output_and_exit_status_are_those_of_the_bare_app(way: Way, ran: Callable[[Way], Ran]) -> None:
    bare, recorded = ran(BARE), ran(way)
    assert bare.status == 3
    assert (recorded.status, recorded.stdout) == (bare.status, bare.stdout)
    assert not bare.store.exists()


@EACH_WAY
def test_nothing_is_said_but_the_summary_of_a_run(way: Way, ran: Callable[[Way], Ran]) -> None:
    stderr = ran(way).stderr
    assert "Traceback" not in stderr
    if way.prefix == OTEL_MAS_RUN:
        assert stderr.strip().startswith("otel-mas recorded")
    else:
        assert stderr == ran(BARE).stderr == ""


def test_content_is_kept_where_somebody_asked_for_recording_and_redacted(ran: Callable[[Way], Ran]) -> None:
    for name, way in {**WAYS, **BOTH}.items():
        recorded = ran(way)
        stored = b"".join(path.read_bytes() for path in recorded.store.parent.glob("runs.db*"))
        assert (b"look at north" in stored) == (name != "opentelemetry-instrument"), name
        assert b"sk-live-0123456789abcdef0123" not in stored, name


# -- the app's own provider ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after"])
@EACH_WAY
def test_the_apps_provider_processors_and_exporters_stay(way: Way, when: str, tmp_path: Path) -> None:
    output = tmp_path / "exported.json"
    recorded = start(way, tmp_path / "app", "own_provider.py", when, str(output))
    assert recorded.status == 0, recorded.stderr
    assert "Overriding" not in recorded.stderr
    own = json.loads(output.read_text())
    assert (own["patched"], own["hooks"], own["threads"]) == (3, 1, True), "what is looked for below, where it is off"
    spans = [span for trace in recorded.traces for span in trace]
    theirs = [span for span in spans if span.service == "mine"]
    # All that the app's provider saw is in the store, once, as its processor left it; all of ours is in its exporter.
    assert Counter(own["exported"]) == Counter(own["started"]) == Counter(span.name for span in theirs)
    # Text under a name that nobody knows is content, which is not kept where nobody asked for recording.
    stamp = None if way is WAYS["opentelemetry-instrument"] else "mine"
    assert {span.get("app.stamp") for span in theirs} == {stamp}
    assert {"app 2", "invoke_workflow team", "task write"} <= set(own["exported"])
    first = [span for span in spans if span.service != "mine"]
    assert len({span.span_id for span in spans}) == len(spans)
    assert Counter(span.name for span in first if span.name != "app 1") == (
        Counter(span.name for span in theirs if span.name != "app 2") if when == "after" else Counter()
    )


def test_a_provider_that_somebody_elses_configurator_sets_first_stays(tmp_path: Path) -> None:
    package = tmp_path / "path"
    metadata = package / "somebody-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: somebody\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[opentelemetry_configurator]\nsomebody = somebody:Configurator\n")
    (package / "somebody.py").write_text(
        "import atexit\n"
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "from opentelemetry.sdk.trace.export import SimpleSpanProcessor\n"
        "from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter\n"
        "class Configurator:\n"
        "    def configure(self, **given):\n"
        "        exporter = InMemorySpanExporter()\n"
        "        provider = TracerProvider()\n"
        "        provider.add_span_processor(SimpleSpanProcessor(exporter))\n"
        "        trace.set_tracer_provider(provider)\n"
        "        atexit.register(lambda: print(len(exporter.get_finished_spans()), 'exported'))\n"
    )
    given = {"PYTHONPATH": str(package), "OTEL_SERVICE_NAME": "named"}
    recorded = start(WAYS["opentelemetry-instrument"], tmp_path / "app", "team.py", **given)
    assert recorded.status == 3
    assert recorded.stderr == ""
    (spans,) = recorded.traces
    assert recorded.stdout.endswith(f"{len(spans)} exported\n")
    assert {span.service for span in spans} == {"named"}


# -- how it ends -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["return", "exit", "exception", "os._exit", "kill"])
@EACH_WAY
def test_an_app_ends_as_it_does_alone_and_what_it_did_is_stored(way: Way, ending: str, tmp_path: Path) -> None:
    recorded = start(way, tmp_path / "app", "endings.py", ending)
    status = {"return": 0, "exit": 1, "exception": 1, "os._exit": 7, "kill": -signal.SIGKILL}[ending]
    assert (recorded.status, recorded.stdout) == (status, "working\n")
    expected = {"exit": "with a message", "exception": "LookupError: nobody caught it"}.get(ending, "")
    assert expected in recorded.stderr
    assert recorded.stderr.count("Traceback") == (ending == "exception")
    assert recorded.span_names == ["parent"]


@pytest.mark.parametrize("method", ["fork", "spawn"])
@EACH_WAY
def test_child_processes_of_multiprocessing_are_recorded(way: Way, method: str, tmp_path: Path) -> None:
    recorded = start(way, tmp_path / "app", "endings.py", method)
    assert (recorded.status, recorded.stdout) == (0, "working\n"), recorded.stderr
    assert sorted(recorded.span_names) == ["child 0", "child 1", "parent", "parent again"]


def test_a_run_counts_what_its_child_processes_recorded(tmp_path: Path) -> None:
    recorded = start(WAYS["run"], tmp_path / "app", "endings.py", "spawn")
    with otel_mas.open(recorded.store) as source:
        (run,) = {span.resource.attributes[names.MAS_RUN_ID] for trace in recorded.traces for span in trace}
        summary = source.run(str(run))
    assert len(summary.traces) == 4
    assert summary.processes == 3


# -- off -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    yield
    assert not (tmp_path / "home").exists()


@pytest.mark.usefixtures("_home")
@pytest.mark.parametrize("off", [{"OTEL_MAS_ENABLED": "false"}, {"OTEL_SDK_DISABLED": "true"}], ids=str)
@EACH_WAY
def test_off_is_off(way: Way, off: dict[str, str], tmp_path: Path) -> None:
    output = tmp_path / "state.json"
    recorded = start(way, tmp_path / "app", "own_provider.py", "before", str(output), **off)
    assert recorded.status == 0, recorded.stderr
    own = json.loads(output.read_text())
    assert (own["patched"], own["hooks"], own["threads"]) == (0, 0, False)
    assert not list((tmp_path / "app").glob("runs.db*"))
