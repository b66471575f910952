"""A span as the subject of entries, with what all of them say of it."""

from __future__ import annotations

from dataclasses import dataclass

from otel_mas.analyse.log.readers import Reader
from otel_mas.analyse.log.tasks import Tasks
from otel_mas.model import Span
from otel_mas.semconv import RecordKind, record_kind
from otel_mas.semconv import attributes as names


@dataclass(slots=True)
class Subject:
    """A span with what its entries say of it, found once for all of them."""

    span: Span
    key: tuple[str, str]
    """Ids of its trace and of itself."""
    kind: str | None
    """Its record kind; of a span by other instrumentation by its operation."""
    is_run: bool
    """Whether it is one invocation of a workflow, or an agent that the app called."""
    task: str
    agent: str | None
    tool: str
    """Name of the tool, if it is the call of one."""
    model: str | None

    @classmethod
    def of(cls, span: Span, tasks: Tasks) -> Subject:
        """A span under the names that tasks have."""
        columns = span.columns
        kind = span.record_kind or record_kind(str(columns.get(names.GEN_AI_OPERATION_NAME)))
        model = columns.get(names.GEN_AI_RESPONSE_MODEL) or columns.get(names.GEN_AI_REQUEST_MODEL)
        return cls(
            span,
            (span.trace_id, span.span_id),
            kind,
            kind == RecordKind.WORKFLOW or columns.get(names.MAS_RUN_OUTCOME) is not None,
            tasks.task(span),
            tasks.agent(span),
            str(columns.get(names.GEN_AI_TOOL_NAME) or span.name),
            None if model is None else str(model),
        )

    @property
    def reader(self) -> Reader:
        """The agent, or the task by its path without numbers."""
        if self.agent is not None:
            return self.agent
        return "/".join(part.rpartition("#")[0] or part for part in self.task.split("/"))


__all__ = ["Subject"]
