"""The meaning of an exception that ends a span: failure, control flow, or cancellation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_mas.record import error_type, instance_dict, is_a, recorder
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RunOutcome

if TYPE_CHECKING:
    from opentelemetry.trace import Span

_OF_BUDGETS: Final = {
    names.MAS_BUDGET_AMOUNT: "budget",
    names.MAS_BUDGET_PER: "per",
    names.MAS_BUDGET_OWNER: "owner",
}


def is_control(error: BaseException) -> bool:
    """Whether LangGraph pauses or hands over by this exception."""
    return is_a(error, "GraphBubbleUp") and not is_a(error, "BudgetExceeded")


def run_attributes(outcome: RunOutcome, error: BaseException | None) -> dict[str, str]:
    """Attributes of a run that has ended: its outcome, and the budget that stopped it, if one did."""
    found = {names.MAS_RUN_OUTCOME: outcome.value}
    if error is not None and is_a(error, "BudgetExceeded"):
        about = instance_dict(error)
        for name, field in _OF_BUDGETS.items():
            if type(value := about.get(field)) is str:
                found[name] = value
    return found


def is_cancelled(error: BaseException) -> bool:
    """Whether the exception is a cancellation, asyncio's or a future's."""
    return is_a(error, "CancelledError")


def cancelled(span: Span, error: BaseException) -> bool:
    """Whether the exception is a cancellation. If so, set `error.type`; the status stays unset."""
    if not is_cancelled(error):
        return False
    span.set_attribute(names.ERROR_TYPE, error_type(error))
    return True


def record_ending(span: Span, error: BaseException) -> None:
    """Record the exception that ended the work of a span, unless it is control flow or a cancellation."""
    if is_a(error, "GeneratorExit") or is_control(error) or cancelled(span, error):
        return
    recorder().record_exception(span, error)


__all__ = ["cancelled", "is_cancelled", "is_control", "record_ending", "run_attributes"]
