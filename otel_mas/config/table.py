"""The table of settings, from which the documentation is generated and the environment is read."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from otel_mas.config import parse, patterns

Content = Literal["full", "redacted", "none"]
Capture = Literal["NO_CONTENT", "SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table.

    Args:
        env: the environment variable.
        field: the attribute of `Settings` that it sets.
        type: what the value looks like, for people.
        default: the value where nothing is set; of the field's own type.
        meaning: what it does, in a sentence.
        parse: text → value; raises ValueError saying what it would have taken.
        shown: the default as people would write it, where that differs from `default`.
        secret: its value is never repeated in a message.
        items: checks a list that code gives in place of text; raises as `parse` does.
    """

    env: str
    field: str
    type: str
    default: Any
    meaning: str
    parse: Callable[[str], Any]
    shown: str = ""
    secret: bool = False
    items: Callable[[Sequence[str]], tuple[str, ...]] | None = None


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "OTEL_MAS_ENABLED", "enabled", "boolean", True, "Off: nothing is patched, no thread, no file.", parse.boolean
    ),
    Setting(
        "OTEL_SDK_DISABLED",
        "enabled",
        "boolean",
        True,
        "OpenTelemetry's own switch: `true` turns otel-mas off as well.",
        parse.sdk_disabled_means_not_enabled,
        shown="false",
    ),
    Setting(
        "OTEL_MAS_STORE",
        "store",
        "path",
        "",
        "The file that runs are recorded into and read from.",
        parse.path,
        shown="${XDG_DATA_HOME:-~/.local/share}/otel-mas/runs.db",
    ),
    Setting(
        "OTEL_MAS_CONTENT",
        "content",
        "full, redacted or none",
        None,
        "What is kept of messages, tool calls and exceptions: all, all without secrets, or nothing.",
        parse.one_of(*get_args(Content)),
        shown="redacted where you ask for recording (`otel-mas run`, `otel_mas.instrument()`) or for content on spans, "
        "else none",
    ),
    Setting(
        "OTEL_MAS_REDACT_PATTERNS",
        "redact_patterns",
        "a regular expression, or @FILE with one on each line",
        (),
        "More of what is taken out as secret: each match, or what its group `secret` matches.",
        patterns.patterns,
        shown="not set",
        secret=True,
        items=patterns.checked_patterns,
    ),
    Setting(
        "OTEL_MAS_REDACT_KEYS",
        "redact_keys",
        "names, with commas between",
        (),
        "More names under which all is secret, in keys, attributes and `name=value`: `iban` is in `customerIban`.",
        patterns.names,
        shown="not set",
        items=patterns.checked_names,
    ),
    Setting(
        "OTEL_MAS_DIGEST_KEY",
        "digest_key",
        "64 hex digits",
        None,
        "The key of message digests. Give services the same one to see who read what across them.",
        parse.digest_key,
        shown="random per store",
        secret=True,
    ),
    Setting(
        "OTEL_MAS_MAX_STORE_BYTES",
        "max_store_bytes",
        "size",
        2**30,
        "Above this size the oldest finished traces are deleted.",
        parse.size,
        shown="1GiB",
    ),
    Setting(
        "OTEL_MAS_MAX_AGE",
        "max_age_days",
        "days, or hours like 12h",
        30.0,
        "Finished traces older than this are deleted.",
        parse.days,
        shown="30d",
    ),
    Setting(
        "OTEL_MAS_RECORD_UNSAMPLED",
        "record_unsampled",
        "boolean",
        True,
        "Record locally what the sampler would drop, where the tracer provider is ours.",
        parse.boolean,
    ),
    Setting(
        "OTEL_MAS_QUEUE_SPANS",
        "queue_spans",
        "number",
        65536,
        "How many spans may wait to be written. A full queue drops, counts and says so.",
        parse.count,
    ),
    Setting(
        "OTEL_MAS_QUEUE_BYTES",
        "queue_bytes",
        "size",
        64 * 2**20,
        "How many bytes of spans and content may wait to be written.",
        parse.size,
        shown="64MiB",
    ),
    Setting(
        "OTEL_MAS_FLUSH_INTERVAL_MS",
        "flush_interval_ms",
        "milliseconds",
        50,
        "How long a span waits for others before its batch is written; up to five times as long while many spans end.",
        parse.count,
    ),
    Setting(
        "OTEL_MAS_EXIT_TIMEOUT",
        "exit_timeout_s",
        "seconds",
        5.0,
        "How long the process's exit may be held up to write what still waits. Ctrl-C twice ends it at once.",
        parse.seconds,
        shown="5s",
    ),
    Setting(
        "OTEL_MAS_INPUT_TIMEOUT",
        "input_timeout_s",
        "seconds, or minutes, hours, days like 30m, 12h, 2d",
        None,
        "How long a person may take to answer what a paused task asks; later, it is shown as overdue. Where runs are "
        "recorded it is noted with each question, where they are read it is for those without.",
        parse.some_time,
        shown="not set",
    ),
    Setting(
        "OTEL_MAS_SIMULATED_COST",
        "simulated_cost",
        "boolean",
        False,
        "Mark costs as simulated: the model is a stand-in and nobody is charged.",
        parse.boolean,
    ),
    Setting(
        "OTEL_MAS_MODEL_SPANS",
        "model_spans",
        "own, or an instrumentation scope",
        "own",
        "Whose spans tell of model calls. With the scope of another instrumentation, such as "
        "`openinference.instrumentation.openai`, we make none, and its spans get their kind, cost and agent here.",
        parse.text_as_is,
    ),
    Setting(
        "OTEL_MAS_RUN_ID",
        "run_id",
        "text",
        None,
        "The run that this process belongs to. Set by `otel-mas run` for its child processes.",
        parse.text_as_is,
        shown="not set",
    ),
    Setting(
        "OTEL_MAS_STRICT",
        "strict",
        "boolean",
        False,
        "Errors inside otel-mas are raised into the app, not logged. For otel-mas's own tests.",
        parse.boolean,
    ),
    Setting(
        "OTEL_MAS_EXPORT",
        "export",
        "destinations",
        (),
        "Where this process ships its store to: `otlp` (with the standard `OTEL_EXPORTER_OTLP_*`), `otlp:URL`, `file`, "
        "`file:PATH`; several with commas.",
        parse.destinations,
        shown="off",
    ),
    Setting(
        "OTEL_MAS_ARCHIVE_FILE_SIZE",
        "archive_file_bytes",
        "size",
        64 * 2**20,
        "Size at which a file that is shipped to is full: it is gzipped, and the next one begins.",
        parse.size,
        shown="64MiB",
    ),
    Setting(
        "OTEL_MAS_SOURCE_HEADERS",
        "source_headers",
        "name=value pairs",
        (),
        "Headers for servers that traces are read from: tokens, tenants. Comma-separated, values URL-encoded.",
        parse.headers,
        shown="not set",
        secret=True,
    ),
    Setting(
        "OTEL_MAS_SOURCE_CERTIFICATE",
        "source_certificate",
        "path",
        None,
        "Certificates (PEM) to trust instead of the system's, when traces are read over TLS.",
        parse.path,
        shown="not set",
    ),
    Setting(
        "OTEL_MAS_SOURCE_TIMEOUT",
        "source_timeout_s",
        "seconds",
        30.0,
        "How long to wait for an answer of a server that traces are read from.",
        parse.some_seconds,
        shown="30s",
    ),
    Setting(
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
        "capture_message_content",
        "NO_CONTENT, SPAN_ONLY, EVENT_ONLY or SPAN_AND_EVENT",
        "NO_CONTENT",
        "OpenTelemetry's own switch. With `SPAN_ONLY` or `SPAN_AND_EVENT` the content that the store keeps leaves with "
        "the spans that otel-mas ships and exports: messages, tool calls, retrievals, exceptions. On spans that the "
        "app's own exporters get are exceptions only. `EVENT_ONLY` is as `NO_CONTENT`: otel-mas emits no log events.",
        parse.one_of(*get_args(Capture)),
    ),
    Setting(
        "OTEL_MAS_CONTENT_ATTRIBUTE_BYTES",
        "content_attribute_bytes",
        "size",
        32 * 2**10,
        "How large one attribute with content may be where content leaves; more is cut, and says so. Tempo cuts at "
        "2048 bytes by itself unless its `max_attribute_bytes` is raised; Jaeger on badger refuses 65,000.",
        parse.size,
        shown="32KiB",
    ),
)


def default_store(environ: Mapping[str, str]) -> str:
    """The store's place where none is set, by the XDG base directories."""
    data = environ.get("XDG_DATA_HOME", "")
    if not os.path.isabs(data):  # the XDG specification: a relative path is invalid and to be ignored
        data = os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".local", "share")
    return os.path.join(data, "otel-mas", "runs.db")


def markdown() -> str:
    """The table as the documentation shows it."""
    lines = ["| variable | value | default | what it does |", "|---|---|---|---|"]
    lines.extend(
        f"| `{setting.env}` | {setting.type} | {_shown_default(setting)} | {setting.meaning} |" for setting in SETTINGS
    )
    return "\n".join(lines) + "\n"


def _shown_default(setting: Setting) -> str:
    if setting.shown:
        return setting.shown if " " in setting.shown else f"`{setting.shown}`"  # a sentence, or a value
    return f"`{str(setting.default).lower() if isinstance(setting.default, bool) else setting.default}`"
