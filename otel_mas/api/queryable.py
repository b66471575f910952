"""Questions over many traces of a source: executions, events, findings, metrics, comparisons, and what they share."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Unpack

from otel_mas.api.filters import MOST_TRACES, Filters, checked, query_of
from otel_mas.api.when import duration_ns
from otel_mas.config import Settings
from otel_mas.errors import UnsupportedQuery, arguments
from otel_mas.sources import Source as Port

if TYPE_CHECKING:
    from otel_mas.analyse.health import Health
    from otel_mas.api.diff import SetDiff
    from otel_mas.api.findings import FindingGroups
    from otel_mas.api.metering import Measurement
    from otel_mas.api.mined import HotSpots, RarePaths, Topology, Variants
    from otel_mas.api.query_answers import Comparison, Events, Executions, Metrics, Outcomes


class Queryable:
    """A source as far as it answers questions over many of its traces."""

    _port: Port

    def executions(
        self, *, kind: str | None = None, limit: int = MOST_TRACES, **filters: Unpack[Filters]
    ) -> Executions:
        """Executions of tasks, agents, tools and models that match everything that is given, newest first.

        Filters by agent, operation, tool, model, error type, status, durations and times are about the execution, those
        by conversation, user, attribute and run about its trace. Statistics by agent, call chains and stages are asked
        of the answer: `source.executions(since="1d").by("agent")`.

        Args:
            kind: Only "agent", "task", "tool", "retrieval" or "model".
            limit: How many traces to read at most, the newest.
            filters: As for `traces`; `status` may be "handoff", too.

        Raises:
            UnsupportedQuery: A value means nothing, or this source cannot answer the question.
        """
        from otel_mas.analyse.executions import STATUSES
        from otel_mas.api.queries import find_executions

        return find_executions(self._port, query_of(filters, limit, STATUSES), kind)

    def events(
        self,
        *,
        type: str | None = None,  # noqa: A002 - as in the answer
        limit: int = MOST_TRACES,
        **filters: Unpack[Filters],
    ) -> Events:
        """Events that match everything that is given, newest first: one for each span that records something.

        Args:
            type: Only of this type: a record kind (AGENT_TASK, LLM_CALL, TOOL_CALL, ROUTING_DECISION, ...) or ERROR.
            limit: How many traces to read at most, the newest.
            filters: As for `executions`, without `status` and durations.

        Raises:
            UnsupportedQuery: A value means nothing, or this source cannot answer the question.
        """
        from otel_mas.api.queries import find_events

        for name in ("status", "min_duration", "max_duration"):
            if filters.get(name) is not None:
                raise UnsupportedQuery(f"events have no {name}: ask for executions or traces")
        return find_events(self._port, query_of(filters, limit), type)

    def findings(
        self,
        *,
        codes: str | Collection[str] = (),
        thresholds: Mapping[str, float] | None = None,
        limit: int = MOST_TRACES,
        **filters: Unpack[Filters],
    ) -> FindingGroups:
        """Findings about the runs that match: the same finding over many runs is one, with a count and a trend.

        Args:
            codes: Only findings of this kind, or of these.
            thresholds: From where on something counts as wrong, by name; else OTEL_MAS_THRESHOLDS and its defaults.
            limit: How many traces to read at most, the newest.
            filters: As for `traces`.

        Raises:
            UnsupportedQuery: There is no such kind, a value means nothing, or this source cannot answer the question.
            ConfigError: There is no such threshold.
        """
        from otel_mas.api.finding_groups import find_findings
        from otel_mas.config.thresholds import Thresholds

        chosen = Settings.from_env().thresholds if thresholds is None else Thresholds.of(thresholds)
        return find_findings(self._port, query_of(filters, limit), codes, chosen)

    def health(
        self,
        *agents: str,
        window: str | float = "1h",
        thresholds: Mapping[str, float] | None = None,
        limit: int = MOST_TRACES,
    ) -> Health:
        """Health of agents, workflows and, of a local store, recording processes and disk; each with why.

        Args:
            agents: Only these agents; one that did nothing is `unknown`.
            window: How far back to look: "1h", or seconds. Runs that are open or wait now count whenever they began.
            thresholds: From where on something is degraded or unhealthy, by name; else OTEL_MAS_THRESHOLDS.
            limit: How many traces to read at most, the newest.

        Raises:
            UnsupportedQuery: A value means nothing, or this source cannot answer the question.
            ConfigError: There is no such threshold.
        """
        from otel_mas.api.health import HealthReader
        from otel_mas.config.thresholds import Thresholds

        settings, now_ns = Settings.from_env(), time.time_ns()
        reader = HealthReader(
            self._port,
            since_ns=now_ns - checked(duration_ns, window),
            now_ns=now_ns,
            limit=arguments.number_of("limit", limit),
            thresholds=settings.thresholds if thresholds is None else Thresholds.of(thresholds),
            cap_bytes=settings.max_store_bytes,
        )
        return reader.health([arguments.name("agents", one) for one in agents])

    def measurements(
        self, since: str | float | datetime | None = None, until: str | float | datetime | None = None
    ) -> Iterator[Measurement]:
        """Values of the metrics of docs/metrics.md, of the spans that ended in a time, as they ended in each trace.

        Findings and overdue questions are not among them: they take a whole run.

        Args:
            since: From then on, or within this duration before now ("5m"). None: from the beginning.
            until: Until then. None: until now.

        Raises:
            UnsupportedQuery: A time means nothing, or this source cannot list its traces.
        """
        from otel_mas.api.metering import measurements

        asked = query_of({"since": since, "until": until}, 1)
        return measurements(self._port, asked.since_ns, asked.until_ns)

    def metrics(
        self,
        name: str,
        *,
        by: str = "run",
        window: str | float | None = None,
        limit: int = MOST_TRACES,
        **filters: Unpack[Filters],
    ) -> Metrics:
        """Count, mean, percentiles and trend of a measure, in all and by window of time.

        Args:
            name: "duration", "input_tokens", "output_tokens", "cost" or "errors"; by agent, node, tool or model also
                "model_time", "tool_time" and "overhead". Durations are in seconds, costs in USD, errors a share.
            by: "run" (of all traces together), "service", "agent", "node", "tool" or "model".
            window: Length of the windows: "1h", "1d", or seconds. None: no windows.
            limit: How many traces to read at most, the newest.
            filters: By run and service as for `traces`, else as for `executions`.

        Raises:
            UnsupportedQuery: A value means nothing, or this source cannot answer the question.
        """
        from otel_mas.analyse.executions import STATUSES
        from otel_mas.api.queries import find_metrics

        window_ns = None if window is None else checked(duration_ns, window)
        query = query_of(filters, limit) if by in ("run", "service") else query_of(filters, limit, STATUSES)
        return find_metrics(self._port, query, name, by, window_ns)

    def outcomes(self, *, limit: int = MOST_TRACES, **filters: Unpack[Filters]) -> Outcomes:
        """Cost of the runs that match, by outcome: what one that succeeded, or was accepted, costs with all the others.

        Args:
            limit: How many traces to read at most, the newest.
            filters: As for `traces`.

        Raises:
            UnsupportedQuery: A value means nothing, or this source cannot answer the question.
        """
        from otel_mas.api.queries import find_outcomes

        return find_outcomes(self._port, query_of(filters, limit))

    def compare(self, *, before: Filters, after: Filters, limit: int = MOST_TRACES) -> Comparison:
        """Compare two sets of runs: durations, tokens, cost, errors and steps, by agent, node and edge.

        Args:
            before, after: Filters of `traces`: `{"attribute": {"service.version": "1.1"}}`, `{"since": "1d"}`.
            limit: How many traces to read of each at most, the newest.

        Raises:
            UnsupportedQuery: No trace matches one of them, some match both, or this source cannot answer the question.
            MissingExtra: scipy is not installed.
        """
        from otel_mas.api.queries import compare

        return compare(self._port, query_of(before, limit), query_of(after, limit))

    def diff(
        self,
        *,
        before: Filters,
        after: Filters,
        limit: int = MOST_TRACES,
        against: Queryable | None = None,
        ratio: float = 1.25,
        least: str | float = "20ms",
        least_usd: float = 0.000_01,
    ) -> SetDiff:
        """Two sets of runs step by step: which steps are in what share of each, what they took, cost and answered.

        Steps are aligned by their labels. Of two single runs ask `Trace.diff`, which aligns by content, too.

        Args:
            before, after: Filters of `traces`: `{"attribute": {"service.version": "1.1"}}`, `{"since": "1d"}`.
            limit: How many traces to read of each at most, the newest.
            against: The source of the runs after, where it is another one.
            ratio, least, least_usd: As of `Trace.diff`, of medians; what is less counts as the same.

        Raises:
            UnsupportedQuery: No trace matches one of them, some match both, or a source cannot answer the question.
            MissingExtra: scipy is not installed.
        """
        from otel_mas.api.diff import limits_of
        from otel_mas.api.set_diff import diff_sets

        other = self if against is None else against
        if not isinstance(other, Queryable):
            raise TypeError(f"against is {against!r}: it must be a source, as otel_mas.open gives it")
        limits = limits_of(ratio, least, least_usd)
        return diff_sets(self._port, query_of(before, limit), other._port, query_of(after, limit), limits)

    def topology(
        self, *, workflow: str | None = None, limit: int = MOST_TRACES, **filters: Unpack[Filters]
    ) -> Topology:
        """Mine the topology that the runs took: who triggers, sends to, hands off to, calls, uses or reads whom.

        An edge is counted by its kind and provenance, with its share of the runs, its probability after the cause, the
        wait, and duration, errors, tokens and cost of what it led to. `nodes` of the answer has the same by node.

        Args:
            workflow: Only runs of the workflow or agent of this name.
            limit: How many traces to read at most, the newest.
            filters: As for `traces`.

        Raises:
            UnsupportedQuery: A value means nothing, or this source cannot answer the question.
        """
        from otel_mas.api.mined import find_topology

        return find_topology(self._port, query_of(filters, limit), workflow)

    def variants(
        self,
        *,
        workflow: str | None = None,
        loops: bool = False,
        limit: int = MOST_TRACES,
        **filters: Unpack[Filters],
    ) -> Variants:
        """Group the runs of each workflow by structure, the most frequent first, with what is other in each.

        Args:
            workflow: Only runs of the workflow or agent of this name.
            loops: Tell runs apart by how often each task ran; else an edge counts once however often it was taken.
            limit: How many traces to read at most, the newest.
            filters: As for `traces`.

        Raises:
            UnsupportedQuery: A value means nothing, or this source cannot answer the question.
        """
        from otel_mas.api.mined import find_variants

        return find_variants(self._port, query_of(filters, limit), workflow, loops=loops)

    def rare_paths(
        self,
        *,
        below: float = 0.05,
        workflow: str | None = None,
        limit: int = MOST_TRACES,
        **filters: Unpack[Filters],
    ) -> RarePaths:
        """Find the edges and variants that few runs of a workflow take, each with these runs, the rarest first.

        Args:
            below: The share of a workflow's runs from which on a path is not rare, 0 to 1.
            workflow: Only runs of the workflow or agent of this name.
            limit: How many traces to read at most, the newest.
            filters: As for `traces`.

        Raises:
            UnsupportedQuery: A value means nothing, or this source cannot answer the question.
        """
        from otel_mas.api.mined import find_rare_paths

        share = arguments.optional_number("below", below)
        return find_rare_paths(self._port, query_of(filters, limit), workflow, share)

    def hot_spots(
        self, *, workflow: str | None = None, limit: int = MOST_TRACES, **filters: Unpack[Filters]
    ) -> HotSpots:
        """Find where the time, the cost and the errors of the runs concentrate: the most self time first.

        Args:
            workflow: Only runs of the workflow or agent of this name.
            limit: How many traces to read at most, the newest.
            filters: As for `traces`.

        Raises:
            UnsupportedQuery: A value means nothing, or this source cannot answer the question.
        """
        from otel_mas.api.mined import find_hot_spots

        return find_hot_spots(self._port, query_of(filters, limit), workflow)
