"""Who else records or exports in the app: other instrumentation, distros, the SDK's own exporters, LangSmith."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from otel_mas.config import OWN, Settings
from otel_mas.config.server import masked_url
from otel_mas.doctor import kinds
from otel_mas.doctor.environment import Asked
from otel_mas.doctor.findings import Finding
from otel_mas.doctor.forms import ExporterForm, RecordingForm

_OURS = "otel_mas"
_DISABLED = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
_EVERYTHING = "*"
# What instruments models and agents, by the beginning or the end of its package's name.
_GENAI_FAMILIES = ("openinference-instrumentation-", "opentelemetry-instrumentation-genai-", "langtrace", "openlit")
_GENAI_LIBRARIES = frozenset(
    [
        "agno",
        "alephalpha",
        "anthropic",
        "bedrock",
        "chromadb",
        "cohere",
        "crewai",
        "google-genai",
        "google-generativeai",
        "groq",
        "haystack",
        "langchain",
        "langgraph",
        "llamaindex",
        "mcp",
        "mistralai",
        "ollama",
        "openai",
        "openai-agents",
        "openai-agents-v2",
        "openai-v2",
        "replicate",
        "sagemaker",
        "together",
        "transformers",
        "vertexai",
        "voyageai",
        "watsonx",
        "writer",
    ]
)
_LANGSMITH = ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2", "LANGCHAIN_TRACING")
_LANGSMITH_OTEL = "LANGSMITH_OTEL_ENABLED"
_ALL_OF_THEM = frozenset({"", "always_on", "parentbased_always_on"})


@dataclass(frozen=True, slots=True)
class Others:
    """What was found."""

    form: RecordingForm
    findings: list[Finding]


def others(environ: Mapping[str, str], settings: Settings, asked: Asked | None) -> Others:
    """Look at the environment, and at what is installed where the app runs, as far as that is known."""
    points = {} if asked is None else asked.points
    exporters = stock_exporters(environ, points)
    instrumentations = list(_instrumentations(environ, points))
    findings = [
        *_disabled(environ),
        *_distros(environ, points),
        *_missing_exporters(environ, points),
        *(
            kinds.INSTRUMENTED_TWICE.found(
                package=package, what=_instrumented(package), entry=entry, scope=_scope(package)
            )
            for entry, package in instrumentations
        ),
        *_left(settings, asked, [_scope(package) for _, package in instrumentations]),
        *_langsmith(environ),
        *_sampler(environ, settings),
    ]
    form: RecordingForm = {
        "enabled": settings.enabled,
        "exporters": exporters,
        "instrumentations": [package for _, package in instrumentations],
        "langsmith": _switch(environ, _LANGSMITH) is not None,
    }
    return Others(form, findings)


def _disabled(environ: Mapping[str, str]) -> Iterator[Finding]:
    entry = next((one for one in _excluded(environ) if one in (_OURS, _EVERYTHING)), None)
    if entry is not None:
        yield kinds.INSTRUMENTATION_DISABLED.found(value=environ[_DISABLED], entry=entry)


def _excluded(environ: Mapping[str, str]) -> list[str]:
    return [name.strip() for name in environ.get(_DISABLED, "").split(",")]


def _distros(environ: Mapping[str, str], points: Mapping[str, Sequence[tuple[str, str]]]) -> Iterator[Finding]:
    if not points:
        return
    for variable, group in (
        ("OTEL_PYTHON_DISTRO", "opentelemetry_distro"),
        ("OTEL_PYTHON_CONFIGURATOR", "opentelemetry_configurator"),
    ):
        wanted, known = environ.get(variable), dict(points[group])
        if wanted and wanted not in known:
            names = ", ".join(known) or "none is installed"
            yield kinds.DISTRO_MISSING.found(variable=variable, name=wanted, known=names)
    distro = _distro(environ, points)
    if distro is not None:
        name, package = distro
        effect = "it may add exporters and processors of its own"
        if package == "opentelemetry-distro" and not environ.get("OTEL_TRACES_EXPORTER"):
            effect = "it exports over OTLP unless told otherwise"
        yield kinds.DISTRO_IN_FORCE.found(name=name, package=package, effect=effect)


def _distro(environ: Mapping[str, str], points: Mapping[str, Sequence[tuple[str, str]]]) -> tuple[str, str] | None:
    """The one that opentelemetry-instrument takes: the one that is named, else the first."""
    wanted = environ.get("OTEL_PYTHON_DISTRO")
    return next((one for one in points.get("opentelemetry_distro", ()) if wanted in (None, "", one[0])), None)


def stock_exporters(environ: Mapping[str, str], points: Mapping[str, Sequence[tuple[str, str]]]) -> list[ExporterForm]:
    """Those that opentelemetry-instrument sets up: the ones that are named, or what a distro does unasked."""
    named = [name.strip() for name in environ.get("OTEL_TRACES_EXPORTER", "").split(",") if name.strip()]
    if named:
        return [{"name": name, "origin": "environment"} for name in named if name != "none"]
    distro = _distro(environ, points)
    if distro is not None and distro[1] == "opentelemetry-distro":
        return [{"name": "otlp", "origin": distro[1]}]
    return []


def _missing_exporters(
    environ: Mapping[str, str], points: Mapping[str, Sequence[tuple[str, str]]]
) -> Iterator[Finding]:
    if not points:
        return
    known = [name for name, _ in points["opentelemetry_traces_exporter"]]
    for exporter in stock_exporters(environ, {}):
        if exporter["name"] not in known:
            yield kinds.EXPORTER_MISSING.found(name=exporter["name"], known=", ".join([*sorted(known), "none"]))


def _instrumentations(
    environ: Mapping[str, str], points: Mapping[str, Sequence[tuple[str, str]]]
) -> Iterator[tuple[str, str]]:
    """Entry point and package of those that record models or agents, without those that are switched off."""
    excluded = _excluded(environ)
    for entry, package in points.get("opentelemetry_instrumentor", ()):
        library = package.removeprefix("opentelemetry-instrumentation-")
        genai = package.startswith(_GENAI_FAMILIES) or (library != package and library in _GENAI_LIBRARIES)
        if genai and entry not in excluded and _EVERYTHING not in excluded:
            yield entry, package


def _instrumented(package: str) -> str:
    library = package.rpartition("-instrumentation-")[2].removeprefix("genai-")
    return library or "models"


def _scope(package: str) -> str:
    """What the spans of an instrumentation are filed under: its package's name as that of a module."""
    if package == "opentelemetry-instrumentation-openai-v2":
        return "opentelemetry.util.genai.handler"
    family, _, library = package.partition("-instrumentation-")
    return f"{family}.instrumentation.{library.replace('genai-', 'genai.').replace('-', '_')}"


def _left(settings: Settings, asked: Asked | None, scopes: Sequence[str]) -> Iterator[Finding]:
    """Model spans that are left to nobody, as far as can be seen from what is installed."""
    scope = settings.model_spans
    if asked is None or scope == OWN or any(one == scope or one.startswith(f"{scope}.") for one in scopes):
        return
    yield kinds.MODEL_SPANS_LEFT.found(scope=scope, known=", ".join(sorted(scopes)) or "none is installed")


def _switch(environ: Mapping[str, str], variables: Sequence[str]) -> str | None:
    return next((name for name in variables if environ.get(name, "").strip().lower() == "true"), None)


def _langsmith(environ: Mapping[str, str]) -> Iterator[Finding]:
    switch = _switch(environ, _LANGSMITH)
    if switch is not None:
        host = environ.get("LANGSMITH_ENDPOINT") or environ.get("LANGCHAIN_ENDPOINT")
        yield kinds.LANGSMITH_ON.found(variable=switch, host=masked_url(host) if host else "its own servers")
        if _switch(environ, (_LANGSMITH_OTEL,)):
            yield kinds.LANGSMITH_OTEL.found(variable=_LANGSMITH_OTEL)


def _sampler(environ: Mapping[str, str], settings: Settings) -> Iterator[Finding]:
    sampler = environ.get("OTEL_TRACES_SAMPLER", "").strip()
    if sampler in _ALL_OF_THEM or (
        sampler.endswith("traceidratio") and environ.get("OTEL_TRACES_SAMPLER_ARG", "1").strip() in ("", "1", "1.0")
    ):
        return
    effect = "they are recorded here all the same, where the tracer provider is ours, and never sent on"
    if not settings.record_unsampled:
        effect = "with OTEL_MAS_RECORD_UNSAMPLED=false they are not recorded either"
    yield kinds.SAMPLER.found(sampler=sampler, effect=effect)
