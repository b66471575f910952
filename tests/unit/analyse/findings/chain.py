"""Three agents in a row, each with a model call, for tests of what is read of what was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from otel_mas.analyse.findings import RunFacts
from tests.unit.analyse.findings.run import facts, made, workflow

NAMES = ("researcher1", "editor1", "writer1")


def chain(
    reads: Mapping[str, Sequence[tuple[str, str]]],
    says: Mapping[str, str] | None = None,
    state: Mapping[str, Mapping[str, Any]] | None = None,
) -> RunFacts:
    """Facts of a run of a researcher, an editor and a writer.

    Args:
        reads: role and text of each message that a task's model read, by task.
        says: the answer of its model, by task.
        state: as for `facts`; by default each writes down what its model answers.
    """
    spans = [workflow(0, 1000, channels=["LastValue|||facts", "BinaryOperatorAggregate|add_messages||messages"])]
    read: dict[str, list[str]] = {}
    wrote: dict[str, list[str]] = {}
    by_text: dict[tuple[str, str], str] = {}
    for step, name in enumerate(NAMES):
        start = 100 * step + 1
        causes = (("trigger", NAMES[step - 1]),) if step else ()
        spans.append(made.task(name, start, start + 50, "run", task_step=step, causes=causes))
        spans.append(made.call(f"{name}_call", start + 1, start + 40, name))
        given = [*reads.get(name, [("user", f"Begin, {name}.")])]
        answer = ("assistant", (says or {}).get(name, f"{name} is done."))
        for message in (*given, answer):
            by_text.setdefault(message, f"m{len(by_text)}")
        read[f"{name}_call"] = [by_text[message] for message in given]
        wrote[f"{name}_call"] = [by_text[answer]]
    messages = {digest: message for message, digest in by_text.items()}
    written = state or {name: {name: text} for name, text in (says or {}).items()}
    return facts(*spans, messages=messages, read=read, wrote=wrote, state=written)


__all__ = ["NAMES", "chain"]
