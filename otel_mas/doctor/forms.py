"""The diagnosis as a JSON document. Its fields are stable: new ones may come, none changes its meaning or goes."""

from __future__ import annotations

from typing import Annotated, TypedDict

# The second part of each Annotated is the field's documentation: docs/cli.md is generated from it.


class FindingForm(TypedDict):
    code: Annotated[str, "which one it is: docs/doctor.md lists all"]
    level: Annotated[str, "ok, note or problem"]
    area: Annotated[str, "settings, environment, recording, store, shipping, reading, serving or privacy"]
    message: Annotated[str, "what was found, for people"]
    fix: Annotated[str, "what to do, for people; empty where there is nothing to do"]


class SettingForm(TypedDict):
    name: Annotated[str, "the environment variable"]
    value: Annotated[str, "as it is in force; secrets are `***`"]
    origin: Annotated[str, "default, environment or command line"]
    valid: Annotated[bool, "whether it can be read"]


class HooksForm(TypedDict):
    checked: Annotated[int, "hooks into LangGraph and LangChain"]
    misfits: Annotated[list[str], "those that do not fit what is installed"]


class EnvironmentForm(TypedDict):
    python: Annotated[str, "the interpreter that was asked"]
    version: Annotated[str, "its version; empty where it did not answer"]
    prefix: Annotated[str, "its environment"]
    packages: Annotated[dict[str, str], "versions of what matters here, by name"]
    hooks: Annotated[HooksForm | None, "null where neither framework nor otel-mas is installed"]


class ExporterForm(TypedDict):
    name: Annotated[str, "of OTEL_TRACES_EXPORTER, or of the distro's default"]
    origin: Annotated[str, "environment, or the package that chooses it"]


class RecordingForm(TypedDict):
    enabled: Annotated[bool, "whether recording is switched on"]
    exporters: Annotated[list[ExporterForm], "which exporters opentelemetry-instrument sets up along with otel-mas"]
    instrumentations: Annotated[list[str], "installed packages that record models or agents too"]
    langsmith: Annotated[bool, "whether LangSmith's own tracing is on"]


class ProcessForm(TypedDict):
    service: Annotated[str, "`service.name`"]
    run_id: Annotated[str | None, "of the `otel-mas run` that it belongs to"]
    heartbeat_ns: Annotated[int, "when it last wrote; nanoseconds since the Unix epoch"]


class HolderForm(TypedDict):
    pid: Annotated[int, "process id"]
    program: Annotated[str, "what it runs, without its arguments"]
    writing: Annotated[bool, "whether it held the write lock at that moment"]


class ShippingForm(TypedDict):
    name: Annotated[str, "the destination, as in `otel-mas ship status`"]
    waiting: Annotated[int, "spans that it has yet to take"]
    behind_ns: Annotated[int, "age of the oldest of them, nanoseconds"]
    shipped: Annotated[int, "spans that it took"]
    rejected: Annotated[int, "spans that it would not take"]
    lost: Annotated[int, "spans that the caps deleted before it had taken them"]
    shipping: Annotated[bool, "whether a process is sending now"]
    error: Annotated[str | None, "why it failed last"]


class StoreForm(TypedDict):
    path: Annotated[str, "the file"]
    origin: Annotated[str, "default, environment or command line"]
    exists: Annotated[bool, "whether there is one"]
    readable: Annotated[bool, "whether it opens"]
    writable: Annotated[bool, "whether this user may record into it"]
    layout: Annotated[int | None, "version of its layout"]
    size_bytes: Annotated[int, "of the file and its journal"]
    used_bytes: Annotated[int | None, "of it in use: what the cap counts"]
    max_bytes: Annotated[int, "the cap: OTEL_MAS_MAX_STORE_BYTES"]
    max_age_days: Annotated[float, "the other cap: OTEL_MAS_MAX_AGE"]
    free_bytes: Annotated[int | None, "free on that disk"]
    mode: Annotated[str | None, "permissions of the file, octal"]
    traces: Annotated[int | None, "how many traces"]
    spans: Annotated[int | None, "how many spans that ended"]
    oldest_ns: Annotated[int | None, "start of the oldest trace; nanoseconds since the Unix epoch"]
    newest_ns: Annotated[int | None, "start of the newest trace; nanoseconds since the Unix epoch"]
    incomplete: Annotated[int | None, "traces of which something is known to be missing"]
    dropped: Annotated[int | None, "spans that were dropped"]
    withheld: Annotated[int | None, "contents that were withheld"]
    redacted: Annotated[dict[str, int] | None, "secrets and personal data that were taken out, by rule or kind"]
    checked: Annotated[bool, "whether all of the file was looked at for damage in the time there was"]
    writing: Annotated[list[ProcessForm], "processes that are recording now"]
    died: Annotated[list[ProcessForm], "processes that stopped without an orderly exit"]
    shipping: Annotated[list[ShippingForm], "how far each destination of its log is"]
    open_by: Annotated[list[HolderForm], "processes that have it open, as far as the system says (Linux)"]


class DestinationForm(TypedDict):
    sender: Annotated[str, "who sends there: otel-mas, or the app by an exporter of its own"]
    endpoint: Annotated[str, "where to, without passwords"]
    origin: Annotated[str, "the variable that says so"]
    protocol: Annotated[str, "grpc or http/protobuf"]
    tls: Annotated[bool, "whether encrypted"]
    loopback: Annotated[bool, "whether that is this machine"]
    headers: Annotated[list[str], "names of the headers that are sent"]
    usable: Annotated[bool, "whether it is an address that requests can be sent to"]
    reachable: Annotated[bool | None, "whether it took an empty request; null where that was not tried"]
    took_ms: Annotated[float | None, "how long its answer took, in milliseconds"]


class SourceForm(TypedDict):
    source: Annotated[str, "as given with --from, without passwords"]
    reachable: Annotated[bool, "whether it answered"]
    took_ms: Annotated[float | None, "how long its answer took, in milliseconds"]
    filters: Annotated[list[str], "what traces can be listed by"]
    id_prefixes: Annotated[bool, "whether the beginning of a trace id is enough"]
    conversations: Annotated[bool, "whether it knows which traces belong to a thread"]
    content: Annotated[bool, "whether it keeps messages and other content"]
    runs: Annotated[bool, "whether it knows what one `otel-mas run` recorded"]


class PortForm(TypedDict):
    address: Annotated[str, "a default address of `otel-mas serve`"]
    listening: Annotated[bool, "whether a server listens there"]
    otel_mas: Annotated[bool | None, "whether it is `otel-mas serve`; null for gRPC, which does not tell"]
    location: Annotated[str | None, "what it shows, as far as it tells"]


class PrivacyForm(TypedDict):
    content: Annotated[str | None, "full, redacted or none; null where the way in decides"]
    content_under_run: Annotated[str, "in force under `otel-mas run` and `otel_mas.instrument()`"]
    content_under_instrument: Annotated[str, "in force under a plain `opentelemetry-instrument`"]
    capture: Annotated[str, "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"]
    personal_data: Annotated[list[str], "kinds of personal data that are taken out as well"]
    leaves: Annotated[list[str], "what leaves this machine as things are set up, and for where"]


class DiagnosisForm(TypedDict):
    ok: Annotated[bool, "whether there is no problem; the exit code is 0 then, else 1"]
    problems: Annotated[int, "how many findings are problems"]
    notes: Annotated[int, "how many are notes"]
    findings: Annotated[list[FindingForm], "problems first"]
    settings: Annotated[list[SettingForm], "each setting of otel-mas, then every other OTEL_ variable that is set"]
    environment: Annotated[EnvironmentForm | None, "where the app runs; null where that cannot be told"]
    recording: Annotated[RecordingForm | None, "who else records and exports"]
    store: Annotated[StoreForm | None, "the local store"]
    destinations: Annotated[list[DestinationForm], "the OTLP endpoints that spans are sent to"]
    sources: Annotated[list[SourceForm], "the places given with --from"]
    ports: Annotated[list[PortForm], "who listens where `otel-mas serve` would"]
    privacy: Annotated[PrivacyForm, "what is kept and what leaves"]
