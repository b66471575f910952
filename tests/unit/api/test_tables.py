"""Handles as data frames, and as what a notebook shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow
import pytest

import otel_mas
from otel_mas.api import Conversation, CostTable, CriticalPath, Graph, Source, Trace, Traces
from otel_mas.errors import UnsupportedQuery


@pytest.fixture
def opened(store: Path) -> Iterator[Source]:
    with otel_mas.open(store) as found:
        yield found


def test_a_trace_is_a_table_of_its_spans(opened: Source, team: ModuleType) -> None:
    table = opened.trace(team.FIRST).to_pandas()
    assert len(table) == 23
    assert table.conversation.unique().tolist() == [team.THREAD]
    assert "attributes.gen_ai.request.model" in opened.trace(team.FIRST).to_pandas(attributes=True)


def test_a_conversation_is_a_table_over_its_traces(opened: Source, team: ModuleType) -> None:
    table = opened.conversation(team.THREAD).to_pandas()
    assert table.trace_id.unique().tolist() == [team.FIRST, team.SECOND]
    assert table.label.dropna().tolist().count("approve#1") == 2


def test_a_source_is_a_table_over_the_traces_that_its_filters_select(opened: Source, team: ModuleType) -> None:
    assert opened.to_pandas(status="interrupted").trace_id.unique().tolist() == [team.FIRST]
    assert opened.to_pandas(limit=1).trace_id.unique().tolist() == [team.SECOND]
    assert opened.to_pandas(agent="researcher", attributes=True).shape[0] == 23
    assert opened.to_pandas(service="nobody").empty
    with pytest.raises(UnsupportedQuery, match="no trace has the status"):
        opened.to_pandas(status="odd")


def test_lists_edges_paths_and_costs_are_tables(opened: Source, team: ModuleType) -> None:
    graph = opened.conversation(team.THREAD).graph()
    assert opened.traces().to_pandas().status.tolist() == ["ok", "interrupted"]
    assert set(graph.edges_to_pandas().kind) == {"child", "trigger", "send", "resume"}
    assert graph.edges_to_arrow().num_rows == len(graph.edges)
    assert len(graph.critical_path().to_pandas()) == len(graph.critical_path())
    assert set(graph.cost().to_pandas().by) == {"agent", "model"}


def handles(source: Source, thread: str) -> dict[str, Any]:
    conversation = source.conversation(thread)
    graph = conversation.graph()
    return {
        "traces": source.traces(),
        "trace": conversation.traces[0],
        "conversation": conversation,
        "graph": graph,
        "critical path": graph.critical_path(),
        "cost": graph.cost(),
        "source": source,
    }


@pytest.mark.parametrize("name", ["traces", "trace", "conversation", "critical path", "cost", "source"])
def test_whatever_reads_arrow_reads_handles(opened: Source, team: ModuleType, name: str) -> None:
    handle = handles(opened, team.THREAD)[name]
    read = pyarrow.RecordBatchReader.from_stream(handle).read_all()
    assert read.equals(handle.to_arrow())
    assert read.num_rows == len(handle.to_pandas()) > 0


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("traces", Traces),
        ("trace", Trace),
        ("conversation", Conversation),
        ("graph", Graph),
        ("critical path", CriticalPath),
        ("cost", CostTable),
    ],
)
def test_handles_show_themselves(opened: Source, team: ModuleType, name: str, kind: type) -> None:
    handle = handles(opened, team.THREAD)[name]
    assert isinstance(handle, kind)
    shown = handle._repr_html_()
    assert shown.startswith('<div class="otel-mas">')
    assert "research" in shown or name == "cost"


def test_records_show_themselves(opened: Source, team: ModuleType) -> None:
    found = opened.conversation(team.THREAD).records()
    shown = found._repr_html_()
    assert shown.startswith('<div class="otel-mas">')
    assert "LLM_CALL" in shown
    assert f"{3 * len(found) - 50} more records" in type(found)(found * 3)._repr_html_()
    assert "No record matches." in type(found)()._repr_html_()


def test_a_list_of_traces_is_a_list(opened: Source) -> None:
    found = opened.traces()
    assert isinstance(found, list)
    assert found[0].status == "ok"
    assert opened.traces(service="nobody") == []
    assert opened.traces(limit=1).limited
    assert not found.limited


def test_a_path_and_a_cost_are_what_the_rooms_below_worked_out(opened: Source, team: ModuleType) -> None:
    graph = opened.conversation(team.THREAD).graph()
    below = graph.causal.critical_path()
    assert graph.critical_path().sections == below.sections
    assert graph.critical_path().total_ns == below.total_ns
    assert graph.cost().total.calls == 8
    assert graph.cost().simulated


def test_spans_show_themselves_in_ipython(opened: Source, team: ModuleType) -> None:
    from IPython.core.interactiveshell import InteractiveShell

    from otel_mas.api.display import register

    shell = InteractiveShell()
    register(shell)
    trace = opened.trace(team.FIRST)
    data, _ = shell.display_formatter.format(trace.spans[0])
    assert "invoke_workflow research_team" in data["text/html"]
    assert data["text/plain"].startswith("<Span ")


def test_a_report_holds_the_messages_of_every_trace(opened: Source, team: ModuleType) -> None:
    document = opened.conversation(team.THREAD).to_html()
    assert "Tides?" in document
    assert "content not kept" in document
    assert "Publish this?" in document
    assert f"{team.SECOND}" in document


def test_a_report_of_a_source_without_content_says_so(opened: Source, team: ModuleType) -> None:
    from otel_mas.sources import Capabilities

    class Bare:
        location = "bare://"
        capabilities = Capabilities()

    bare: Any = Bare()
    document = Trace(team.research_traces()[0], bare).to_html()
    assert "What caused what" in document
    assert "keeps no content: who read which message is known, its text is not" in document
