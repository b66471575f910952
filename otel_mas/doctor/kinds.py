"""Every finding that the doctor can report: docs/doctor.md is generated from this table."""

from __future__ import annotations

from otel_mas.doctor.findings import Area, Kind, Level

_OK, _NOTE, _PROBLEM = Level.OK, Level.NOTE, Level.PROBLEM

# -- settings ----------------------------------------------------------------------------------------------------------

_AREA = Area.SETTINGS

SETTINGS_VALID = Kind("settings-valid", _OK, _AREA, "every setting can be read")
SETTING_INVALID = Kind(
    "setting-invalid", _PROBLEM, _AREA, "{problem}", "correct or unset it: with it, no process is recorded"
)
SETTING_UNKNOWN = Kind(
    "setting-unknown",
    _NOTE,
    _AREA,
    "{name} is set, and otel-mas has no such setting",
    "{meant}; docs/settings.md lists all there are",
)
SWITCHED_OFF = Kind("switched-off", _PROBLEM, _AREA, "{name}={value} switches recording off", "unset {name}")
CONFIG_FILE = Kind(
    "config-file",
    _NOTE,
    _AREA,
    "OTEL_CONFIG_FILE={path}: under opentelemetry-instrument exporters and sampler come from that file alone",
    "look there for where spans go: OTEL_TRACES_EXPORTER and its kin do not count",
)
CONFIG_FILE_UNUSABLE = Kind(
    "config-file-unusable",
    _PROBLEM,
    _AREA,
    "OTEL_CONFIG_FILE={path}: there is no such file, and opentelemetry-instrument then starts nothing",
    "name the file that is meant, or unset it",
)

# -- the environment that the app runs in ------------------------------------------------------------------------------

_AREA = Area.ENVIRONMENT

HOOKS_FIT = Kind("hooks-fit", _OK, _AREA, "the hooks fit {versions}")
COMMAND_NOT_FOUND = Kind(
    "command-not-found", _PROBLEM, _AREA, "{command}: command not found", "give the command as you start the app"
)
COMMAND_NOT_PYTHON = Kind(
    "command-not-python",
    _NOTE,
    _AREA,
    "{command} is not a Python program: which Python it starts cannot be told without running it",
    "give the Python itself: otel-mas doctor -- /path/to/python",
)
PYTHON_ISOLATED = Kind(
    "python-isolated", _PROBLEM, _AREA, "python -{flag} {effect}, and `otel-mas run` with it", "run it without -{flag}"
)
PYTHON_FAILS = Kind(
    "python-fails",
    _PROBLEM,
    _AREA,
    "{python} {what}",
    "start it by hand: {python} -c 'import json'; repair what it says",
)
PYTHON_TOO_OLD = Kind(
    "python-too-old", _PROBLEM, _AREA, "{python} is Python {version}", "otel-mas needs Python 3.11 or newer"
)
OTHER_PYTHON = Kind(
    "other-python",
    _NOTE,
    _AREA,
    "`python` is {other}, and otel-mas runs in {prefix}, which is what was checked",
    "if the app runs there, ask there: otel-mas doctor -- python",
)
OTEL_MAS_MISSING = Kind(
    "otel-mas-missing", _PROBLEM, _AREA, "otel-mas is not installed for {python}", "install it there, next to the app"
)
OTEL_MAS_DIFFERS = Kind(
    "otel-mas-differs",
    _NOTE,
    _AREA,
    "{python} has otel-mas {there}, and this command is {here}",
    "install the same version in both",
)
FRAMEWORK_MISSING = Kind(
    "framework-missing",
    _NOTE,
    _AREA,
    "neither LangGraph nor LangChain is installed for {python}: only the app's own spans would be recorded",
    "if that is not the app's environment, ask there: otel-mas doctor -- /path/to/python",
)
FRAMEWORK_FAILS = Kind(
    "framework-fails", _PROBLEM, _AREA, "{module} cannot be imported by {python} ({error})", "reinstall {package} there"
)
HOOKS_MISFIT = Kind(
    "hooks-misfit",
    _PROBLEM,
    _AREA,
    "{misfit}",
    "upgrade otel-mas, or install a version of the framework that it knows",
)
PACKAGES_CONFLICT = Kind(
    "packages-conflict",
    _PROBLEM,
    _AREA,
    "{package} {version} needs {requirement}, and {installed}",
    "install versions that fit each other: the packages of OpenTelemetry are released together",
)

# -- who else records and exports --------------------------------------------------------------------------------------

_AREA = Area.RECORDING

INSTRUMENTATION_DISABLED = Kind(
    "instrumentation-disabled",
    _PROBLEM,
    _AREA,
    "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS={value} keeps opentelemetry-instrument from loading otel-mas",
    "take {entry} out of it",
)
DISTRO_MISSING = Kind(
    "distro-missing",
    _PROBLEM,
    _AREA,
    "{variable}={name}, and nothing that is installed has that name",
    "unset it, or name one of: {known}",
)
DISTRO_IN_FORCE = Kind(
    "distro-in-force",
    _NOTE,
    _AREA,
    "under opentelemetry-instrument the distro {name} ({package}) sets the SDK up; {effect}",
    "OTEL_PYTHON_DISTRO and OTEL_TRACES_EXPORTER say otherwise where that is not wanted",
)
EXPORTER_MISSING = Kind(
    "exporter-missing",
    _PROBLEM,
    _AREA,
    "OTEL_TRACES_EXPORTER names {name}, which is not installed: opentelemetry-instrument then starts nothing",
    "install its package, or name one of: {known}",
)
EXPORTS_TOO = Kind(
    "exports-too",
    _NOTE,
    _AREA,
    "the app's own exporter ({exporter}) sends to {server} too: otel-mas leaves to it what it sends there",
    "OTEL_TRACES_EXPORTER=none leaves all of it to otel-mas, which loses nothing while that server is down",
)
INSTRUMENTED_TWICE = Kind(
    "instrumented-twice",
    _NOTE,
    _AREA,
    "{package} records {what} too, where opentelemetry-instrument or the app loads it: two spans for one call",
    "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS={entry} leaves one under opentelemetry-instrument, or "
    "OTEL_MAS_MODEL_SPANS={scope} leaves model calls to it; each call is paid once either way",
)
MODEL_SPANS_LEFT = Kind(
    "model-spans-left",
    _NOTE,
    _AREA,
    "OTEL_MAS_MODEL_SPANS={scope} leaves model calls to a scope that no instrumentation known here has: where none of "
    "the app's own code makes such spans, model calls have no spans, tokens or cost",
    "name one of: {known}, or unset it",
)
LANGSMITH_ON = Kind(
    "langsmith-on",
    _NOTE,
    _AREA,
    "{variable}=true: LangChain sends prompts and answers to LangSmith at {host}, whatever otel-mas withholds",
    "{variable}=false, if nobody reads them there",
)
LANGSMITH_OTEL = Kind(
    "langsmith-otel",
    _NOTE,
    _AREA,
    "{variable}=true: LangSmith makes OpenTelemetry spans of its own, with prompts: two spans for one call",
    "unset {variable}",
)
SAMPLER = Kind(
    "sampler",
    _NOTE,
    _AREA,
    "OTEL_TRACES_SAMPLER={sampler} drops traces: {effect}",
    "unset it, or OTEL_TRACES_SAMPLER=parentbased_always_on, to have all of them everywhere",
)

# -- the store ---------------------------------------------------------------------------------------------------------

_AREA = Area.STORE

STORE_OPENS = Kind("store-opens", _OK, _AREA, "the store at {path} opens")
STORE_NOT_THERE = Kind(
    "store-not-there", _NOTE, _AREA, "nothing has been recorded into {path} yet", "otel-mas run -- python app.py"
)
STORE_NOT_A_STORE = Kind(
    "store-not-a-store", _PROBLEM, _AREA, "{error}", "name another file with --store or OTEL_MAS_STORE"
)
STORE_TOO_NEW = Kind(
    "store-too-new", _PROBLEM, _AREA, "{error}", "upgrade otel-mas here, or name another file with OTEL_MAS_STORE"
)
STORE_LOCKED = Kind(
    "store-locked",
    _PROBLEM,
    _AREA,
    "{path} is locked by {holder}",
    "wait until it has finished, or record into another file with OTEL_MAS_STORE",
)
STORE_WRITE_LOCKED = Kind(
    "store-write-locked",
    _PROBLEM,
    _AREA,
    "{holder} has kept {path} locked against all other writers for {seconds} s and longer",
    "end it if it hangs: spans of other processes wait in their memory, and are dropped when that is full",
)
STORE_DAMAGED = Kind(
    "store-damaged",
    _PROBLEM,
    _AREA,
    "{path} is damaged ({what})",
    "`otel-mas store repair --store {path}` saves what can be read into a new file",
)
STORE_FAILS = Kind("store-fails", _PROBLEM, _AREA, "{error}", "{remedy}")
STORE_NOT_WRITABLE = Kind(
    "store-not-writable",
    _PROBLEM,
    _AREA,
    "{path} cannot be written by this user: nothing can be recorded into {store}",
    "change its owner or permissions, or name another file with OTEL_MAS_STORE",
)
STORE_OPEN_TO_OTHERS = Kind(
    "store-open-to-others",
    _PROBLEM,
    _AREA,
    "{path} can be read by other users of this machine (mode {mode})",
    "chmod 600 {path}",
)
STORE_OVER_CAP = Kind(
    "store-over-cap",
    _NOTE,
    _AREA,
    "the store has {used}, and OTEL_MAS_MAX_STORE_BYTES is {cap}: the next recording deletes the oldest traces",
    "raise OTEL_MAS_MAX_STORE_BYTES to keep them, where the app runs",
)
STORE_ON_NETWORK = Kind(
    "store-on-network",
    _PROBLEM,
    _AREA,
    "{path} is on {kind}, a file system that is shared over a network: SQLite's log needs one machine's memory",
    "name a file on a local disk with OTEL_MAS_STORE",
)
DISK_FULL = Kind(
    "disk-full",
    _PROBLEM,
    _AREA,
    "only {free} are free for {path}",
    "free some, or name another disk with OTEL_MAS_STORE",
)
DISK_SHORT = Kind(
    "disk-short",
    _NOTE,
    _AREA,
    "{free} are free for {path}, which may grow to {cap}",
    "free some, or lower OTEL_MAS_MAX_STORE_BYTES",
)
SPANS_DROPPED = Kind(
    "spans-dropped",
    _NOTE,
    _AREA,
    "{dropped}; their traces are marked incomplete",
    "where the queue was full, raise OTEL_MAS_QUEUE_SPANS or OTEL_MAS_QUEUE_BYTES, or name a faster disk",
)
CONTENT_WITHHELD = Kind(
    "content-withheld",
    _NOTE,
    _AREA,
    "withheld because they could not be redacted, or not before the process ended: {withheld}",
    "look for $withheld in contents and for mas.content.withheld on spans: which, where and why; "
    "OTEL_MAS_EXIT_TIMEOUT gives the end more time",
)
RUNS_DIED = Kind(
    "runs-died",
    _NOTE,
    _AREA,
    "{processes} of {services} stopped without saying so, last at {when}: what they recorded last may be missing",
    "`otel-mas traces` shows what was running; a kill -9 or a crash is the usual cause",
)

# -- where spans are sent ----------------------------------------------------------------------------------------------

_AREA = Area.SHIPPING

DESTINATION_ANSWERS = Kind("destination-answers", _OK, _AREA, "{endpoint} takes spans ({protocol}, {took})")
PROTOCOL_UNKNOWN = Kind(
    "protocol-unknown",
    _PROBLEM,
    _AREA,
    "{variable}={value} is no protocol that Python's OpenTelemetry speaks",
    "grpc, or http/protobuf",
)
ENDPOINT_INVALID = Kind(
    "endpoint-invalid", _PROBLEM, _AREA, "{variable}={endpoint} is no address ({why})", "write it as {example}"
)
ENDPOINT_NO_SCHEME = Kind(
    "endpoint-no-scheme",
    _PROBLEM,
    _AREA,
    "{variable}={endpoint} has no scheme: {effect}",
    "{variable}=http://{endpoint}, or https:// where it has a certificate",
)
ENDPOINT_SCHEME_UNKNOWN = Kind(
    "endpoint-scheme-unknown",
    _PROBLEM,
    _AREA,
    "{variable}={endpoint} begins with {scheme}://, which OTLP does not know",
    "http:// or https://, also for gRPC; OTEL_EXPORTER_OTLP_PROTOCOL says which protocol",
)
ENDPOINT_PASSWORD = Kind(
    "endpoint-password",
    _NOTE,
    _AREA,
    "{variable} holds a user or password, which ends up in logs",
    "leave it out, and set OTEL_EXPORTER_OTLP_HEADERS=authorization=Basic%20...",
)
ENDPOINT_PATH_GRPC = Kind(
    "endpoint-path-grpc",
    _NOTE,
    _AREA,
    "{variable}={endpoint} has a path, and gRPC knows none",
    "leave the path out, or OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf if that is meant",
)
ENDPOINT_PATH_TWICE = Kind(
    "endpoint-path-twice",
    _PROBLEM,
    _AREA,
    "{variable}={endpoint} ends in /v1/traces, which is appended to it: spans would go to {url}",
    "leave /v1/traces out, or set OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, which is taken as it is",
)
ENDPOINT_PATH_MISSING = Kind(
    "endpoint-path-missing",
    _NOTE,
    _AREA,
    "{variable}={endpoint} is taken as it is, without /v1/traces: spans go to {url}",
    "append /v1/traces, or set OTEL_EXPORTER_OTLP_ENDPOINT, to which it is appended",
)
ENDPOINT_PORT = Kind(
    "endpoint-port",
    _NOTE,
    _AREA,
    "{endpoint} has port {port}, where {usual} is usual, and the protocol is {protocol} ({origin})",
    "OTEL_EXPORTER_OTLP_PROTOCOL={usual}, or port {other}",
)
ENDPOINT_PLAINTEXT = Kind(
    "endpoint-plaintext",
    _NOTE,
    _AREA,
    "spans{also} leave this machine unencrypted for {host}",
    "https:// in {variable}, unless the network is trusted",
)
HEADERS_MALFORMED = Kind(
    "headers-malformed",
    _PROBLEM,
    _AREA,
    "{variable} is not a list of name=value pairs",
    "separate pairs by commas, and URL-encode the values: authorization=Bearer%20<token>",
)
CERTIFICATE_UNREADABLE = Kind(
    "certificate-unreadable",
    _PROBLEM,
    _AREA,
    "{variable}: {path} {why}",
    "name a file that holds it in PEM form",
)
BEHIND_PROXY = Kind(
    "behind-proxy",
    _NOTE,
    _AREA,
    "{variable}: requests to {host} go through a proxy, behind which nothing was checked",
    "NO_PROXY={host}, if they should not",
)
DESTINATION_UNKNOWN_HOST = Kind(
    "destination-unknown-host", _PROBLEM, _AREA, "the host {host} is not known", "check its name in {variable}"
)
DESTINATION_REFUSED = Kind(
    "destination-refused",
    _PROBLEM,
    _AREA,
    "{endpoint} cannot be reached ({why})",
    "start the backend or Collector there, or correct {variable}; OTLP is 4317 for gRPC, 4318 for HTTP",
)
DESTINATION_SILENT = Kind(
    "destination-silent",
    _PROBLEM,
    _AREA,
    "{endpoint} {stage}, and nothing came within {seconds} s",
    "is it overloaded, behind a firewall, or another service? Check {variable}",
)
DESTINATION_UNTRUSTED = Kind(
    "destination-untrusted",
    _PROBLEM,
    _AREA,
    "the certificate of {endpoint} is not trusted ({why})",
    "OTEL_EXPORTER_OTLP_CERTIFICATE=the file of the authority that signed it, or of itself where it did",
)
DESTINATION_NO_TLS = Kind(
    "destination-no-tls",
    _PROBLEM,
    _AREA,
    "{endpoint} does not speak TLS ({why})",
    "http:// in {variable}, or is it another port?",
)
DESTINATION_WANTS_TLS = Kind(
    "destination-wants-tls", _PROBLEM, _AREA, "{endpoint} speaks TLS only", "https:// in {variable}"
)
DESTINATION_REFUSES_ACCESS = Kind(
    "destination-refuses-access",
    _PROBLEM,
    _AREA,
    "{endpoint} refuses access ({status})",
    "OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20<token>, or what else it wants",
)
DESTINATION_NOT_OTLP = Kind(
    "destination-not-otlp",
    _PROBLEM,
    _AREA,
    "{endpoint} answers, and does not take spans over {protocol} ({answer})",
    "{remedy}",
)
DESTINATION_FAILS = Kind(
    "destination-fails", _PROBLEM, _AREA, "{endpoint} fails ({answer})", "look into its log; nothing is lost meanwhile"
)

EXPORT_INVALID = Kind(
    "export-invalid",
    _PROBLEM,
    _AREA,
    "OTEL_MAS_EXPORT={export}: {problem}",
    "correct it: until then otel-mas sends nothing there, and keeps everything in the store",
)
EXPORT_NOT_SET = Kind(
    "export-not-set",
    _NOTE,
    _AREA,
    "{variable} is set, and OTEL_MAS_EXPORT is not: otel-mas sends nothing there, only exporters of the app do",
    "OTEL_MAS_EXPORT=otlp, or `otel-mas ship`, to send what the store has",
)
SHIPPING_FAILS = Kind(
    "shipping-fails",
    _PROBLEM,
    _AREA,
    "{name} failed at {when} ({error}); waiting for it: {waiting}",
    "they are sent once it works; the store's caps are how long they are kept until then",
)
SHIPPING_WAITS = Kind(
    "shipping-waits",
    _NOTE,
    _AREA,
    "waiting for {name}, while no process is sending: {waiting}",
    "`otel-mas ship` sends them, as does the next run of the app with OTEL_MAS_EXPORT",
)
SHIPPING_LOST = Kind(
    "shipping-lost",
    _NOTE,
    _AREA,
    "deleted by the store's caps before {name} had taken them: {lost}",
    "raise OTEL_MAS_MAX_STORE_BYTES or OTEL_MAS_MAX_AGE, or see why it took none",
)
SHIPPING_REJECTED = Kind(
    "shipping-rejected",
    _NOTE,
    _AREA,
    "{name} rejected {rejected}",
    "its log says why: limits on the size of spans and traces are the usual cause",
)

# -- where traces are read from ----------------------------------------------------------------------------------------

_AREA = Area.READING

SOURCE_ANSWERS = Kind("source-answers", _OK, _AREA, "{source} answers ({took})")
SOURCE_FAILS = Kind("source-fails", _PROBLEM, _AREA, "{error}", "{remedy}")
SOURCE_SILENT = Kind(
    "source-silent",
    _PROBLEM,
    _AREA,
    "{source} did not answer within {seconds} s",
    "is it overloaded, or behind a firewall?",
)

# -- privacy -----------------------------------------------------------------------------------------------------------

_AREA = Area.PRIVACY

CONTENT_FULL = Kind(
    "content-full",
    _NOTE,
    _AREA,
    "OTEL_MAS_CONTENT=full: prompts and answers are stored with the secrets in them",
    "OTEL_MAS_CONTENT=redacted",
)
CONTENT_ON_SPANS = Kind(
    "content-on-spans",
    _NOTE,
    _AREA,
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT={value}: content leaves with the spans shipped to {who}",
    "unset it to keep content in the store alone",
)

# -- the checks themselves ---------------------------------------------------------------------------------------------

CHECK_UNFINISHED = Kind(
    "check-unfinished",
    _NOTE,
    Area.ENVIRONMENT,
    "the check of {what} did not finish within {seconds} s",
    "try again when the machine or the network is less busy",
)
CHECK_FAILED = Kind(
    "check-failed",
    _NOTE,
    Area.ENVIRONMENT,
    "the check of {what} failed ({error})",
    "otel-mas doctor --debug shows where; please report it",
)

KINDS: tuple[Kind, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Kind))
