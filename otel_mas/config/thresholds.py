"""Thresholds of findings and of health: from where on something counts as wrong, with the reason for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from otel_mas.errors import ConfigError, arguments
from otel_mas.errors.similar import did_you_mean


def _threshold(default: float, meaning: str, reason: str) -> Any:
    return field(default=default, metadata={"meaning": meaning, "reason": reason})


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Thresholds by name; all are numbers, counts are whole."""

    context_window_share: float = _threshold(
        0.8,
        "share of a model's context window that the input of a call takes",
        "beyond that there is hardly room for the answer and the next turn, and models overlook what is in the middle",
    )
    rate_limit_wait_s: float = _threshold(
        1.0,
        "seconds lost to a rate limit by one agent and model, from which on it is a warning",
        "a single backoff of providers' clients is shorter",
    )
    repeated_steps: int = _threshold(
        3,
        "model calls of one agent with nothing new to read and the same answer, from which on it is a repetition",
        "twice may be a check; the third says that the loop does not end by itself",
    )
    retry_storm_calls: int = _threshold(
        5,
        "failed tries of the same call in a row, from which on they are a storm",
        "LangGraph's RetryPolicy, with_retry and providers' clients make three; more come of retries within retries",
    )
    tool_loop_calls: int = _threshold(
        3,
        "calls of a tool by one agent with the same arguments and the same result, from which on it is a loop",
        "twice is a check, or a retry that the app did itself; the third adds nothing",
    )
    disagreement_tolerance: float = _threshold(
        0.05,
        "part of a number by which another one has to differ to contradict it",
        "estimates of the same thing differ by a few per cent",
    )
    stacking_share: float = _threshold(
        0.1, "part of its run that work side by side has to save", "less is not worth another shape of the graph"
    )
    stacking_seconds: float = _threshold(
        0.2, "seconds that work side by side has to save", "nobody notices less, and threads have their price"
    )
    budget_usd: float = _threshold(
        0.0, "US dollars that a trace may cost; 0 for no budget", "only you know what a run is worth"
    )
    budget_tokens: int = _threshold(
        0, "input and output tokens that a trace may use; 0 for no budget", "only you know what a run is worth"
    )
    budget_seconds: float = _threshold(
        0.0, "seconds that a trace may take; 0 for no budget", "only you know how long people wait"
    )
    growth_steps: int = _threshold(
        6,
        "calls or writes in a row, each larger than the one before, that are growth",
        "a few turns of an agent with tools add to what it reads, and end",
    )
    growth_factor: float = _threshold(
        4.0, "times as large as at first, from where on it is growth", "a prompt that doubles once is ordinary work"
    )
    token_growth_tokens: int = _threshold(
        8_000,
        "input tokens of the largest of growing calls, from which on they are growth",
        "below that a call costs little whatever it reads",
    )
    memory_growth_size: int = _threshold(
        100_000,
        "characters of a growing channel, from which on it is growth",
        "LangGraph saves a channel in each checkpoint after a write; below that it is hardly noticed",
    )
    modality_p: float = _threshold(
        0.01,
        "chance of a difference as great as that between failures with a modality and without, below which it is told",
        "one false alarm in a hundred runs that have failures",
    )
    stalled_after_s: float = _threshold(
        600.0,
        "seconds in which nothing began or ended in an open run, from which on it is stalled",
        "models and their clients give up after 10 minutes by default; what takes longer is worth a look",
    )
    deadlock_after_s: float = _threshold(
        60.0,
        "seconds for which agents of an open run have waited for one another, from which on it is a deadlock",
        "messages on their way look the same for a moment",
    )
    handoff_loop_rounds: int = _threshold(
        3,
        "times that the same agents hand over to each other in turn without anything new, from which on it is a loop",
        "once is a question and its answer, twice a second look; the third adds nothing",
    )
    contention_calls: int = _threshold(
        12,
        "calls of one operation, below which it is not told whether its durations grow with concurrency",
        "with 12 pairs a rank correlation of 0.8 comes by chance once in 500 times",
    )
    contention_growth: float = _threshold(
        2.0,
        "how many times as long calls take with many others at once as with few, from which on it is contention",
        "less is within what caches, batches and networks do",
    )

    health_degraded_share: float = _threshold(
        0.1,
        "share of an agent's tasks, or of runs, that failed: `degraded`",
        "single failures are dealt with by retries",
    )
    health_unhealthy_share: float = _threshold(
        0.5, "share of an agent's tasks, or of runs, that failed: `unhealthy`", "it fails more often than it works"
    )
    health_p95_s: float = _threshold(
        0.0, "seconds of an agent's P95: `degraded`; 0 for any", "only you know how long people wait"
    )
    health_event_loop_lag_s: float = _threshold(
        0.5, "seconds for which an event loop was blocked: `degraded`", "all other runs of the process stood still"
    )
    health_queue_share: float = _threshold(
        0.8, "share of the queue that is full: `degraded`", "spans are dropped once it is full"
    )
    health_disk_free_share: float = _threshold(
        0.05,
        "share of the store's disk that is free, below which it is `degraded`",
        "SQLite needs room for its journal",
    )

    @classmethod
    def of(cls, given: Mapping[str, float] | Thresholds | None) -> Thresholds:
        """The defaults, but for those given by name.

        Raises:
            ConfigError: There is no such threshold, or the number is below 0, or not whole where it counts.
        """
        if isinstance(given, Thresholds):
            return given
        if given is not None:
            arguments.mapping("thresholds", given, "{'tool_loop_calls': 5}")
        problems: list[str] = []
        chosen: dict[str, Any] = {}
        for name, value in (given or {}).items():
            known = _BY_NAME.get(name)
            if known is None:
                problems.append(f"there is no threshold {name!r}{did_you_mean(name, _BY_NAME)}")
            elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
                problems.append(f"threshold {name} is {value!r}; it must be a number, 0 or more")
            elif isinstance(known.default, int) and value != int(value):
                problems.append(f"threshold {name} is {value!r}; it must be a whole number")
            else:
                chosen[name] = int(value) if isinstance(known.default, int) else float(value)
        if problems:
            raise ConfigError(*problems)
        return cls(**chosen)


_BY_NAME = {one.name: one for one in fields(Thresholds)}
_FORM: Final = "name=number pairs with commas between; docs/findings.md has the names"


def parse(text: str) -> Thresholds:
    """`tool_loop_calls=5,…` as thresholds. Raises ValueError, saying what is wrong."""
    given: dict[str, float] = {}
    for item in filter(None, map(str.strip, text.split(","))):
        name, _, value = item.partition("=")
        try:
            given[name.strip()] = float(value)
        except ValueError:
            raise ValueError(_FORM) from None
    try:
        return Thresholds.of(given)
    except ConfigError as error:
        raise ValueError(f"{_FORM}; {error}") from None


def markdown() -> str:
    """A row for each threshold, for docs/findings.md."""
    lines = ["| threshold | default | from where on | why |", "|---|---|---|---|"]
    lines += [
        f"| `{one.name}` | {one.default} | {one.metadata['meaning']} | {one.metadata['reason']} |"
        for one in fields(Thresholds)
    ]
    return "\n".join(lines) + "\n"


__all__ = ["Thresholds", "markdown", "parse"]
