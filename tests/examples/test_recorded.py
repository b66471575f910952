"""The example team, recorded by `otel-mas run` in two processes: its true graph, its own output untouched."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import otel_mas
from tests.example_team import ROOT, ExampleTeam
from tests.examples.truth import CONTROL_EDGES, MESSAGES


def run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )


def test_the_graph_over_both_invocations_is_the_true_one_edge_by_edge(example_team: ExampleTeam) -> None:
    with otel_mas.open(example_team.store) as source:
        graph = source.conversation("t").graph()
    labels = graph.labels()
    assert {(e.kind, labels[e.cause], labels[e.effect]) for e in graph.control_edges()} == CONTROL_EDGES
    assert graph.problems == ()


def test_who_read_what_whom_wrote_is_true_message_by_message(example_team: ExampleTeam) -> None:
    with otel_mas.open(example_team.store) as source:
        graph = source.conversation("t").graph()
    labels, spans = graph.labels(), {span.span_id: span for span in graph.spans}

    def name(span_id: str) -> str:
        if span_id in labels:
            return labels[span_id]
        span = spans[span_id]
        assert span.parent_span_id is not None
        return f"{labels[span.parent_span_id]}:{span.get('gen_ai.tool.name') or 'chat'}"

    found = [(name(edge.cause), name(edge.effect)) for edge in graph.edges if edge.kind == "message"]
    assert len(found) == len(set(found))
    assert set(found) == MESSAGES


def test_the_apps_own_output_and_exit_status_are_untouched(example_team: ExampleTeam) -> None:
    for bare, recorded in zip(example_team.bare, example_team.recorded, strict=True):
        assert bare.returncode == recorded.returncode == 0, recorded.stderr
        assert bare.stdout == recorded.stdout


def test_a_run_ends_with_a_summary_on_stderr(example_team: ExampleTeam) -> None:
    first, second = (r.stderr for r in example_team.recorded)
    assert "waiting for input" in first or "waits" in first
    assert "simulated" in first
    assert "otel-mas show" in second
    assert "\x1b[" not in first + second


def test_models_tools_and_retrievals_say_what_they_were(example_team: ExampleTeam) -> None:
    with otel_mas.open(example_team.store) as source:
        spans = source.conversation("t").spans
    chats = [s for s in spans if s.record_kind == "LLM_CALL"]
    # Three by the supervisor, two by the researcher, a grade of what it found, six by the writer, one for the headline.
    assert len(chats) == 3 + 2 + 1 + 6 + 1
    assert {s.get("gen_ai.provider.name") for s in chats} == {"openai"}
    assert all(s.get("gen_ai.usage.input_tokens") > 0 and s.get("gen_ai.usage.output_tokens") > 0 for s in chats)
    assert all(s.get("mas.cost.usd") > 0 and s.get("mas.cost.simulated") for s in chats)
    assert any(s.get("gen_ai.usage.cache_read.input_tokens") for s in chats)
    assert any(s.get("gen_ai.response.time_to_first_chunk") is not None for s in chats)
    tools = [s for s in spans if s.record_kind == "TOOL_CALL"]
    assert {s.get("gen_ai.tool.name") for s in tools} == {"search_archive", "look_up_figures"}
    assert all(s.get("gen_ai.tool.call.id") for s in tools)
    assert [s.name for s in spans if s.record_kind == "RETRIEVAL"] == ["retrieval Archive"]
    assert {s.agent for s in spans if s.agent} == {"researcher", "writer"}
    routes = [s.get("mas.routing.choice") for s in spans if s.name == "route who_is_next"]
    assert [list(choice) for choice in routes] == [["researcher"], ["writer"], ["approval"]]


def test_the_guardrail_and_the_grade_are_seen_for_what_they_are(example_team: ExampleTeam) -> None:
    with otel_mas.open(example_team.store) as source:
        first = source.conversation("t").traces[0]
        (guardrail,) = [s for s in first.spans if s.record_kind == "GUARDRAIL"]
        (grade,) = [s for s in first.spans if s.record_kind == "EVALUATION"]
        (route,) = [s for s in first.spans if s.name == "route is_relevant"]
        reasons = [first.contents(s).get("mas.routing.reason") for s in first.spans if s.name == "route who_is_next"]
        why = first.contents(grade)["gen_ai.evaluation.explanation"]
        assert first.contents(route)["mas.routing.reason"] == why == "12 facts bear on the question."
    assert (guardrail.name, guardrail.get("mas.guardrail.verdict")) == ("guardrail privacy", "pass")
    assert (grade.name, grade.get("gen_ai.evaluation.score.label")) == ("evaluate Relevance", "yes")
    assert list(route.get("mas.routing.choice")) == ["supervisor"]
    assert reasons == [
        "Nobody has looked into it yet.",
        "We have heard from researcher.",
        "We have heard from researcher and writer.",
    ]


def test_an_interrupt_is_no_error(example_team: ExampleTeam) -> None:
    with otel_mas.open(example_team.store) as source:
        conversation = source.conversation("t")
    assert [s.name for s in conversation.spans if s.status.name == "ERROR"] == []
    paused = next(s for s in conversation.spans if s.get("mas.task.outcome") == "interrupted")
    assert paused.task_name == "approval"
    assert paused.get("mas.interrupt.ids")


def test_a_message_is_stored_once_however_often_it_is_sent(example_team: ExampleTeam) -> None:
    with otel_mas.open(example_team.store) as source:
        first = source.conversation("t").traces[0]
        supervisors = [s for s in first.spans if s.name == "chat gpt-4o"]
        read = [{m.digest for m in first.messages(s).input} for s in supervisors]
    assert len(read[0] & read[1] & read[2]) == 2  # the system prompt and the question
    assert read[0] < read[1] < read[2]


def test_the_demo_runs_and_its_hints_work_when_pasted(tmp_path: Path) -> None:
    done = run([sys.executable, "examples/demo.py", "--keep-in", str(tmp_path)], HTTP_PROXY="http://127.0.0.1:9")
    assert done.returncode == 0, done.stderr
    hints = done.stdout.split("Look further")[1].splitlines()
    commands = [line.strip() for line in hints if "otel-mas" in line]
    assert len(commands) >= 4
    for command in commands[:4]:
        pasted = subprocess.run(
            ["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL
        )
        assert pasted.returncode == 0, (command, pasted.stderr)
        assert pasted.stdout.strip(), command
    graph = shlex.split(next(c for c in commands if "--json" in c))
    assert json.loads(run(graph).stdout)
    assert "simulated" in done.stdout + run(shlex.split(commands[2])).stdout
