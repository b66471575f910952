"""Transcripts with a labelled cause, as trace records: order, speakers, calls and their results, and the texts."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import otel_mas

_SECOND = 1_000_000_000
_START = 1_700_000_000 * _SECOND
# AG2's executor reports a run so; whoever answers so has run the code of the turn before.
_EXECUTED = re.compile(r"\Aexitcode: (-?\d+) \(")
_CODE = re.compile(r"```[^\n]*\n(.*?)```", re.DOTALL)
_KINDS = {"human": "HUMAN_INPUT", "user": "HUMAN_INPUT", "system": "SPAN"}
"""Kinds of records of what no agent said."""
_ROLES = {"human": "user", "user": "user", "system": "system"}
# Magentic-One writes `Orchestrator (thought)` and `Orchestrator (-> WebSurfer)`: one agent.
_ASIDE = re.compile(r"\s*\(.*\)\s*\Z")


@dataclass(frozen=True)
class Step:
    """One turn of a transcript."""

    agent: str
    text: str
    call: dict[str, Any] | None = None
    """Name of the tool that returned a result, and its arguments."""
    failed: bool = False


@dataclass(frozen=True)
class Case:
    """A transcript, and the step and agent that people hold responsible. Steps are numbered from 0."""

    name: str
    task: str
    steps: Sequence[Step]
    step: int
    agent: str
    failures: frozenset[int] = frozenset()
    """All steps that are labelled as failures, the cause among them."""
    digest: str = ""
    """SHA-256 of the log, as catchbench identifies it."""

    @property
    def developed_on(self) -> bool:
        """Whether it is of the half by which rules were chosen: a hash of its name decides."""
        return zlib.crc32(self.name.rpartition("/")[2].encode()) % 2 == 0


def who_and_when(folder: Path) -> list[Case]:
    """Who&When logs of a folder, of either part: algorithm-generated or hand-crafted."""
    return [_log(path) for path in sorted(folder.glob("*.json"), key=lambda path: (len(path.stem), path.stem))]


def agentrx(folder: Path) -> list[Case]:
    """The AgentRx runs of one assistant with tools."""
    runs = {run["task_id"]: run["traj"] for run in json.loads((folder / "runs.json").read_text())}
    return [_run(runs[label["trajectory_id"]], label) for label in json.loads((folder / "labels.json").read_text())]


def records(case: Case) -> Iterator[otel_mas.TraceRecord]:
    """The records that a program with this transcript might write: everybody reads all that was said before."""
    end = _START + len(case.steps) * _SECOND
    common = {"trace_id": case.name}
    yield otel_mas.TraceRecord(
        **common,
        span_id="run",
        event_type="WORKFLOW",
        timestamp=_START,
        duration_ns=end - _START,
        name="transcript",
        payload={"input": case.task},
    )
    said: list[dict[str, Any]] = []
    for number, step in enumerate(case.steps):
        role = "tool" if step.call else _ROLES.get(step.agent, "assistant")
        message = {"role": role, "name": step.agent, "parts": [_part(step.text)]}
        if step.call:
            what = {"event_type": "TOOL_CALL", "name": step.call["name"], "payload": {**step.call, "result": step.text}}
        else:
            payload = {"input": list(said), "output": [message]}
            what = {"event_type": _KINDS.get(step.agent, "AGENT_TASK"), "payload": payload}
        yield otel_mas.TraceRecord(
            **common,
            **what,
            span_id=f"step-{number}",
            parent_span_id="run",
            parents=[{"span_id": f"step-{number - 1}", "kind": "trigger"}] if number else [],
            agent_name=step.agent,
            timestamp=_START + number * _SECOND,
            duration_ns=_SECOND - 1,
            status="ERROR" if step.failed else "OK",
        )
        said.append(message)


def number_of(span: Any) -> int:
    """The number of the step that a span was made of."""
    return int(str(span.get("mas.record.span.id")).removeprefix("step-"))


def _part(text: str) -> dict[str, str]:
    return {"type": "text", "content": text}


def _log(path: Path) -> Case:
    log = json.loads(path.read_text())
    steps: list[Step] = []
    for entry in log["history"]:
        speaker, text = _ASIDE.sub("", entry.get("name") or entry["role"]), entry["content"]
        executed = _EXECUTED.match(text)
        if executed and steps:
            code = "\n".join(_CODE.findall(steps[-1].text)) or steps[-1].text
            call = {"name": "execute_code", "arguments": {"code": code}}
            steps.append(Step(speaker, text, call, failed=executed[1] != "0"))
        else:
            steps.append(Step(speaker, text))
    step = int(log["mistake_step"])
    canonical = json.dumps(log, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Case(
        f"{path.parent.name}/{path.stem}",
        log["question"],
        steps,
        step,
        log["mistake_agent"],
        frozenset({step}),
        hashlib.sha256(canonical.encode()).hexdigest(),
    )


def _run(messages: Sequence[dict[str, Any]], label: dict[str, Any]) -> Case:
    calls = {call["id"]: call["function"] for message in messages for call in message.get("tool_calls") or ()}
    steps = [_message(message, calls) for message in messages]
    failures = {failure["failure_id"]: failure["step_number"] - 1 for failure in label["failures"]}
    cause = failures[label["root_cause"]["failure_id"]]
    task = next(message["content"] for message in messages if message["role"] == "user")
    return Case(
        f"agentrx-tau/{label['trajectory_id']}", task, steps, cause, steps[cause].agent, frozenset(failures.values())
    )


def _message(message: dict[str, Any], calls: dict[str, dict[str, str]]) -> Step:
    text = message.get("content") or ""
    if message["role"] != "tool":
        functions = [call["function"] for call in message.get("tool_calls") or ()]
        asked = [f"calls {function['name']}({function['arguments']})" for function in functions]
        return Step(message["role"], "\n".join(filter(None, (text, *asked))))
    function = calls.get(message.get("tool_call_id", ""), {})
    call = {"name": message.get("name") or function.get("name", "tool"), "arguments": function.get("arguments", "")}
    return Step("tool", text, call, failed=text.startswith("Error"))
