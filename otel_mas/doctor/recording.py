"""Other recorders and exporters in the app: instrumentations, distros, the SDK's exporters, LangSmith."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from otel_mas.config import OWN, Settings
from otel_mas.config.server import masked_url
from otel_mas.doctor.environment import EntryPoints, Interpreter
from otel_mas.doctor.findings import Finding, finding
from otel_mas.doctor.forms import ExporterForm, RecordingForm
from otel_mas.doctor.layers import check_layers

_DISABLED = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
_EVERYTHING = "*"
# Packages that record models or agents.
_GENAI = re.compile(
    r"(openinference-instrumentation-|opentelemetry-instrumentation-genai-|langtrace|openlit).*|"
    r"opentelemetry-instrumentation-(agno|alephalpha|anthropic|bedrock|chromadb|cohere|crewai|google-genai|"
    r"google-generativeai|groq|haystack|langchain|langgraph|llamaindex|mcp|mistralai|ollama|openai|openai-agents|"
    r"openai-agents-v2|openai-v2|replicate|sagemaker|together|transformers|vertexai|voyageai|watsonx|writer)"
)
_LANGSMITH = ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2", "LANGCHAIN_TRACING")
_LANGSMITH_OTEL = "LANGSMITH_OTEL_ENABLED"
_KEEP_ALL = ("", "always_on", "parentbased_always_on")


def check_recording(
    environ: Mapping[str, str], settings: Settings, interpreter: Interpreter | None
) -> tuple[RecordingForm, list[Finding]]:
    """Look at the environment, and at what is installed where the app runs, as far as that is known."""
    points = {} if interpreter is None else interpreter.points
    instrumentations = list(_instrumentations(environ, points))
    scopes = sorted(_scope(package) for _, package in instrumentations)
    findings = [
        *_disabled(environ),
        *_distros(environ, points),
        *_missing_exporters(environ, points),
        *(_twice(entry, package) for entry, package in instrumentations),
        *(_model_spans(settings, scopes) if interpreter is not None else ()),
        *_langsmith(environ),
        *_sampler(environ, settings),
        *(check_layers(interpreter.versions, points, _excluded(environ)) if interpreter is not None else ()),
    ]
    form: RecordingForm = {
        "enabled": settings.enabled,
        "exporters": sdk_exporters(environ, points),
        "instrumentations": [package for _, package in instrumentations],
        "langsmith": _switched_on(environ, _LANGSMITH) is not None,
    }
    return form, findings


def sdk_exporters(environ: Mapping[str, str], points: EntryPoints) -> list[ExporterForm]:
    """The exporters that opentelemetry-instrument sets up: the ones that are named, or a distro's own choice."""
    named = [name.strip() for name in environ.get("OTEL_TRACES_EXPORTER", "").split(",") if name.strip()]
    if named:
        return [{"name": name, "origin": "environment"} for name in named if name != "none"]
    distro = _distro(environ, points)
    if distro is not None and distro[1] == "opentelemetry-distro":
        return [{"name": "otlp", "origin": distro[1]}]
    return []


def _excluded(environ: Mapping[str, str]) -> list[str]:
    return [name.strip() for name in environ.get(_DISABLED, "").split(",")]


def _disabled(environ: Mapping[str, str]) -> Iterator[Finding]:
    entry = next((name for name in _excluded(environ) if name in ("otel_mas", _EVERYTHING)), None)
    if entry is not None:
        yield finding("instrumentation-disabled", value=environ[_DISABLED], entry=entry)


def _distro(environ: Mapping[str, str], points: EntryPoints) -> tuple[str, str] | None:
    """The one that opentelemetry-instrument takes: the one that is named, else the first."""
    wanted = environ.get("OTEL_PYTHON_DISTRO")
    return next((one for one in points.get("opentelemetry_distro", ()) if wanted in (None, "", one[0])), None)


def _distros(environ: Mapping[str, str], points: EntryPoints) -> Iterator[Finding]:
    if not points:
        return
    for kind in ("distro", "configurator"):
        variable, available = f"OTEL_PYTHON_{kind.upper()}", dict(points[f"opentelemetry_{kind}"])
        wanted = environ.get(variable)
        if wanted and wanted not in available:
            names = ", ".join(available) or "none is installed"
            yield finding("distro-missing", variable=variable, name=wanted, available=names)
    distro = _distro(environ, points)
    if distro is not None:
        exports = distro[1] == "opentelemetry-distro" and not environ.get("OTEL_TRACES_EXPORTER")
        effect = "it exports over OTLP by default" if exports else "it may add exporters and processors of its own"
        yield finding("distro-in-force", name=distro[0], package=distro[1], effect=effect)


def _missing_exporters(environ: Mapping[str, str], points: EntryPoints) -> Iterator[Finding]:
    available = sorted(name for name, _ in points.get("opentelemetry_traces_exporter", ()))
    for exporter in sdk_exporters(environ, {}) if points else ():
        if exporter["name"] not in available:
            yield finding("exporter-missing", name=exporter["name"], available=", ".join([*available, "none"]))


def _instrumentations(environ: Mapping[str, str], points: EntryPoints) -> Iterator[tuple[str, str]]:
    """Entry point and package of those that record models or agents, without those that are switched off."""
    excluded = _excluded(environ)
    for entry, package in points.get("opentelemetry_instrumentor", ()):
        if _GENAI.fullmatch(package) and entry not in excluded and _EVERYTHING not in excluded:
            yield entry, package


def _twice(entry: str, package: str) -> Finding:
    library = package.rpartition("-instrumentation-")[2].removeprefix("genai-") or "models"
    return finding("instrumented-twice", package=package, library=library, entry=entry, scope=_scope(package))


def _scope(package: str) -> str:
    """The scope of an instrumentation's spans: its package's name as that of a module."""
    if package == "opentelemetry-instrumentation-openai-v2":
        return "opentelemetry.util.genai.handler"
    family, _, library = package.partition("-instrumentation-")
    return f"{family}.instrumentation.{library.replace('genai-', 'genai.').replace('-', '_')}"


def _model_spans(settings: Settings, scopes: Sequence[str]) -> Iterator[Finding]:
    """Model spans that are left to no instrumentation that is installed."""
    wanted = settings.model_spans
    if wanted != OWN and not any(scope == wanted or scope.startswith(f"{wanted}.") for scope in scopes):
        yield finding("model-spans-left", scope=wanted, available=", ".join(scopes) or "none is installed")


def _switched_on(environ: Mapping[str, str], variables: Sequence[str]) -> str | None:
    return next((name for name in variables if environ.get(name, "").strip().lower() == "true"), None)


def _langsmith(environ: Mapping[str, str]) -> Iterator[Finding]:
    variable = _switched_on(environ, _LANGSMITH)
    if variable is not None:
        host = environ.get("LANGSMITH_ENDPOINT") or environ.get("LANGCHAIN_ENDPOINT")
        yield finding("langsmith-on", variable=variable, host=masked_url(host) if host else "its own servers")
        if _switched_on(environ, (_LANGSMITH_OTEL,)):
            yield finding("langsmith-otel", variable=_LANGSMITH_OTEL)


def _sampler(environ: Mapping[str, str], settings: Settings) -> Iterator[Finding]:
    sampler = environ.get("OTEL_TRACES_SAMPLER", "").strip()
    ratio = environ.get("OTEL_TRACES_SAMPLER_ARG", "1").strip()
    if sampler in _KEEP_ALL or (sampler.endswith("traceidratio") and ratio in ("", "1", "1.0")):
        return
    effect = "they are recorded here all the same, where the tracer provider is ours, and never sent on"
    if not settings.record_unsampled:
        effect = "with OTEL_MAS_RECORD_UNSAMPLED=false they are not recorded either"
    yield finding("sampler", sampler=sampler, effect=effect)
