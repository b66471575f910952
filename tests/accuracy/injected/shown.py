"""Whether a recording shows at all what a fault changed on the way to a reader.

What a reader's code takes from the state is recorded nowhere; seen is the messages that it and its models read, what it
gives its tools, and what a `Send` or a call gave it. Where that is nothing else than in the same run without the fault,
nobody can find the fault there: a number that is lost before a division is not made is such a case.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from otel_mas.analyse.findings import RunFacts
from otel_mas.api import Source
from otel_mas.model import Span
from otel_mas.semconv import attributes as names
from tests.accuracy.injected.runs import ON_THE_WAY, InjectedRun, plain

_READER = re.compile(r"->(\w+)|agent=(\w+)")
_WORD = re.compile(r"[^\s,\[\]{}]+")


def is_shown(source: Source, run: InjectedRun) -> bool:
    """Whether the fault's reader is seen to read another text than without it; of a duplicate, a word more often."""
    match = _READER.search(run.fault or "")
    if run.kind not in ON_THE_WAY or match is None:
        return True
    reader = match[1] or match[2]
    texts, before = (list(_read(source, thread, reader)) for thread in (run.thread, plain(run.thread)))
    if run.kind != "message_duplicated":
        return not set(texts) <= set(before)
    words, known = (Counter(word for text in some for word in _WORD.findall(text)) for some in (texts, before))
    return any(words[word] > times for word, times in known.items())


def _read(source: Source, thread: str, reader: str) -> Iterator[str]:
    """Texts that the models and tools called in a task or agent were given, and what it was given itself."""
    facts = source.conversation(thread)._facts()
    for span in facts.spans:
        if reader in _names_around(facts, span):
            given = facts.value(span, names.MAS_TASK_INPUT)
            texts = [*map(facts.text, facts.read(span)), facts.arguments(span), None if given is None else str(given)]
            yield from (text for text in texts if text is not None)


def _names_around(facts: RunFacts, span: Span) -> set[str | None]:
    found: set[str | None] = set()
    above: Span | None = span
    while above is not None:
        found |= {above.task_name, above.agent}
        above = facts.parent(above)
    return found


__all__ = ["is_shown"]
