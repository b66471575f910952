"""Whether a recording shows at all what a fault changed on the way to a reader.

What a reader's code takes from the state is recorded nowhere; seen is the messages that it and its models read, what it
gives its tools, and what a `Send` or a call gave it. Where that is nothing else than in the same run without the fault,
nobody can find the fault there: a number that is lost before a division is not made is such a case. Nor can anybody
where what was written is recorded nowhere, so that there is nothing to compare with: the arguments of a `Send` are
recorded where they arrive, and only there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from otel_mas.analyse.findings import RunFacts
from otel_mas.api import Source
from otel_mas.model import Span
from otel_mas.model.message_text import text_of
from otel_mas.semconv import attributes as names
from tests.accuracy.injected.runs import ON_THE_WAY, InjectedRun, plain

_EDGE = re.compile(r"edge=(\w+)->(\w+)|agent=(\w+)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_WORD = re.compile(r"\w[\w.-]*\w|\w")


def is_shown(source: Source, run: InjectedRun) -> bool:
    """Whether the fault's reader is seen to read another text than without it, without a word that others wrote.

    Of a duplicate, with such a word more often.
    """
    match = _EDGE.search(run.fault or "")
    if run.kind not in ON_THE_WAY or match is None:
        return True
    sender, reader = match[1], match[2] or match[3]
    texts, before = (list(_read(source, thread, reader)) for thread in (run.thread, plain(run.thread)))
    words, known = _words(texts), _words(before)
    written = _words(_written(source, run.thread, sender, reader))
    if run.kind == "message_duplicated":
        return any(words[word] > times for word, times in known.items() if word in written)
    return not set(texts) <= set(before) and any(word in written and word not in words for word in known)


def _read(source: Source, thread: str, reader: str) -> Iterator[str]:
    """Texts that the models and tools called in a task or agent were given, and what it was given itself."""
    facts = source.conversation(thread)._facts()
    for span in facts.spans:
        if reader in _names_around(facts, span):
            given = facts.value(span, names.MAS_TASK_INPUT)
            texts = [*map(facts.text, facts.read(span)), facts.arguments(span), None if given is None else str(given)]
            yield from (text for text in texts if text is not None)


def _written(source: Source, thread: str, sender: str | None, reader: str) -> Iterator[str]:
    """All that is recorded as written by a task or agent; without a name, by all but the reader."""
    facts = source.conversation(thread)._facts()
    for span in facts.spans:
        around = _names_around(facts, span)
        if sender in around if sender else reader not in around:
            yield from facts.outputs(span)
            yield from (f"{one.channel} {text_of(one.value)}" for one in facts.state_values(span))
            values = facts.value(span, names.MAS_TASK_RESULT), facts.value(span, names.GEN_AI_TOOL_CALL_RESULT)
            yield from (text_of(value) for value in values if value is not None)


def _words(texts: Iterable[str]) -> Counter[str]:
    """The words of texts, numbers without separators, and how often each comes."""
    return Counter(word for text in texts for word in _WORD.findall(_THOUSANDS.sub("", text)))


def _names_around(facts: RunFacts, span: Span) -> set[str | None]:
    found: set[str | None] = set()
    above: Span | None = span
    while above is not None:
        found |= {above.task_name, above.agent}
        above = facts.parent(above)
    return found


__all__ = ["is_shown"]
