"""Read the token usage of a model call, in whichever dialect it is reported.

Providers count differently: OpenAI counts cached tokens within the input, Anthropic beside it; OpenAI counts reasoning
within the output, Gemini and xAI beside it; and an integration may pass on either as it came. A dialect has its
provider's rule; a reported total overrules it. Both sides must hold in the end: a part is never more than its whole,
and input and output sum to the total. Usage for which no reading holds contradicts itself and has no cost.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from otel_mas.instrumentation.usage_dialects import DIALECTS, Dialect
from otel_mas.pricing import PRICES, Cost, Tokens, plain_tokens
from otel_mas.record import field_of
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.trace import Span


class Counts(NamedTuple):
    """Token counts as they were reported; None where one was not."""

    input: int | None = None
    output: int | None = None
    total: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    cache_write_5m: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None
    input_audio: int | None = None
    output_audio: int | None = None
    input_image: int | None = None
    output_image: int | None = None
    tool_input: int | None = None
    """Results of the provider's own tools, counted beside the input."""


# Where integrations keep a provider's usage, in a response's metadata and in `llm_output`.
_CONTAINERS: Final = (
    "token_usage",
    "usage",
    "usage_metadata",
    "usageMetadata",
    "tokenUsage",
    "token_count",
    "meta",
    "amazon-bedrock-invocationMetrics",
)
_USAGE_KEYS: Final = frozenset(_CONTAINERS).union(*(dialect.top_level for dialect in DIALECTS))
_PLAIN: Final = {"input_tokens", "output_tokens", "total_tokens", "input_token_details", "output_token_details"}
_ATTRIBUTES: Final = (
    ("cache_read", names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("cache_write", names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
    ("reasoning", names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
    ("input_audio", names.GEN_AI_USAGE_AUDIO_INPUT_TOKENS),
    ("output_audio", names.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS),
    ("input_image", names.GEN_AI_USAGE_IMAGE_INPUT_TOKENS),
    ("output_image", names.GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS),
)


class Usage(NamedTuple):
    """Token usage of a call."""

    tokens: Tokens
    attributes: dict[str, int]
    """`gen_ai.usage.*`: input and output, and the parts that were reported."""
    contradiction: str | None = None
    """Why no reading of the counts holds; `tokens` are not to be priced then."""


def read_usage(metadata: Any, *raw: Any) -> Usage | None:
    """Read what a call used.

    Args:
        metadata: LangChain's `usage_metadata`, or None.
        raw: mappings in which the provider's own usage may stand: a response's metadata, LangChain's `llm_output`.

    Returns:
        The usage that LangChain has; the provider's own where LangChain has none, or the same without its parts. None
        where nothing was reported.
    """
    found = _read_langchain(metadata) if metadata else None
    if found is not None and len(found.attributes) > 2:
        return found
    for usage in _raw_usages(raw):
        read = _read(usage)
        if read is not None:
            own, counts = read
            if found is None or not any(found.tokens) or (len(own.attributes) > 2 and _same_call(found, counts)):
                return own
    return found


def _same_call(found: Usage, counts: Counts) -> bool:
    """Whether the provider's counts are those that LangChain summed up: chunks may have been added up in between."""
    input_count, output_count = counts.input or 0, counts.output or 0
    cached = (counts.cache_read or 0) + (counts.cache_write or 0)
    tokens = found.tokens
    return tokens.input in (input_count, input_count + cached) and tokens.output in (
        output_count,
        output_count + (counts.reasoning or 0),
    )


def _read_langchain(usage: Any) -> Usage | None:
    if (
        type(usage) is dict
        and usage.keys() <= _PLAIN
        and not usage.get("input_token_details")
        and not usage.get("output_token_details")
    ):
        input_count, output_count = usage.get("input_tokens"), usage.get("output_tokens")
        if type(input_count) is int and type(output_count) is int and input_count >= 0 <= output_count:
            total = usage.get("total_tokens")
            if not total or total == input_count + output_count:
                return Usage(plain_tokens(input_count, output_count), _input_and_output(input_count, output_count))
    read = _read(usage)
    return None if read is None else read[0]


def _read(usage: Any) -> tuple[Usage, Counts] | None:
    """Usage in whichever dialect it is, and its counts as they were reported; None where it is none."""
    counts, dialect = _counts(usage)
    if dialect is None or (counts.input is None and counts.output is None):
        return None
    return interpret(counts, dialect.cache_beside_input, dialect.reasoning_beside_output), counts


def _raw_usages(places: Iterable[Any]) -> Iterable[Any]:
    for place in places:
        if not place or (type(place) is dict and _USAGE_KEYS.isdisjoint(place)):
            continue
        for container in _CONTAINERS:
            usage = field_of(place, container)
            if usage:
                yield usage
        yield place


def _counts(usage: Any) -> tuple[Counts, Dialect | None]:
    """The counts in the dialect that knows most of the keys; None for the dialect where none knows any."""
    best: tuple[Counts, Dialect | None] = Counts(), None
    most = 0
    for dialect in DIALECTS:
        if type(usage) is dict and dialect.top_level.isdisjoint(usage):  # most of a response's metadata are no usage
            continue
        found: dict[str, int] = {}
        for field, paths in dialect.keys.items():
            for path in paths:
                count = _count(_at(usage, path))
                if count is not None:
                    found[field] = count
                    break
        if len(found) > most:
            most = len(found)
            best = Counts(**found), dialect
    return best


def _at(usage: Any, path: Iterable[str]) -> Any:
    for key in path:
        if usage is None:
            return None
        usage = field_of(usage, key)
    return usage


def _count(value: Any) -> int | None:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():  # a count that came through JSON of protobuf
        return int(value)
    return None


def interpret(
    counts: Counts, cache_beside_input: bool | None = None, reasoning_beside_output: bool | None = None
) -> Usage:
    """Find out what the counts include.

    Args:
        counts: as reported.
        cache_beside_input: whether cached tokens are beside the input, unless a total proves otherwise. None: within,
            or beside if they are more than the input.
        reasoning_beside_output: likewise, of reasoning and the output.
    """
    if (counts.input is None) is not (counts.output is None):
        missing, known = ("input", counts.output) if counts.input is None else ("output", counts.input)
        if counts.total is None or counts.total < (known or 0):
            name = names.GEN_AI_USAGE_OUTPUT_TOKENS if missing == "input" else names.GEN_AI_USAGE_INPUT_TOKENS
            problem = f"the model did not say how many tokens its {missing} had"
            return Usage(Tokens(counts.input or 0, counts.output or 0), {name: max(known or 0, 0)}, problem)
        counts = counts._replace(**{missing: counts.total - (known or 0)})
    cached = (counts.cache_read or 0) + (written := _written(counts))
    details = (
        counts.cache_read or 0,
        written,
        counts.reasoning or 0,
        counts.cache_write_1h or 0,
        *(count or 0 for count in counts[8:12]),
    )
    input_count, output_count = (counts.input or 0) + (counts.tool_input or 0), counts.output or 0
    readings = [
        (
            cache,
            reasoning,
            Tokens(input_count + cached * cache, output_count + (counts.reasoning or 0) * reasoning, *details),
        )
        for reasoning in _either(reasoning_beside_output)
        for cache in _either(cache_beside_input)
    ]
    holding = [reading for reading in readings if _parts_fit(reading[2])]
    chosen: Tokens | None = None
    if counts.total:
        chosen = next((one for _, _, one in holding if one.input + one.output == counts.total), None)
    # Without a total; or with one that the integration summed up from its own counts, which lacked the cached tokens.
    if chosen is None and (not counts.total or counts.total == input_count + output_count):
        likely = (
            one
            for cache, reasoning, one in holding
            if cache_beside_input in (None, cache) and reasoning_beside_output in (None, reasoning)
            if not (counts.total and reasoning)
        )
        chosen = next(likely, None)
    tokens = chosen or Tokens(input_count, output_count, *details)
    attributes = _input_and_output(tokens.input, tokens.output)
    reported = counts._replace(cache_write=written) if written else counts
    for field, name in _ATTRIBUTES:
        count = getattr(reported, field)
        if count is not None and count >= 0:
            attributes[name] = count
    return Usage(tokens, attributes, None if chosen else _contradiction(counts, cached))


def _written(counts: Counts) -> int:
    """Tokens written to the cache; langchain-anthropic gives the parts by lifetime in place of their sum."""
    return counts.cache_write or (counts.cache_write_5m or 0) + (counts.cache_write_1h or 0)


def _either(known: bool | None) -> tuple[bool, bool]:
    """The likely value, then the other one."""
    return (True, False) if known else (False, True)


def cost_of(
    usage: Usage | None,
    provider: str | None,
    models: tuple[str | None, ...],
    tier: str | None = None,
    span: Span | None = None,
) -> Cost:
    """Price a call, or give the reason why it cannot be priced.

    Args:
        usage: its usage; None where the model did not report it.
        provider: `gen_ai.provider.name`.
        models: names of the model, the most exact one first.
        tier: the service tier that the response names.
        span: of the call, which gets its cost later while the price table is still being loaded.
    """
    if usage is None:
        return Cost(None, None, "the model did not say what it used")
    if usage.contradiction is not None:
        return Cost(None, None, usage.contradiction)
    if provider is None:
        return Cost(None, None, "the provider is not known")
    return PRICES.cost(provider, models, usage.tokens, tier, None if span is None else span.get_span_context())


def _parts_fit(tokens: Tokens) -> bool:
    return (
        min(tokens) >= 0
        and tokens.cache_read + tokens.cache_write <= tokens.input
        and tokens.cache_write_1h <= tokens.cache_write
        and tokens.input_audio + tokens.input_image <= tokens.input
        and tokens.reasoning + tokens.output_audio + tokens.output_image <= tokens.output
    )


def _input_and_output(input_count: int, output_count: int) -> dict[str, int]:
    return {
        names.GEN_AI_USAGE_INPUT_TOKENS: max(input_count, 0),
        names.GEN_AI_USAGE_OUTPUT_TOKENS: max(output_count, 0),
    }


def _contradiction(counts: Counts, cached: int) -> str:
    counted = [f"input {counts.input or 0}", f"output {counts.output or 0}"]
    if counts.total:
        counted.append(f"total {counts.total}")
    if cached:
        counted.append(f"cached {cached}")
    parts = {field: getattr(counts, field) for field in ("reasoning", *Counts._fields[8:])}
    counted += [f"{field.replace('_', ' ')} {count}" for field, count in parts.items() if count]
    return f"the usage contradicts itself: {', '.join(counted)}"


__all__ = ["Counts", "Usage", "cost_of", "interpret", "read_usage"]
