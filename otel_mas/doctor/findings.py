"""Findings as data: one table of all kinds, from which docs/doctor.md is generated."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from otel_mas.report.text import plain

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Level(StrEnum):
    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


class Area(StrEnum):
    SETTINGS = "settings"
    ENVIRONMENT = "environment"
    RECORDING = "recording"
    STORE = "store"
    SHIPPING = "shipping"
    READING = "reading"
    SERVING = "serving"
    PRIVACY = "privacy"


@dataclass(frozen=True, slots=True)
class FindingKind:
    """A row of the table: the templates of message and fix have `{placeholders}`; a fix may be ""."""

    code: str
    level: Level
    area: Area
    message: str
    fix: str

    def documented(self) -> tuple[str, str]:
        """Message and fix as Markdown, the placeholders in italics."""
        return _PLACEHOLDER.sub(r"*\1*", self.message), _PLACEHOLDER.sub(r"*\1*", self.fix)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found. `code` is stable; `message` and `fix` are for people."""

    code: str
    level: Level
    area: Area
    message: str
    fix: str


def finding(code: str, **values: object) -> Finding:
    """A finding of a kind; its values may come from anywhere, and are made printable."""
    kind = KINDS[code]
    shown = {name: plain(value) for name, value in values.items()}
    return Finding(code, kind.level, kind.area, kind.message.format(**shown), kind.fix.format(**shown))


_OK, _NOTE, _PROBLEM = Level.OK, Level.NOTE, Level.PROBLEM

# fmt: off
_TABLE: dict[Area, tuple[tuple[str, Level, str, str], ...]] = {
    Area.SETTINGS: (
        ("settings-valid", _OK, "every setting can be read", ""),
        ("setting-invalid", _PROBLEM, "{problem}", "correct or unset it: with it, no process is recorded"),
        ("setting-unknown", _NOTE, "{name} is set, and otel-mas has no such setting",
         "{advice}; docs/settings.md lists all there are"),
        ("switched-off", _PROBLEM, "{name}={value} switches recording off", "unset {name}"),
        ("config-file", _NOTE,
         "OTEL_CONFIG_FILE={path}: under opentelemetry-instrument exporters and sampler come from that file alone",
         "look there for where spans go: OTEL_TRACES_EXPORTER and its kin do not count"),
        ("config-file-unusable", _PROBLEM,
         "OTEL_CONFIG_FILE={path}: there is no such file, and opentelemetry-instrument then starts nothing",
         "name the file that is meant, or unset it"),
    ),
    Area.ENVIRONMENT: (
        ("hooks-fit", _OK, "the hooks fit {versions}", ""),
        ("command-not-found", _PROBLEM, "{command}: command not found", "give the command as you start the app"),
        ("command-not-python", _NOTE,
         "{command} is not a Python program: which Python it starts cannot be told without running it",
         "give the Python itself: otel-mas doctor -- /path/to/python"),
        ("python-isolated", _PROBLEM, "python -{flag} {effect}, and `otel-mas run` with it", "run it without -{flag}"),
        ("python-fails", _PROBLEM, "{python} {error}",
         "start it by hand: {python} -c 'import json'; repair what it reports"),
        ("python-too-old", _PROBLEM, "{python} is Python {version}", "otel-mas needs Python 3.11 or newer"),
        ("other-python", _NOTE, "`python` is {other}, and otel-mas runs in {prefix}, which is what was checked",
         "if the app runs there, ask there: otel-mas doctor -- python"),
        ("otel-mas-missing", _PROBLEM, "otel-mas is not installed for {python}", "install it there, next to the app"),
        ("otel-mas-differs", _NOTE, "{python} has otel-mas {there}, and this command is {here}",
         "install the same version in both"),
        ("framework-missing", _NOTE,
         "neither LangGraph nor LangChain is installed for {python}: only the app's own spans would be recorded",
         "if that is not the app's environment, ask there: otel-mas doctor -- /path/to/python"),
        ("framework-fails", _PROBLEM, "{module} cannot be imported by {python} ({error})", "reinstall {package} there"),
        ("hooks-misfit", _PROBLEM, "{misfit}",
         "upgrade otel-mas, or install a version of the framework that it knows"),
        ("packages-conflict", _PROBLEM, "{package} {version} needs {requirement}, and {installed}",
         "install versions that fit each other: the packages of OpenTelemetry are released together"),
        ("check-unfinished", _NOTE, "the check of {subject} did not finish within {seconds} s",
         "try again when the machine or the network is less busy"),
        ("check-failed", _NOTE, "the check of {subject} failed ({error})",
         "otel-mas doctor --debug shows where; please report it"),
    ),
    Area.RECORDING: (
        ("instrumentation-disabled", _PROBLEM,
         "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS={value} keeps opentelemetry-instrument from loading otel-mas",
         "take {entry} out of it"),
        ("distro-missing", _PROBLEM, "{variable}={name}, and nothing that is installed has that name",
         "unset it, or name one of: {available}"),
        ("distro-in-force", _NOTE,
         "under opentelemetry-instrument the distro {name} ({package}) sets the SDK up; {effect}",
         "OTEL_PYTHON_DISTRO and OTEL_TRACES_EXPORTER change that"),
        ("exporter-missing", _PROBLEM,
         "OTEL_TRACES_EXPORTER names {name}, which is not installed: opentelemetry-instrument then starts nothing",
         "install its package, or name one of: {available}"),
        ("exports-too", _NOTE,
         "the app's own exporter ({exporter}) sends to {server} too: otel-mas leaves to it what it sends there",
         "OTEL_TRACES_EXPORTER=none leaves all of it to otel-mas, which loses nothing while that server is down"),
        ("instrumented-twice", _NOTE,
         "{package} records {library} too, where opentelemetry-instrument or the app loads it: two spans for one call",
         "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS={entry} leaves one under opentelemetry-instrument, or "
         "OTEL_MAS_MODEL_SPANS={scope} leaves model calls to it; each call is paid once either way"),
        ("model-spans-left", _NOTE,
         "OTEL_MAS_MODEL_SPANS={scope} leaves model calls to a scope that no instrumentation known here has: where "
         "none of the app's own code makes such spans, model calls have no spans, tokens or cost",
         "name one of: {available}, or unset it"),
        ("langsmith-on", _NOTE,
         "{variable}=true: LangChain sends prompts and answers to LangSmith at {host}, whatever otel-mas withholds",
         "{variable}=false, if nobody reads them there"),
        ("langsmith-otel", _NOTE,
         "{variable}=true: LangSmith makes OpenTelemetry spans of its own, with prompts: two spans for one call",
         "unset {variable}"),
        ("sampler", _NOTE, "OTEL_TRACES_SAMPLER={sampler} drops traces: {effect}",
         "unset it, or OTEL_TRACES_SAMPLER=parentbased_always_on, to have all of them everywhere"),
        ("layers-covered", _OK, "calls between processes are in one trace by {libraries}", ""),
        ("layers-missing", _NOTE,
         "what is called by {libraries} is in a trace of its own: the instrumentation of these libraries is not loaded",
         "if processes of the app call each other by them: pip install {packages}, and start each one with "
         "opentelemetry-instrument, as docs/propagation.md says"),
    ),
    Area.STORE: (
        ("store-opens", _OK, "the store at {path} opens", ""),
        ("store-not-there", _NOTE, "nothing has been recorded into {path} yet", "otel-mas run -- python app.py"),
        ("store-not-a-store", _PROBLEM, "{error}", "name another file with --store or OTEL_MAS_STORE"),
        ("store-too-new", _PROBLEM, "{error}", "upgrade otel-mas here, or name another file with OTEL_MAS_STORE"),
        ("store-locked", _PROBLEM, "{path} is locked by {holder}",
         "wait until it has finished, or record into another file with OTEL_MAS_STORE"),
        ("store-write-locked", _PROBLEM,
         "{holder} has kept {path} locked against all other writers for {seconds} s and longer",
         "end it if it hangs: spans of other processes wait in their memory, and are dropped when that is full"),
        ("store-damaged", _PROBLEM, "{path} is damaged ({damage})",
         "`otel-mas store repair --store {path}` saves what can be read into a new file"),
        ("store-fails", _PROBLEM, "{error}", "{advice}"),
        ("store-not-writable", _PROBLEM,
         "{path} cannot be written by this user: nothing can be recorded into {store}",
         "change its owner or permissions, or name another file with OTEL_MAS_STORE"),
        ("store-open-to-others", _PROBLEM, "{path} can be read by other users of this machine (mode {mode})",
         "chmod 600 {path}"),
        ("store-over-cap", _NOTE,
         "the store has {used}, and OTEL_MAS_MAX_STORE_BYTES is {cap}: the next recording deletes the oldest traces",
         "raise OTEL_MAS_MAX_STORE_BYTES to keep them, where the app runs"),
        ("store-on-network", _PROBLEM,
         "{path} is on {kind}, a file system that is shared over a network: SQLite's log needs one machine's memory",
         "name a file on a local disk with OTEL_MAS_STORE"),
        ("disk-full", _PROBLEM, "only {free} are free for {path}",
         "free some, or name another disk with OTEL_MAS_STORE"),
        ("disk-short", _NOTE, "{free} are free for {path}, which may grow to {cap}",
         "free some, or lower OTEL_MAS_MAX_STORE_BYTES"),
        ("spans-dropped", _NOTE, "{dropped}; their traces are marked incomplete",
         "where the queue was full, raise OTEL_MAS_QUEUE_SPANS or OTEL_MAS_QUEUE_BYTES, or name a faster disk"),
        ("content-withheld", _NOTE,
         "withheld because they could not be redacted, or not before the process ended: {withheld}",
         "look for $withheld in contents and for mas.content.withheld on spans: which, where and why; "
         "OTEL_MAS_EXIT_TIMEOUT gives the end more time"),
        ("runs-died", _NOTE,
         "{processes} of {services} stopped without an orderly exit, last at {when}: their last spans may be missing",
         "`otel-mas traces` shows what was running; a kill -9 or a crash is the usual cause"),
    ),
    Area.SHIPPING: (
        ("destination-answers", _OK, "{endpoint} takes spans ({protocol}, {took})", ""),
        ("protocol-unknown", _PROBLEM, "{variable}={value} is no protocol that Python's OpenTelemetry speaks",
         "it must be {expected}"),
        ("endpoint-invalid", _PROBLEM, "{variable}={value} is no address", "it must be {expected}"),
        ("endpoint-no-scheme", _PROBLEM, "{variable}={value} has no scheme: {effect}",
         "{variable}=http://{value}, or https:// where it has a certificate"),
        ("endpoint-scheme-unknown", _PROBLEM, "{variable}={value} has a scheme that OTLP does not know",
         "http:// or https://, also for gRPC; OTEL_EXPORTER_OTLP_PROTOCOL is the protocol"),
        ("endpoint-password", _NOTE, "{variable} holds a user or password, which ends up in logs",
         "leave it out, and set OTEL_EXPORTER_OTLP_HEADERS=authorization=Basic%20..."),
        ("endpoint-path-grpc", _NOTE, "{variable}={value} has a path, and gRPC knows none",
         "leave the path out, or OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf if that is meant"),
        ("endpoint-path-twice", _PROBLEM,
         "{variable}={value} ends in /v1/traces, which is appended to it: spans would go to {url}",
         "leave /v1/traces out, or set OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, which is taken as it is"),
        ("endpoint-path-missing", _NOTE,
         "{variable}={value} is taken as it is, without /v1/traces: spans go to {url}",
         "append /v1/traces, or set OTEL_EXPORTER_OTLP_ENDPOINT, to which it is appended"),
        ("endpoint-port", _NOTE,
         "{endpoint} has port {port}, where {usual} is usual, and the protocol is {protocol} ({origin})",
         "OTEL_EXPORTER_OTLP_PROTOCOL={usual}, or port {other}"),
        ("endpoint-plaintext", _NOTE, "spans{also} leave this machine unencrypted for {host}",
         "https:// in {variable}, unless the network is trusted"),
        ("headers-malformed", _PROBLEM, "{variable} is not a list of name=value pairs that can be sent",
         "separate pairs by commas, and URL-encode the values: authorization=Bearer%20<token>"),
        ("otlp-variable-invalid", _PROBLEM, "{variable}={value} cannot be used", "it must be {expected}"),
        ("certificate-unreadable", _PROBLEM, "{variable}={value} cannot be used ({detail})",
         "name a file that holds it in PEM form, a certificate along with its key"),
        ("behind-proxy", _NOTE,
         "{variable}: requests to {host} go through a proxy, behind which nothing was checked",
         "NO_PROXY={host}, if they should not"),
        ("destination-unknown-host", _PROBLEM, "the host {host} is not known ({detail})",
         "check its name in {variable}"),
        ("destination-refused", _PROBLEM, "{endpoint} cannot be reached ({detail})",
         "start the backend or Collector there, or correct {variable}; OTLP is 4317 for gRPC, 4318 for HTTP"),
        ("destination-silent", _PROBLEM, "{endpoint} was sent a request, and nothing came within {seconds} s",
         "is it overloaded, behind a firewall, another service, or one without TLS? Check {variable}"),
        ("destination-untrusted", _PROBLEM, "the certificate of {endpoint} is not trusted ({detail})",
         "OTEL_EXPORTER_OTLP_CERTIFICATE=the file of the authority that signed it, or of itself if it is self-signed"),
        ("destination-no-tls", _PROBLEM, "{endpoint} does not speak TLS ({detail})",
         "http:// in {variable}, or is it another port?"),
        ("destination-wants-tls", _PROBLEM, "{endpoint} ended the connection, as servers that speak TLS do ({detail})",
         "https:// in {variable}; or is it another port?"),
        ("destination-wants-certificate", _PROBLEM,
         "{endpoint} ended the connection over TLS, as servers that want a client certificate do ({detail})",
         "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY; or http:// in {variable}"),
        ("destination-refuses-access", _PROBLEM, "{endpoint} refuses access ({detail})",
         "OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20<token>, or what else it wants"),
        ("destination-not-otlp", _PROBLEM, "{endpoint} answers, and does not take spans over {protocol} ({detail})",
         "is it another port or path? OTEL_EXPORTER_OTLP_PROTOCOL={other}, or port {usual_port}, that of {protocol}"),
        ("destination-fails", _PROBLEM, "{endpoint} fails ({detail})",
         "look into its log; nothing is lost meanwhile"),
        ("export-invalid", _PROBLEM, "OTEL_MAS_EXPORT={export}: {problem}",
         "correct it: until then otel-mas sends nothing there, and keeps everything in the store"),
        ("export-not-set", _NOTE,
         "{variable} is set, and OTEL_MAS_EXPORT is not: otel-mas sends nothing there, only exporters of the app do",
         "OTEL_MAS_EXPORT=otlp, or `otel-mas ship`, to send what the store has"),
        ("shipping-fails", _PROBLEM, "{name} failed at {when} ({error}); waiting for it: {waiting}",
         "they are sent once it works; the store's caps are how long they are kept until then"),
        ("shipping-waits", _NOTE, "waiting for {name}, while no process is sending: {waiting}",
         "`otel-mas ship` sends them, as does the next run of the app with OTEL_MAS_EXPORT"),
        ("shipping-lost", _NOTE, "deleted by the store's caps before {name} had taken them: {lost}",
         "raise OTEL_MAS_MAX_STORE_BYTES or OTEL_MAS_MAX_AGE, or see why it took none"),
        ("shipping-rejected", _NOTE, "{name} rejected {rejected}",
         "`otel-mas ship retry --list` has the reasons, mostly limits on sizes; without --list it sends them again"),
    ),
    Area.READING: (
        ("source-answers", _OK, "{source} answers ({took})", ""),
        ("source-fails", _PROBLEM, "{error}", "{advice}"),
        ("source-silent", _PROBLEM, "{source} did not answer within {seconds} s",
         "is it overloaded, or behind a firewall?"),
    ),
    Area.SERVING: (
        ("server-answers", _OK, "`otel-mas serve` shows the store at {url}", ""),
        ("server-shows-other", _NOTE, "`otel-mas serve` at {url} shows {location}, not {store}",
         "to see what {store} has, end it, or otel-mas serve --listen another port"),
        ("server-port-taken", _NOTE, "{address} is taken by another program, so `otel-mas serve` cannot listen there",
         "end it, or otel-mas serve {option} HOST:PORT"),
    ),
    Area.PRIVACY: (
        ("content-full", _NOTE, "OTEL_MAS_CONTENT=full: prompts and answers are stored with the secrets in them",
         "OTEL_MAS_CONTENT=redacted"),
        ("content-on-spans", _NOTE,
         "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT={value}: content leaves with the spans shipped to {hosts}",
         "unset it to keep content in the store alone"),
    ),
}
# fmt: on

KINDS = {
    code: FindingKind(code, level, area, message, fix)
    for area, rows in _TABLE.items()
    for code, level, message, fix in rows
}
"""Every kind of finding, by its code."""
