"""Messages and other content of a run, beside its causal graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any

from otel_mas.analyse.failures import error_message
from otel_mas.model import Content, Message, MessageRef, Span
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RecordKind

REASONS: Mapping[str | None, str] = {
    RecordKind.ROUTING_DECISION: names.MAS_ROUTING_REASON,
    RecordKind.GUARDRAIL: names.MAS_GUARDRAIL_REASON,
    RecordKind.EVALUATION: names.GEN_AI_EVALUATION_EXPLANATION,
}
"""By record kind the content, beside a span or on it, that says why."""

_POSITION, _REF_DIGEST = attrgetter("position"), attrgetter("digest")
_SIDES = (("input", names.MAS_INPUT_MESSAGES), ("output", names.MAS_OUTPUT_MESSAGES))
_Key = tuple[str, str]


@dataclass(frozen=True)
class RunContent:
    """Content of the traces of a run, read once.

    `kept` is False where the source keeps no content: who read which message is known then, but not its text.
    """

    refs: Sequence[MessageRef] = ()
    messages: Mapping[str, Message] = field(default_factory=dict)
    """By digest."""
    kept: bool = False
    _by_span: Mapping[_Key, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def gathered(
        cls, refs: Sequence[MessageRef], messages: Mapping[str, Message], contents: Iterable[Content], *, kept: bool
    ) -> RunContent:
        """Content as a source gives it."""
        by_span: dict[_Key, list[Content]] = {}
        for content in contents:
            by_span.setdefault((content.trace_id, content.span_id), []).append(content)
        return cls(refs, messages, kept, {key: by_name(found) for key, found in by_span.items()})

    @classmethod
    def joined(cls, parts: Iterable[RunContent]) -> RunContent:
        """Content of several runs as that of one."""
        several = list(parts)
        return cls(
            [ref for one in several for ref in one.refs],
            {digest: message for one in several for digest, message in one.messages.items()},
            any(one.kept for one in several),
            {key: values for one in several for key, values in one._by_span.items()},
        )

    def of(self, span: Span) -> Mapping[str, Any]:
        """Content beside a span, by name: tool arguments and results, exception text, questions."""
        return self._by_span.get((span.trace_id, span.span_id), {})

    def get(self, span: Span, name: str) -> Any:
        """Content by name: beside the span, else on it; None where it was not kept."""
        value = self.of(span).get(name)
        return span.get(name) if value is None else value

    def messages_of(self, span: Span, direction: str) -> tuple[Message, ...]:
        """Messages that a span read ("input") or wrote ("output"), in order; a body is None where it was not kept."""
        return tuple(
            self.messages.get(digest) or Message(digest, "", None) for digest in self.digests_of(span, direction)
        )

    def digests_of(self, span: Span, direction: str) -> Sequence[str]:
        """The digests of these messages, for which no message is needed."""
        return self._digests.get((span.trace_id, span.span_id, direction), ())

    @cached_property
    def _digests(self) -> Mapping[tuple[str, str, str], Sequence[str]]:
        groups: dict[tuple[str, str, str], list[MessageRef]] = {}
        for key, some in groupby(self.refs, itemgetter(0, 1, 2)):
            groups.setdefault(key, []).extend(some)
        for group in groups.values():
            group.sort(key=_POSITION)
        return {key: list(map(_REF_DIGEST, group)) for key, group in groups.items()}

    def reason(self, span: Span) -> str | None:
        """Why a routing decision, a guardrail or a grade went as it did; None where that is not kept."""
        name = REASONS.get(span.record_kind)
        found = None if name is None else self.get(span, name)
        return str(found) if found else None

    def reasons(self, spans: Iterable[Span]) -> dict[str, str]:
        """The same by span id, for those that have one."""
        return {span.span_id: reason for span in spans if (reason := self.reason(span))}

    def error_message(self, span: Span) -> str | None:
        """Message of the error that a span ended with, where it is stored."""
        return error_message(span, self.of(span))


def by_name(contents: Iterable[Content]) -> dict[str, Any]:
    """Contents of one span by name: the last of each, but of log records, one content for each, a list of all."""
    found: dict[str, Any] = {}
    for content in contents:
        if content.name == names.MAS_LOG_RECORDS:
            records = content.value if isinstance(content.value, list) else [content.value]
            found.setdefault(content.name, []).extend(records)
        else:
            found[content.name] = content.value
    return found


def refs_of(spans: Iterable[Span]) -> list[MessageRef]:
    """Messages that spans read and wrote as they say themselves, for sources that keep no messages."""
    found = []
    for span in spans:
        for side, name in _SIDES:
            digests = span.get(name) if not span.is_foreign else None
            for position, digest in enumerate(digests if isinstance(digests, (list, tuple)) else ()):
                found.append(MessageRef(span.trace_id, span.span_id, side, position, str(digest)))
    return found


NO_CONTENT = RunContent()

__all__ = ["NO_CONTENT", "REASONS", "RunContent", "by_name", "refs_of"]
