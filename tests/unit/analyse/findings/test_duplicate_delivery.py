"""Messages that arrive twice, work that is done twice; not what was sent, written or asked for twice."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from otel_mas.analyse.findings.duplicate_delivery import duplicate_delivery
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.run import facts, made

KIND, ID, PEER = names.MAS_RECORD_KIND, names.MAS_MESSAGE_ID, names.MAS_MESSAGE_PEER
RUN = made.span("run", 0, 1000)


# -- receipts ----------------------------------------------------------------------------------------------------------


def receive(number: int, parent: str, identity: str = "m1") -> Span:
    return made.span(f"receive{number}", 30 + number, 30 + number, parent, **{KIND: "RECEIVE", ID: identity})


def received(*spans: Span) -> list[Finding]:
    sent = made.span("send1", 5, 5, "plan1", **{KIND: "SEND", ID: "m1", PEER: "book"})
    return list(duplicate_delivery(facts(RUN, made.agent("plan1", 1, 9, "run"), sent, *spans)))


BOOK = made.agent("book1", 20, 90, "run")


def test_two_receipts_of_one_sending() -> None:
    (found,) = received(BOOK, receive(1, "book1"), receive(2, "book1"))

    assert (found.severity, found.confidence, found.subject) == (Severity.WARNING, 1.0, "plan -> book")
    assert found.summary == "book received a message of plan 2 times, which was sent once"
    assert found.spans == ("receive2", "receive1")


def test_two_messages_and_two_receivers_are_none() -> None:
    assert received(BOOK, receive(1, "book1"), receive(2, "book1", "m2")) == []
    assert received(BOOK, receive(1, "book1"), made.agent("file1", 20, 90, "run"), receive(2, "file1")) == []


def test_a_receipt_of_each_attempt_is_none() -> None:
    again = made.agent("book2", 100, 190, "run", task_id="book1", **{names.MAS_TASK_ATTEMPT: 2})
    assert received(BOOK, receive(1, "book1"), again, receive(2, "book2")) == []
    assert len(received(BOOK, receive(1, "book1"), receive(2, "book1"), again, receive(3, "book2"))) == 1


# -- sends -------------------------------------------------------------------------------------------------------------


def counted(inputs: Sequence[str], texts: Sequence[str] = (), given: Sequence[str] = ()) -> list[Finding]:
    """Findings about a planner that made a task for each of these inputs, which wrote these texts, in a run of that."""
    wrote = texts or [f"counted {one}" for one in inputs]
    tasks = [
        made.agent(
            f"count{i}",
            20 + i,
            50 + i,
            "run",
            causes=[("send", "plan1")],
            task_step=2,
            **{names.MAS_STATE_CHANGED: ("counts",), names.MAS_STATE_DIGESTS: (f"{abs(hash(text)):032d}",)},
        )
        for i, text in enumerate(wrote)
    ]
    contents = {
        task.span_id: {names.MAS_TASK_INPUT: {"of": one, "by": "head"}} for task, one in zip(tasks, inputs, strict=True)
    }
    spans, state = (RUN, made.agent("plan1", 1, 9, "run"), *tasks), {"run": {"places": list(given), "by": ["head"] * 9}}
    return list(duplicate_delivery(facts(*spans, contents=contents, state=state if given else None)))


def test_work_that_is_done_twice_for_one_sending() -> None:
    (found,) = counted(["north", "south", "south"])

    assert (found.severity, found.confidence, found.subject) == (Severity.WARNING, 0.9, "plan -> count")
    assert found.spans == ("count2", "count1")
    assert counted(["north", "north", "south", "south"])[0].confidence == 0.6


@pytest.mark.parametrize(
    ("inputs", "texts"),
    [
        (["north", "south", "west"], ()),
        (["north", "north", "north"], ()),
        (["north", "south", "south"], ["a", "b", "c"]),
    ],
    ids=["each its own", "votes on the same", "they wrote something else"],
)
def test_work_that_is_none_done_twice(inputs: Sequence[str], texts: Sequence[str]) -> None:
    assert counted(inputs, texts) == []


def test_work_on_what_the_run_was_given_twice_is_none() -> None:
    inputs = ["north", "south", "south"]
    assert counted(inputs, given=inputs) == []
    assert len(counted(inputs, given=["north", "south"])) == 1
    assert len(counted(["north", "south", "south", "south"], given=inputs)) == 1, "once more than it was given"


# -- texts -------------------------------------------------------------------------------------------------------------

CLAIM = "The tram costs 40 million."


def read(
    prompt: str, *, wrote: Sequence[tuple[str, str]] = (("claim1", CLAIM),), own: bool = False, given: str = ""
) -> list[Finding]:
    tasks = [made.agent(name, 10 * i + 1, 10 * i + 9, "run") for i, (name, _) in enumerate(wrote)]
    judge = made.agent("claim9" if own else "judge1", 80, 95, "run")
    messages = {f"m{i}": ("assistant", text) for i, (_, text) in enumerate(wrote)} | {"prompt": ("user", prompt)}
    written = {task.span_id: [f"m{i}"] for i, task in enumerate(tasks)}
    spans = (RUN, *tasks, judge, made.call("call1", 81, 90, judge.span_id))
    state = {"run": {"question": given}} if given else None
    run = facts(*spans, messages=messages, wrote=written, read={"call1": ["prompt"]}, state=state)
    return list(duplicate_delivery(run))


def test_a_line_that_was_written_once_and_read_twice() -> None:
    (found,) = read(f"Claims:\n- {CLAIM}\n- {CLAIM}\nDecide.")

    assert (found.severity, found.confidence, found.subject) == (Severity.WARNING, 0.8, "claim -> judge")
    assert found.summary == "judge read 2 times what claim wrote once: The tram costs 40 million"
    assert found.spans == ("judge1", "claim1")


TWICE = f"{CLAIM}\n{CLAIM}"


def test_lines_that_were_not_delivered_twice() -> None:
    assert read(CLAIM) == []
    assert read(TWICE, wrote=[("claim1", CLAIM), ("deny1", CLAIM)]) == [], "two agents wrote it"
    assert read(TWICE, wrote=[("claim1", CLAIM), ("claim2", CLAIM)]) == [], "it was written twice"
    assert read(TWICE, wrote=[("claim1", TWICE)]) == [], "it stands twice in what was written"
    assert read(TWICE, wrote=[]) == [], "nobody in the run wrote it"
    assert read(TWICE, own=True) == [], "it repeats itself"
    assert read(TWICE, given=CLAIM) == [], "the run was given it as well"
    assert read("yes\nyes", wrote=[("claim1", "yes")]) == [], "too short to tell"
    assert read(f"{CLAIM} He says: {CLAIM}") == [], "no line of its own"


@pytest.mark.parametrize(("tasks", "digests", "number"), [(1, 2, 1), (1, 1, 0), (2, 2, 0)])
def test_a_message_that_was_written_once_and_read_twice(tasks: int, digests: int, number: int) -> None:
    writers = [made.agent(f"claim{i}", 10 * i + 1, 10 * i + 9, "run") for i in range(tasks)]
    spans = (RUN, *writers, made.agent("judge1", 80, 95, "run"), made.call("call1", 81, 90, "judge1"))
    wrote, reads = {task.span_id: ["m"] for task in writers}, {"call1": ["m"] * digests}
    found = list(duplicate_delivery(facts(*spans, messages={"m": ("assistant", CLAIM)}, wrote=wrote, read=reads)))

    assert [one.summary for one in found] == ["judge read 2 times what claim wrote once"] * number
    assert all(one.messages == ("m",) and one.confidence == 1.0 for one in found)
