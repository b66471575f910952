"""Request of a model call: the span's name and first attributes, from LangChain's callback arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, cast
from urllib.parse import urlsplit

from otel_mas.instrumentation.langchain.messages import modalities
from otel_mas.record import field_of, identifier, items_of, text_of
from otel_mas.semconv import attributes as names
from otel_mas.semconv import record_kind
from otel_mas.semconv.enums import Operation, Provider

# LangChain's `ls_provider` → `gen_ai.provider.name`. Other providers keep LangChain's name.
PROVIDERS: Final[dict[str, str]] = {
    name: provider
    for provider, names_of_provider in (
        (Provider.AZURE_AI_OPENAI, ("azure", "azure_openai", "azurechatopenai")),
        (Provider.AZURE_AI_INFERENCE, ("azure_ai", "azureaichatcompletionsmodel")),
        (Provider.AWS_BEDROCK, ("amazon_bedrock", "bedrock", "bedrock_converse")),
        (Provider.GCP_GEMINI, ("google_genai", "googlegenerativeai")),
        (Provider.GCP_VERTEX_AI, ("google_vertexai", "google_anthropic_vertex", "vertexai")),
        (Provider.MISTRAL_AI, ("mistral", "mistralai")),
        (Provider.X_AI, ("xai",)),
        (Provider.IBM_WATSONX_AI, ("ibm", "watsonx")),
        (Provider.MOONSHOT_AI, ("moonshot", "moonshotai")),
    )
    for name in names_of_provider
}
# Constructor fields in which LangChain's integrations keep the endpoint.
_ENDPOINTS: Final = (
    "openai_api_base",
    "azure_endpoint",
    "anthropic_api_url",
    "base_url",
    "api_base",
    "endpoint_url",
    "endpoint",
    "mistral_api_base",
    "groq_api_base",
    "xai_api_base",
)
_MAX_KNOWN: Final = 1024


def _integer(value: Any) -> int | None:
    return value if type(value) is int else None


def _number(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) else None


def _several(value: Any) -> int | None:
    count = _integer(value)
    return count if count is not None and count > 1 else None


def _texts(value: Any) -> tuple[str, ...] | None:
    one = text_of(value)
    if one is not None:
        return (one,)
    texts = tuple(map(text_of, items_of(value) or ()))
    return None if None in texts else cast("tuple[str, ...]", texts) or None


def _form(value: Any) -> str | None:
    """OpenAI's `response_format`."""
    kind = text_of(field_of(value, "type")) if issubclass(type(value), dict) else None
    if kind in ("json_object", "json_schema") or issubclass(type(value), type):
        return "json"
    return "text" if kind == "text" else None


# Name of a parameter in an integration → attribute, and function that reads its value.
_PARAMETERS: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    parameter: (attribute, read)
    for attribute, read, parameters in (
        (names.GEN_AI_REQUEST_TEMPERATURE, _number, ("temperature",)),
        (names.GEN_AI_REQUEST_TOP_P, _number, ("top_p",)),
        (names.GEN_AI_REQUEST_TOP_K, _integer, ("top_k",)),
        (
            names.GEN_AI_REQUEST_MAX_TOKENS,
            _integer,
            ("max_tokens", "max_completion_tokens", "max_output_tokens", "max_tokens_to_sample", "num_predict"),
        ),
        (names.GEN_AI_REQUEST_SEED, _integer, ("seed", "random_seed")),
        (names.GEN_AI_REQUEST_FREQUENCY_PENALTY, _number, ("frequency_penalty",)),
        (names.GEN_AI_REQUEST_PRESENCE_PENALTY, _number, ("presence_penalty",)),
        (names.GEN_AI_REQUEST_CHOICE_COUNT, _several, ("n",)),
        (names.GEN_AI_REQUEST_STOP_SEQUENCES, _texts, ("stop", "stop_sequences")),
        (names.GEN_AI_OUTPUT_TYPE, _form, ("response_format",)),
    )
    for parameter in parameters
}
_NAMED: Final = _PARAMETERS.keys()
_OPTIONS: Final = frozenset(
    {
        "tool_choice",
        "parallel_tool_calls",
        "response_format",
        "text_format",
        "response_schema",
        "response_mime_type",
        "reasoning",
        "reasoning_effort",
        "thinking",
        "thinking_budget",
        "verbosity",
        "modalities",
        "logit_bias",
    }
)
"""Parameters that change an answer and have no attribute of their own."""
# LangSmith's metadata, for models that do not report their parameters.
_FALLBACKS: Final[tuple[tuple[str, str, Callable[[Any], Any]], ...]] = (
    ("ls_temperature", names.GEN_AI_REQUEST_TEMPERATURE, _number),
    ("ls_max_tokens", names.GEN_AI_REQUEST_MAX_TOKENS, _integer),
    ("ls_stop", names.GEN_AI_REQUEST_STOP_SEQUENCES, _texts),
)


class Target(NamedTuple):
    """A model at a provider, with the attributes that every call of it has."""

    name: str
    provider: str | None
    model: str | None
    attributes: dict[str, Any]


_targets: dict[tuple[Operation, Any, Any, Any], Target] = {}


def target(operation: Operation, serialized: Any, metadata: Mapping[str, Any], params: Mapping[str, Any]) -> Target:
    """The model that is called. Kept for later calls."""
    provider_name = text_of(metadata.get("ls_provider"))
    named = (metadata.get("ls_model_name"), params.get("model"), params.get("model_name"))
    model = next(filter(None, map(text_of, named)), None)
    fields = serialized.get("kwargs") if serialized else None
    url = None
    if fields and not fields.keys().isdisjoint(_ENDPOINTS):
        url = text_of(next(fields[key] for key in _ENDPOINTS if key in fields))
    key = (operation, provider_name, model, url)
    found = _targets.get(key)
    if found is None:
        if len(_targets) >= _MAX_KNOWN:
            _targets.clear()
        found = _targets[key] = _make_target(operation, provider_name, model, url)
    return found


def _make_target(operation: Operation, provider_name: str | None, model: str | None, url: Any) -> Target:
    provider = PROVIDERS.get(provider_name, provider_name) if provider_name else None
    attributes: dict[str, Any] = {
        names.MAS_RECORD_KIND: str(record_kind(operation)),
        names.GEN_AI_OPERATION_NAME: operation.value,
    }
    if provider:
        attributes[names.GEN_AI_PROVIDER_NAME] = provider
    if model:
        attributes[names.GEN_AI_REQUEST_MODEL] = model
    if type(url) is str:
        attributes |= _server(url)
    return Target(f"{operation} {model}" if model else str(operation), provider, model, attributes)


def _server(url: str) -> dict[str, Any]:
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return {}
    if not host:
        return {}
    port = port or {"https": 443, "http": 80}.get(parts.scheme)
    return {names.SERVER_ADDRESS: host} | ({names.SERVER_PORT: port} if port else {})


def request_options(params: Mapping[str, Any], options: Mapping[str, Any] | None) -> dict[str, Any]:
    """The parameters of a call, by their names in its integration, that its attributes do not have.

    The form of the answer that is given as a class is that schema of it which LangChain tells by `options`.
    """
    if _OPTIONS.isdisjoint(params):  # nearly always, and quicker than to intersect them
        return {}
    found = {name: params[name] for name in _OPTIONS & params.keys() if params[name] is not None}
    for name, value in found.items():
        if isinstance(value, type):
            schema = field_of((options or {}).get("ls_structured_output_format"), "schema")
            found[name] = value.__qualname__ if schema is None else schema
    return found


def start_attributes(
    target: Target,
    metadata: Mapping[str, Any],
    params: Mapping[str, Any],
    options: Mapping[str, Any] | None,
    messages: Sequence[Any],
) -> dict[str, Any]:
    """The attributes of a call that are known before it is made."""
    attributes = target.attributes.copy()
    for parameter in _NAMED & params.keys():
        configured = params[parameter]
        if configured is not None:
            attribute, read = _PARAMETERS[parameter]
            value = read(configured)
            if value is not None:
                attributes[attribute] = value
    for key, attribute, read in _FALLBACKS:
        if key in metadata and attribute not in attributes and (value := read(metadata[key])) is not None:
            attributes[attribute] = value
    if options and "ls_structured_output_format" in options:
        attributes.setdefault(names.GEN_AI_OUTPUT_TYPE, "json")
    thread = metadata.get("thread_id")
    if thread is not None:
        attributes[names.GEN_AI_CONVERSATION_ID] = identifier(thread)
    attributes[names.MAS_INPUT_MODALITIES] = modalities(messages)
    return attributes


__all__ = ["PROVIDERS", "Target", "request_options", "start_attributes", "target"]
