"""End-to-end time and cost of a run under changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from otel_mas.analyse.cost import CostRow, UnpricedCall, add_up
from otel_mas.analyse.model_calls import ModelCall, model_calls
from otel_mas.causal import CausalGraph
from otel_mas.causal.schedule import Change, Schedule, reschedule
from otel_mas.model import Span

Price = Callable[[Span, str], float | str]
"""USD of a model call if it had gone to the model of this name, or why there is no price."""


@dataclass(frozen=True)
class WhatIf:
    """A run under changes. Without any, the recorded one.

    Tokens are those that were recorded, whichever model is called instead.
    """

    changes: tuple[Change, ...]
    schedule: Schedule
    recorded_cost: CostRow
    """Cost of all model calls."""
    cost: CostRow
    """Cost of those that are left, at their new prices."""
    unpriced: tuple[UnpricedCall, ...]
    """Calls whose new price is not known; `cost` leaves them out."""

    @property
    def recorded_ns(self) -> int:
        """The end-to-end time that was recorded."""
        return self.schedule.recorded_ns

    @property
    def total_ns(self) -> int:
        """The new end-to-end time."""
        return self.schedule.total_ns

    @property
    def saves_ns(self) -> int:
        """How much sooner the run would have ended; below 0 if later."""
        return self.schedule.saves_ns

    @property
    def saves_usd(self) -> float | None:
        """How much less it would have cost; None where no call has a price, or not each changed one."""
        before, after = self.recorded_cost.usd, self.cost.usd
        return None if before is None or after is None or self.unpriced else before - after


def what_if(graph: CausalGraph, changes: Iterable[Change] = (), price: Price | None = None) -> WhatIf:
    """Work out time and cost of a run anew.

    Args:
        graph: The run.
        changes: All of them at once.
        price: Prices for calls of a model that another one takes the place of; without it these have none.

    Raises:
        UnsupportedQuery: A change names what is not in the run, or cannot be made.
    """
    wanted = tuple(changes)
    schedule = reschedule(graph, wanted)
    recorded = list(model_calls(graph.spans))
    calls, unpriced = _called_then(recorded, schedule, price)
    cost = add_up(None, calls)
    return WhatIf(
        wanted,
        schedule,
        add_up(None, recorded),
        cost if calls or not recorded else replace(cost, usd=0.0),
        tuple(unpriced),
    )


def _called_then(
    recorded: Sequence[ModelCall], schedule: Schedule, price: Price | None
) -> tuple[list[ModelCall], list[UnpricedCall]]:
    """The calls that are left, and those of them whose new price is not known."""
    models, calls, unpriced = schedule.models, [], []
    for call in recorded:
        span = call.span
        if span.span_id in schedule.removed:
            continue
        model = models.get(span.span_id)
        if model is not None:
            usd = price(span, model) if price is not None else "no prices were given"
            if isinstance(usd, str):
                unpriced.append(UnpricedCall(span.trace_id, span.span_id, model, call.agent, usd))
            call = replace(call, model=model, usd=None if isinstance(usd, str) else usd)
        calls.append(call)
    return calls, unpriced


__all__ = ["Price", "WhatIf", "what_if"]
