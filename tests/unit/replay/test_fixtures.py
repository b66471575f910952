"""The fixtures are replayed exactly: each app puts out what it did when it was recorded, and calls nothing."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from langchain_openai import ChatOpenAI

import otel_mas
from otel_mas.replay.fixture_file import BEGIN_NS, numbered
from tests.fixtures import apps, make

FIXTURES = make.HERE
SECRET = ("sk-", "Bearer ", "/home/", "/root/", "/tmp/")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("OTEL_MAS_STORE", str(tmp_path / "store.db"))
    yield tmp_path / "store.db"
    otel_mas.shutdown()


@pytest.mark.parametrize("name", apps.APPS)
def test_replay_of_a_fixture_puts_out_what_was_recorded(store: Path, name: str) -> None:
    apps.CALLED.clear()
    expected = json.loads((FIXTURES / f"{name}.output.json").read_text())
    with otel_mas.replay(FIXTURES / f"{name}.jsonl") as session:
        # No such server, and no key: nothing may be called.
        model = ChatOpenAI(model="gpt-4o-mini", base_url="http://127.0.0.1:9/v1", max_retries=0)
        assert json.loads(json.dumps(apps.APPS[name](model))) == expected
    assert apps.CALLED == []
    assert session.answered > 0
    assert session.live == session.missed == 0
    assert not session.recording.lacks


def test_person_of_a_fixture_has_answered_whatever_the_app_resumes_with(store: Path) -> None:
    expected = json.loads((FIXTURES / "approval.output.json").read_text())
    with otel_mas.replay(FIXTURES / "approval.jsonl"):
        model = ChatOpenAI(model="gpt-4o-mini", base_url="http://127.0.0.1:9/v1", max_retries=0)
        assert apps.approval(model, "no") == expected


@pytest.mark.parametrize("name", apps.APPS)
def test_fixture_is_readable_in_a_diff(name: str) -> None:
    text = (FIXTURES / f"{name}.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    spans = [line["resourceSpans"][0]["scopeSpans"][0]["spans"] for line in lines]
    assert {len(one) for one in spans} == {1}
    starts = [int(one["startTimeUnixNano"]) for (one,) in spans]
    assert starts == sorted(starts)
    assert starts[0] == BEGIN_NS
    assert len(text) < 100_000
    assert not [one for one in SECRET if one in text]
    assert numbered(text) == text
    assert max(Counter(one["spanId"] for (one,) in spans).values()) == 1


def _later(text: str) -> str:
    """The same run at another time, in which everything took longer."""
    return re.sub(r'(UnixNano": ")(\d+)', lambda found: f"{found[1]}{int(found[2]) * 2}", text)


@pytest.mark.parametrize("name", apps.APPS)
def test_recording_that_is_renewed_differs_in_what_changed(name: str) -> None:
    before = (FIXTURES / f"{name}.jsonl").read_text()
    changed = before.replace("gpt-4o-mini", "gpt-4.1-mini", 1)
    lines = before.splitlines()

    assert numbered(_later(before), before) == before
    assert numbered(_later(changed), before) == changed
    assert numbered(_later(before), "\n".join(lines[:-1])) != before
    for other in ("no recording", "{}", "\n".join(lines[1:])):
        assert numbered(before, other) == before


def test_recording_has_no_folder_of_the_machine_in_its_tracebacks() -> None:
    line = json.loads((FIXTURES / "agent.jsonl").read_text().splitlines()[0])
    stack = 'Traceback (most recent call last):\n  File "/home/me/app/desk.py", line 3, in ask\n'
    value = {"stringValue": json.dumps({"stack": stack})}
    line["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"] += [
        {"key": "exception.stacktrace", "value": {"stringValue": stack}},
        {"key": "inside", "value": value},
    ]

    found = numbered(json.dumps(line))
    assert "/home/me" not in found
    assert found.count("…/desk.py") == 2
    assert numbered(found) == found
