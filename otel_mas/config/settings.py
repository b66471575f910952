"""Every setting of otel-mas: environment variable, type, default and meaning, as the fields of one dataclass."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args

from otel_mas.config import hosts, parse, patterns, personal, thresholds
from otel_mas.config.limits import Limits, checked_limits, parse_limits
from otel_mas.config.setting import Setting, setting
from otel_mas.errors import ConfigError

Content = Literal["full", "redacted", "none"]
Capture = Literal["NO_CONTENT", "SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT"]

_CONTENT, _CAPTURE = parse.choice(*get_args(Content)), parse.choice(*get_args(Capture))
OWN = "own"
"""`model_spans` where they are ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of this process, made by `Settings.from_env()`: what code or the command line gives goes first.

    `content` is None where nobody chose; the way in then decides. `redact_function` is given in code only: it gets the
    path and the text of each value, and returns the text to store, or None to remove it.
    """

    enabled: bool = setting(
        True,
        "OTEL_MAS_ENABLED",
        "boolean",
        parse.boolean,
        "Off: nothing is patched, no thread, no file.",
        also=Setting(
            "OTEL_SDK_DISABLED",
            "boolean",
            parse.not_disabled,
            "OpenTelemetry's own switch: `true` turns otel-mas off as well.",
            shown="false",
        ),
    )
    store: str = setting(
        "",
        "OTEL_MAS_STORE",
        "path",
        parse.path,
        "The file that runs are recorded into and read from.",
        shown="${XDG_DATA_HOME:-~/.local/share}/otel-mas/runs.db",
    )
    content: Content | None = setting(  # noqa: RUF009
        None,
        "OTEL_MAS_CONTENT",
        "full, redacted or none",
        _CONTENT,
        "What is kept of messages, tool calls and exceptions: all, all without secrets, or nothing.",
        shown="redacted where you ask for recording (`otel-mas run`, `otel_mas.instrument()`) or for content on spans, "
        "else none",
    )
    redact_patterns: tuple[str, ...] = setting(
        (),
        "OTEL_MAS_REDACT_PATTERNS",
        "a regular expression, or @FILE with one on each line",
        patterns.patterns,
        "More of what is taken out as secret: each match, or what its group `secret` matches.",
        shown="not set",
        secret=True,
        items=patterns.checked_patterns,
    )
    redact_keys: tuple[str, ...] = setting(
        (),
        "OTEL_MAS_REDACT_KEYS",
        "names, with commas between",
        patterns.names,
        "More names under which all is secret, in keys, attributes and `name=value`: `iban` is in `customerIban`.",
        shown="not set",
        items=patterns.checked_names,
    )
    personal_data: tuple[str, ...] = setting(
        (),
        "OTEL_MAS_PERSONAL_DATA",
        "off, all, or some of email, phone, card, iban, ip, national_id, with commas between",
        personal.kinds,
        "Personal data to take out of everything that is stored, beside secrets ([privacy.md](privacy.md)). All kinds "
        f"but `email` and `ip` need the extra `{personal.EXTRA}`.",
        shown="off",
        items=personal.checked_kinds,
    )
    phone_regions: tuple[str, ...] = setting(
        ("US",),
        "OTEL_MAS_PHONE_REGIONS",
        "codes of countries (ISO 3166) with commas between, or none",
        personal.regions,
        "Countries whose national form of phone numbers is looked for; numbers with `+` are found for all countries.",
        shown="US",
        items=personal.checked_regions,
    )
    remove_paths: tuple[str, ...] = setting(
        (),
        "OTEL_MAS_REMOVE_PATHS",
        "paths, with commas between",
        personal.paths,
        "What is always removed: `gen_ai.tool.call.arguments.customer.*`, `**.address`, `tool:send_mail.body`.",
        shown="not set",
        items=personal.checked_paths,
    )
    keep_paths: tuple[str, ...] = setting(
        (),
        "OTEL_MAS_KEEP_PATHS",
        "paths, with commas between",
        personal.paths,
        "What removal of personal data never touches. Secrets still go.",
        shown="not set",
        items=personal.checked_paths,
    )
    redact_function: Callable[[str, str], str | None] | None = field(default=None, metadata={"rows": ()})
    digest_key: bytes | None = setting(
        None,
        "OTEL_MAS_DIGEST_KEY",
        "64 hex digits",
        parse.digest_key,
        "The key of message digests. Give services the same one to see who read what across them.",
        shown="random per store",
        secret=True,
    )
    max_store_bytes: int = setting(
        2**30,
        "OTEL_MAS_MAX_STORE_BYTES",
        "size",
        parse.size,
        "Above this size the oldest finished traces are deleted.",
        shown="1GiB",
    )
    max_age_days: float = setting(
        30.0,
        "OTEL_MAS_MAX_AGE",
        "days, or hours like 12h",
        parse.days,
        "Finished traces older than this are deleted.",
        shown="30d",
    )
    record_unsampled: bool = setting(
        True,
        "OTEL_MAS_RECORD_UNSAMPLED",
        "boolean",
        parse.boolean,
        "Record locally what the sampler would drop, where the tracer provider is ours.",
    )
    log_level: int | None = setting(
        None,
        "OTEL_MAS_LOG_LEVEL",
        "off, debug, info, warning, error, critical, or a number",
        parse.log_level,
        "From which level on log records of the app are kept with their span ([logging.md](logging.md)), where "
        "content is kept. `off`: the logging libraries are not touched.",
        shown="warning where you ask for recording (`otel-mas run`, `otel_mas.instrument()`), else off",
    )
    baggage_hosts: tuple[str, ...] = setting(
        (hosts.LOOPBACK,),
        "OTEL_MAS_BAGGAGE_HOSTS",
        "hosts with commas between, `loopback`, `*` for all, or none",
        hosts.hosts,
        "Who is sent the ids of users, sessions, conversations and the like with requests, as OpenTelemetry's baggage "
        "([propagation.md](propagation.md)): `agents.example.org`, `*.example.org`, `10.0.0.0/8`.",
        shown="loopback",
        items=hosts.checked_hosts,
    )
    queue_spans: int = setting(
        65536,
        "OTEL_MAS_QUEUE_SPANS",
        "number",
        parse.count,
        "How many spans may wait to be written. A full queue drops, counts and says so.",
    )
    queue_bytes: int = setting(
        64 * 2**20,
        "OTEL_MAS_QUEUE_BYTES",
        "size",
        parse.size,
        "How many bytes of spans and content may wait to be written.",
        shown="64MiB",
    )
    flush_interval_ms: int = setting(
        50,
        "OTEL_MAS_FLUSH_INTERVAL_MS",
        "milliseconds",
        parse.count,
        "How long a span waits for others before its batch is written; up to five times as long while many spans end.",
    )
    exit_timeout_s: float = setting(
        5.0,
        "OTEL_MAS_EXIT_TIMEOUT",
        "seconds",
        parse.seconds,
        "How long the process's exit may be held up to write what still waits. For spans it is CPU time: "
        "they are written on a loaded machine, too, at most 10 s later. Ctrl-C twice ends it at once.",
        shown="5s",
    )
    metrics: bool = setting(
        True,
        "OTEL_MAS_METRICS",
        "true or false",
        parse.boolean,
        "Whether the app's process measures its runs by OpenTelemetry's metrics API (docs/metrics.md). Without a "
        "MeterProvider of the app's nothing is measured.",
    )
    metrics_max_labels: int = setting(
        100,
        "OTEL_MAS_METRICS_MAX_LABELS",
        "number",
        parse.count,
        "How many values a label of a metric may have. Later ones become `other`, and are counted.",
    )
    metrics_namespace: str = setting(
        "",
        "OTEL_MAS_METRICS_NAMESPACE",
        "letters, digits and _",
        parse.metric_namespace,
        "The beginning of metrics' names, before a _, where `otel-mas serve` and `otel-mas metrics` write them for "
        "Prometheus.",
        shown="not set",
    )
    input_timeout_s: float | None = setting(
        None,
        "OTEL_MAS_INPUT_TIMEOUT",
        "seconds, or minutes, hours, days like 30m, 12h, 2d",
        parse.duration,
        "How long a person may take to answer what a paused task asks; later, it is shown as overdue. Where runs are "
        "recorded it is noted with each question, where they are read it is for those without.",
        shown="not set",
    )
    thresholds: thresholds.Thresholds = setting(  # noqa: RUF009
        thresholds.Thresholds(),
        "OTEL_MAS_THRESHOLDS",
        "name=number, with commas between",
        thresholds.parse,
        "From where on findings count something as wrong: [findings.md](findings.md) has the names and defaults.",
        shown="not set",
    )
    quiet_after_s: float = setting(
        30.0,
        "OTEL_MAS_QUIET_AFTER",
        "seconds, or minutes, hours, days like 5m",
        parse.duration,
        "How long after its last record `otel-mas attach` analyses a run that is still open.",
        shown="30s",
    )
    event_loop_lag: bool = setting(
        True,
        "OTEL_MAS_EVENT_LOOP_LAG",
        "boolean",
        parse.boolean,
        "Record on the spans of tasks and runs for how long their event loop was blocked meanwhile.",
    )
    simulated_cost: bool = setting(
        False,
        "OTEL_MAS_SIMULATED_COST",
        "boolean",
        parse.boolean,
        "Mark costs as simulated: the model is a stand-in and nobody is charged.",
    )
    model_spans: str = setting(
        OWN,
        "OTEL_MAS_MODEL_SPANS",
        "own, or an instrumentation scope",
        str,
        "Whose spans tell of model calls. With the scope of another instrumentation, such as "
        "`openinference.instrumentation.openai`, we make none, and its spans get their kind, cost and agent here.",
    )
    faults: str | None = setting(
        None,
        "OTEL_MAS_FAULTS",
        "off, or faults with semicolons between",
        str,
        "Faults to inject for practice ([faults.md](faults.md)) where you ask for recording, as in "
        "`tool_error:tool=search;model_slow:delay=2s`. `off`: injection is refused, whoever asks for it.",
        shown="not set",
    )
    fault_seed: int = setting(
        0,
        "OTEL_MAS_FAULT_SEED",
        "number",
        parse.integer,
        "The seed of what the injected faults decide and change.",
    )
    budgets: tuple[Limits, ...] = setting(
        (),
        "OTEL_MAS_BUDGETS",
        "off, or limits with commas between, of several budgets with semicolons between",
        parse_limits,
        "The most that may be spent before `BudgetExceeded` is raised ([budgets.md](budgets.md)), as in "
        "`usd=0.50,tokens=20000;usd=5,per=user,every=day`.",
        shown="off",
        items=checked_limits,
    )
    replay: str | None = setting(
        None,
        "OTEL_MAS_REPLAY",
        "trace",
        str,
        "The recorded run that answers what this process calls: a file with one run, or `TRACE` or `thread:THREAD` of "
        "OTEL_MAS_REPLAY_FROM. Set by `otel-mas replay`.",
        shown="not set",
    )
    replay_from: str | None = setting(
        None,
        "OTEL_MAS_REPLAY_FROM",
        "source",
        str,
        "Where that run is read from: as `--from` of the commands that read.",
        shown="the store",
    )
    replay_live: tuple[str, ...] = setting(
        (),
        "OTEL_MAS_REPLAY_LIVE",
        "names",
        patterns.names,
        "What a replay really calls: `models`, `tools`, `retrievers`, or names of agents or nodes, with commas.",
        shown="nothing",
        items=patterns.checked_names,
    )
    replay_on_miss: str = setting(
        "error",
        "OTEL_MAS_REPLAY_ON_MISS",
        "`error`, `live` or `nearest`",
        parse.choice("error", "live", "nearest"),
        "What a replay does with a call that the recording has no answer for: it fails, is really made, or is answered "
        "as the most similar recorded request was.",
    )
    replay_timing: bool = setting(
        False,
        "OTEL_MAS_REPLAY_TIMING",
        "boolean",
        parse.boolean,
        "Answers of a replay take as long as they took when they were recorded, chunks of a stream too.",
    )
    replay_freeze: bool = setting(
        False,
        "OTEL_MAS_REPLAY_FREEZE",
        "boolean",
        parse.boolean,
        "In a replay the clock stands at the start of the recorded run, and random numbers and UUIDs are the same in "
        "each replay of it. Needs the extra `replay`.",
    )
    replay_changes: tuple[str, ...] = setting(
        (),
        "OTEL_MAS_REPLAY_CHANGES",
        "a JSON array of texts",
        parse.texts,
        'What a replay changes, each as `otel-mas replay --change` takes it: `["researcher#1/model#2=14 stops"]`.',
        shown="nothing",
        items=parse.checked_texts,
    )
    replay_from_task: str | None = setting(
        None,
        "OTEL_MAS_REPLAY_FROM_TASK",
        "label of a task",
        str,
        "The task that a replayed segment begins with: it and its causal descendants run again.",
        shown="not set",
    )
    replay_to_task: str | None = setting(
        None,
        "OTEL_MAS_REPLAY_TO_TASK",
        "label of a task",
        str,
        "The task that a replayed segment ends with: the replay stops at the first call that depends on it.",
        shown="not set",
    )
    replay_stub: str | None = setting(
        None,
        "OTEL_MAS_REPLAY_STUB",
        "module:name",
        str,
        "A chat model or function that answers calls which depend on what a replay changes.",
        shown="not set",
    )
    replay_reference: str | None = setting(
        None,
        "OTEL_MAS_REPLAY_REFERENCE",
        "trace",
        str,
        "A second run in the same source, which answers calls that depend on what a replay changes.",
        shown="not set",
    )
    replay_volatile: tuple[str, ...] = setting(
        (),
        "OTEL_MAS_REPLAY_VOLATILE",
        "a regular expression, or @FILE with one on each line",
        patterns.patterns,
        "What in requests differs from run to run, beyond ids and dates: a replay takes every match for the same. "
        "`@FILE` has one expression on each line.",
        shown="nothing",
        items=patterns.checked_patterns,
    )
    run_id: str | None = setting(
        None,
        "OTEL_MAS_RUN_ID",
        "text",
        str,
        "The run that this process belongs to. Set by `otel-mas run` for its child processes.",
        shown="not set",
    )
    strict: bool = setting(
        False,
        "OTEL_MAS_STRICT",
        "boolean",
        parse.boolean,
        "Errors inside otel-mas are raised into the app, not logged. For otel-mas's own tests.",
    )
    receive_request_bytes: int = setting(
        16 * 2**20,
        "OTEL_MAS_RECEIVE_REQUEST_BYTES",
        "size",
        parse.size,
        "`otel-mas serve`: size of a request of OTLP at most, without its compression.",
        shown="16MiB",
    )
    receive_queue_bytes: int = setting(
        32 * 2**20,
        "OTEL_MAS_RECEIVE_QUEUE_BYTES",
        "size",
        parse.size,
        "`otel-mas serve`: size of all requests that wait for their commit; beyond it clients are asked to wait.",
        shown="32MiB",
    )
    receive_timeout_s: float = setting(
        20.0,
        "OTEL_MAS_RECEIVE_TIMEOUT",
        "seconds",
        parse.positive_seconds,
        "`otel-mas serve`: how long a request may take to arrive.",
        shown="20",
    )
    receive_may_ship: bool = setting(
        False,
        "OTEL_MAS_RECEIVE_MAY_SHIP",
        "boolean",
        parse.boolean,
        "`otel-mas serve`: whether received spans may leave this machine, by `otel-mas ship` and the like.",
        shown="false",
    )
    alerts: str | None = setting(
        None,
        "OTEL_MAS_ALERTS",
        "path, or `default`",
        str,
        "The file of alert rules ([alerts.md](alerts.md)), or `default` for the built-in ones alone. `otel-mas serve` "
        "holds them against its store and tells the receivers of the file; without it, it does not.",
        shown="not set",
    )
    alerts_interval_s: float = setting(
        60.0,
        "OTEL_MAS_ALERTS_INTERVAL",
        "seconds, or minutes, hours, days like 5m",
        parse.duration,
        "`otel-mas serve`: time between two evaluations of the alert rules.",
        shown="60s",
    )
    export: tuple[str, ...] = setting(
        (),
        "OTEL_MAS_EXPORT",
        "destinations",
        parse.destinations,
        "Where this process ships its store to: `otlp` (with the standard `OTEL_EXPORTER_OTLP_*`), `otlp:URL`, `file`, "
        "`file:PATH`; several with commas.",
        shown="off",
    )
    archive_file_bytes: int = setting(
        64 * 2**20,
        "OTEL_MAS_ARCHIVE_FILE_SIZE",
        "size",
        parse.size,
        "Size at which a file that is shipped to is full: it is gzipped, and the next one begins.",
        shown="64MiB",
    )
    source_headers: tuple[tuple[str, str], ...] = setting(
        (),
        "OTEL_MAS_SOURCE_HEADERS",
        "name=value pairs",
        parse.headers,
        "Headers for servers that traces are read from: tokens, tenants. Comma-separated, values URL-encoded.",
        shown="not set",
        secret=True,
    )
    source_certificate: str | None = setting(
        None,
        "OTEL_MAS_SOURCE_CERTIFICATE",
        "path",
        parse.path,
        "Certificates (PEM) to trust instead of the system's, when traces are read over TLS.",
        shown="not set",
    )
    source_timeout_s: float = setting(
        30.0,
        "OTEL_MAS_SOURCE_TIMEOUT",
        "seconds",
        parse.positive_seconds,
        "How long to wait for an answer of a server that traces are read from.",
        shown="30s",
    )
    capture_message_content: Capture = setting(  # noqa: RUF009
        "NO_CONTENT",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
        "NO_CONTENT, SPAN_ONLY, EVENT_ONLY or SPAN_AND_EVENT",
        _CAPTURE,
        "OpenTelemetry's own switch. With `SPAN_ONLY` or `SPAN_AND_EVENT` the content that the store keeps leaves with "
        "the spans that otel-mas ships and exports: messages, tool calls, retrievals, exceptions. On spans that the "
        "app's own exporters get are exceptions only. `EVENT_ONLY` and `SPAN_AND_EVENT` let it leave with log records.",
    )
    content_attribute_bytes: int = setting(
        32 * 2**10,
        "OTEL_MAS_CONTENT_ATTRIBUTE_BYTES",
        "size",
        parse.size,
        "How large one attribute with content may be where content leaves; more is cut, and says so. Tempo cuts at "
        "2048 bytes by itself unless its `max_attribute_bytes` is raised; Jaeger on badger refuses 65,000.",
        shown="32KiB",
    )

    @property
    def content_may_leave(self) -> bool:
        """Whether spans that leave this machine may hold content. EVENT_ONLY asks for it on events that are logs."""
        return self.capture_message_content in ("SPAN_ONLY", "SPAN_AND_EVENT")

    @property
    def shipped_content(self) -> int:
        """Bytes of each attribute with content that leaves along with spans; 0 where none may leave."""
        return self.content_attribute_bytes if self.content_may_leave else 0

    @property
    def removes(self) -> bool:
        """Whether more than secrets is taken out of what is stored."""
        return bool(self.personal_data or self.remove_paths or self.redact_function)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
        """Read the settings.

        Args:
            environ: variables to read; the process's own by default. An empty one counts as not set.
            overrides: fields by name. Text is read as it would be in the environment; None counts as not given.
                Nothing overrides OTEL_SDK_DISABLED=true or OTEL_MAS_ENABLED=false: off means off.

        Raises:
            ConfigError: naming every invalid setting at once.
        """
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {"store": default_store(environ)}
        problems: list[str] = []
        switches: list[Any] = []
        for row in SETTINGS:
            given = environ.get(row.env, "").strip()
            if not given:
                continue
            value = row.parsed(given, row.env, problems)
            if row.field == "enabled":
                switches.append(value)
            else:
                values[row.field] = value
        for name, given in overrides.items():
            if given is not None:
                values[name] = _override(name, given, problems)
        switches.append(values.pop("enabled", None))
        if problems:
            raise ConfigError(*problems)
        settings = cls(enabled=all(switch is not False for switch in switches), **values)
        if settings.content == "full" and settings.removes:
            raise ConfigError(
                "content is 'full', which stores everything as it is; personal data is removed where it is 'redacted'"
            )
        if settings.content is None and settings.content_may_leave:  # content on spans has to be recorded first
            return replace(settings, content="redacted")
        return settings


SETTINGS = tuple(
    replace(row, field=one.name, default=one.default) for one in fields(Settings) for row in one.metadata["rows"]
)
_BY_FIELD = {row.field: row for row in reversed(SETTINGS)}


def default_store(environ: Mapping[str, str]) -> str:
    """The store's place where none is set, by the XDG base directories."""
    data = environ.get("XDG_DATA_HOME", "")
    if not os.path.isabs(data):  # the XDG specification: a relative path is invalid and to be ignored
        data = os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".local", "share")
    return os.path.join(data, "otel-mas", "runs.db")


def _override(name: str, given: Any, problems: list[str]) -> Any:
    if name == "redact_function":  # code alone can give one
        if not callable(given):
            problems.append(f"{name} is {given!r}; it must be a function of a path and a text")
        return given
    row = _BY_FIELD.get(name)
    if row is None:
        problems.append(f"there is no setting {name!r}; there are {', '.join(_BY_FIELD)}")
        return None
    if isinstance(given, os.PathLike):
        given = os.fspath(given)
    return row.parsed(given, name, problems) if isinstance(given, str) else row.checked(given, name, problems)
