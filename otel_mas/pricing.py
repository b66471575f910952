"""The cost of a model call, by the price table inside genai-prices.

Only the table inside the installed package is used: the same version gives the same price, on any machine, and nothing
is ever fetched. Loading it takes a quarter of a second, so that happens once, in the background, from the first model
call on; a call that ends sooner gets its cost from the writer's thread, and never waits. A model's price is looked up
once a day (or a minute, where it depends on the time of day) and kept as a few numbers; the arithmetic on tokens is
then multiplication.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import Provider

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelPrice, PriceCalculation
    from opentelemetry.trace import SpanContext

    from otel_mas.model import Span

_DAY = 86_400
_MINUTE = 60
_MAX_KNOWN = 4096  # (provider, model, tier) looked up; model names come from the app
_MAX_UNPRICED = 16_384  # calls that wait for the table
_MAX_LOAD_S = 30.0  # for the table, where an answer needs it
_MAX_WAIT_S = 3.0  # for the table, on the writer's thread and before a fork

_NOT_YET = "the price table was still being loaded"

# genai-prices' name of a provider, where it is not the one of the semantic conventions.
_PRICED_AS = {
    Provider.AZURE_AI_OPENAI: "azure",
    Provider.AZURE_AI_INFERENCE: "azure",
    Provider.AWS_BEDROCK: "aws",
    Provider.GCP_GEMINI: "google",
    Provider.GCP_GEN_AI: "google",
    Provider.GCP_VERTEX_AI: "google",
    Provider.MISTRAL_AI: "mistral",
    Provider.MOONSHOT_AI: "moonshotai",
    Provider.X_AI: "x-ai",
}
# Prices that need no more than the counts that `Rates` has.
_SIMPLE = ("input_mtok", "cache_read_mtok", "cache_write_mtok", "output_mtok")


class Tokens(NamedTuple):
    """Tokens of a call. `input` includes cached ones, `output` includes reasoning, both include every modality."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    cache_write_1h: int = 0
    """Part of `cache_write` that is kept for an hour."""
    input_audio: int = 0
    output_audio: int = 0
    input_image: int = 0
    output_image: int = 0


# Counts as spans have them. `cache_write_1h` has no attribute.
_COUNTS = {
    "input": names.GEN_AI_USAGE_INPUT_TOKENS,
    "output": names.GEN_AI_USAGE_OUTPUT_TOKENS,
    "cache_read": names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    "cache_write": names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
    "reasoning": names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
    "input_audio": names.GEN_AI_USAGE_AUDIO_INPUT_TOKENS,
    "output_audio": names.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS,
    "input_image": names.GEN_AI_USAGE_IMAGE_INPUT_TOKENS,
    "output_image": names.GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS,
}
# Counts that have prices of their own: all after `reasoning`.
_NO_SPECIAL = (0,) * (len(Tokens._fields) - 5)
_NO_DETAIL = (0,) * (len(Tokens._fields) - 2)
_new = tuple.__new__  # a named tuple's own constructor is a function in Python


def plain_tokens(input_: int, output: int) -> Tokens:
    """The tokens of most calls: none from a cache, none with a price of its own."""
    return _new(Tokens, (input_, output, *_NO_DETAIL))


class Rates(NamedTuple):
    """USD per token, for calls with more than `above` input tokens."""

    above: int
    input: float
    cache_read: float
    cache_write: float
    output: float


class Price:
    """The price of one model for now: a sum for most calls, genai-prices' own calculation for the others."""

    __slots__ = ("_detailed", "_model", "_rates", "source", "until")

    def __init__(self, model: ModelPrice, source: str, until: float) -> None:
        self._model = model
        self.source = source
        self.until = until
        self._rates = _rates(model)
        self._detailed = model.output_reasoning_mtok is not None or model.requests_kcount is not None

    def of(self, tokens: Tokens) -> float:
        """USD for a call. ValueError where the counts contradict each other."""
        input_, output, read, written = tokens[:4]
        uncached = input_ - read - written
        if self._detailed or uncached < 0 or tokens[5:] != _NO_SPECIAL:
            return self._in_detail(tokens)
        for rates in self._rates:
            if input_ > rates.above:
                break
        if not read and not written:
            return input_ * rates.input + output * rates.output
        return uncached * rates.input + read * rates.cache_read + written * rates.cache_write + output * rates.output

    def _in_detail(self, tokens: Tokens) -> float:
        from genai_prices import Usage

        counts = {
            "input_tokens": tokens.input,
            "output_tokens": tokens.output,
            "cache_read_tokens": tokens.cache_read,
            "cache_write_tokens": tokens.cache_write,
            "cache_write_1h_tokens": tokens.cache_write_1h,
            "output_reasoning_tokens": tokens.reasoning,
            "input_audio_tokens": tokens.input_audio,
            "output_audio_tokens": tokens.output_audio,
            "input_image_tokens": tokens.input_image,
            "output_image_tokens": tokens.output_image,
        }
        usage = Usage(**{name: count for name, count in counts.items() if count})
        return float(self._model.calc_price(usage)["total_price"])


def _rates(model: ModelPrice) -> tuple[Rates, ...]:
    """The model's rates by size of the input, largest threshold first; the price of input where a kind has none."""
    prices = {name: getattr(model, name) for name in _SIMPLE}
    above = {0} | {tier.start for price in prices.values() for tier in getattr(price, "tiers", ())}
    rates = []
    for start in sorted(above, reverse=True):
        per_token = {name: _per_token(price, start) for name, price in prices.items()}
        plain = per_token["input_mtok"] or 0.0
        read, write = per_token["cache_read_mtok"], per_token["cache_write_mtok"]
        rates.append(
            Rates(
                # The last one is for everything, also for no input at all.
                start if start else -1,
                plain,
                plain if read is None else read,
                plain if write is None else write,
                per_token["output_mtok"] or 0.0,
            )
        )
    return tuple(rates)


def _per_token(price: Any, above: int) -> float | None:
    if price is None:
        return None
    tiers = getattr(price, "tiers", None)
    if tiers is not None:
        started = [tier for tier in tiers if tier.start <= above and above]
        price = max(started, key=lambda tier: tier.start).price if started else price.base
    return float(price) / 1e6


_Call = tuple[str | None, tuple[str | None, ...], Tokens, str | None]


class _EndedSpan(Protocol):
    context: SpanContext
    attributes: dict[str, Any]


class PriceTable:
    """Prices of models, from the table inside genai-prices.

    Args:
        clock: seconds since the Unix epoch; prices change on days, and some by the hour.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._known: dict[tuple[str | None, str, str | None], Price | str] = {}
        self._expires = 0.0
        self._lock = threading.RLock()  # a finalizer may come in again
        self._loaded = threading.Event()
        self.loading = False
        """Whether `prepare` has been called."""
        self._snapshot: DataSnapshot | None = None
        self._name = ""
        self._unpriced: dict[tuple[int, int], _Call] = {}  # by trace id and span id

    def prepare(self) -> None:
        """Begin to load the table, in the background; nothing if that has begun already."""
        if self.loading:
            return
        # A child forked in the middle of an import would wait for that import's lock for ever.
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._wait_for_load, after_in_child=self._renew)
        with self._lock:
            if self.loading:
                return
            self.loading = True
        threading.Thread(target=self._load, name="otel-mas prices", daemon=True).start()

    def cost(
        self,
        provider: str | None,
        models: tuple[str | None, ...],
        tokens: Tokens,
        tier: str | None = None,
        span_context: SpanContext | None = None,
    ) -> Cost:
        """The cost of a call. Does not wait: while the table is being loaded, the cost is missing.

        Args:
            provider: `gen_ai.provider.name`; None for whichever has such a model.
            models: names of the model, the most exact one first; the first with a price counts.
            tokens: what was used.
            tier: the service tier that the response names.
            span_context: of the call's span, whose cost `enrich` then adds.
        """
        missing = "the model is not named"
        for model in models:
            if not model:
                continue
            price = self._price(provider, model, tier)
            if isinstance(price, Price):
                try:
                    return _new(Cost, (price.of(tokens), price.source, None))
                except ValueError as error:
                    return Cost(None, None, f"the usage contradicts itself: {error}")
            if price is _NOT_YET:
                if span_context is not None:
                    if len(self._unpriced) >= _MAX_UNPRICED:
                        self._unpriced.pop(next(iter(self._unpriced)), None)
                    self._unpriced[span_context[:2]] = provider, models, tokens, tier
                return Cost(None, None, _NOT_YET)
            missing = price
        return Cost(None, None, missing)

    def window(self, provider: str | None, model: str) -> int | None:
        """The context window of a model in tokens; None where the table does not have it. May wait for the table."""
        if not self.wait(_MAX_WAIT_S) or self._snapshot is None:
            return None
        try:
            _, found = self._snapshot.find_provider_model(model, None, _PRICED_AS.get(provider, provider), None)  # type: ignore[call-overload]
        except LookupError:
            return None
        window = found.context_window
        return window if isinstance(window, int) and window > 0 else None

    def enrich(self, span: _EndedSpan) -> None:
        """Add the cost that was missing when the call ended to its span. May wait for the table."""
        call = self._unpriced.pop(span.context[:2], None) if self._unpriced else None
        if call is None:
            return
        cost = self.cost(*call) if self.wait(_MAX_WAIT_S) else Cost(None, None, "the price table did not load in time")
        span.attributes.pop(names.MAS_COST_MISSING, None)
        cost.describe(span.attributes, simulated=False)

    def wait(self, timeout_s: float) -> bool:
        """Wait until the table is loaded; not for hooks."""
        self.prepare()
        return self._loaded.wait(timeout_s)

    def _price(self, provider: str | None, model: str, tier: str | None) -> Price | str:
        """The price that is valid now, or why there is none."""
        now = self._clock()
        key = (provider, model, tier)
        known = self._known.get(key)
        if known is not None and now < (self._expires if isinstance(known, str) else known.until):
            return known
        self.prepare()
        if not self._loaded.is_set():
            return _NOT_YET
        found = self._look_up(provider, model, tier, now)
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()
        self._expires = (now // _DAY + 1) * _DAY
        self._known[key] = found
        return found

    def _look_up(self, provider: str | None, model: str, tier: str | None, now: float) -> Price | str:
        if self._snapshot is None:
            return "the price table could not be loaded"
        from genai_prices import Usage

        moment = datetime.fromtimestamp(now, UTC)
        context = {"service_tier": tier} if tier else None
        named = f"{provider} {model}" if provider else model
        try:
            found = self._snapshot.calc(Usage(), model, _PRICED_AS.get(provider, provider), None, moment, context)  # type: ignore[call-overload]
        except (LookupError, ValueError):
            return f"{self._name} has no price for {named}"
        if found.model_price.input_mtok is None and found.model_price.output_mtok is None:
            return f"{self._name} has no price by tokens for {named}"
        lifetime = _MINUTE if _changes_during_the_day(found) else _DAY
        source = f"{self._name} (prices for {moment.date()})"
        return Price(found.model_price, source, (now // lifetime + 1) * lifetime)

    def _load(self) -> None:
        try:
            # Not `calc_price`: that uses a table fetched from the network where the app has set one up.
            import genai_prices
            from genai_prices.data import providers
            from genai_prices.data_snapshot import DataSnapshot

            self._name = f"genai-prices {genai_prices.__version__}"
            self._snapshot = DataSnapshot(providers=providers, from_auto_update=False)
        except Exception:  # a broken or foreign genai-prices: calls have no cost then, and say so
            pass
        finally:
            self._loaded.set()

    def _wait_for_load(self) -> None:
        if self.loading:
            self._loaded.wait(_MAX_WAIT_S)

    def _renew(self) -> None:
        self._lock = threading.RLock()  # another thread of the parent may have held it
        if self.loading and not self._loaded.is_set():
            self._loaded = threading.Event()  # the old one's lock may be held by a thread that is not here
            self._loaded.set()


def _changes_during_the_day(found: PriceCalculation) -> bool:
    prices = found.model.prices
    constraints = [price.constraint for price in prices] if isinstance(prices, list) else []
    constraints += [variant.constraint for variant in found.model.price_variants or ()]
    return any(hasattr(constraint, "start_time") for constraint in constraints)


class Cost(NamedTuple):
    """A cost in USD by a named table, or the reason why there is none."""

    usd: float | None
    source: str | None
    missing: str | None

    def describe(self, attributes: dict[str, Any], simulated: bool) -> None:
        """Set the attributes of the call's span.

        Args:
            attributes: of the span.
            simulated: the model was a stand-in, so nobody was charged.
        """
        if self.usd is None:
            attributes[names.MAS_COST_MISSING] = self.missing or "unknown"
        else:
            attributes[names.MAS_COST_USD] = self.usd
            attributes[names.MAS_COST_SOURCE] = self.source
        if simulated:
            attributes[names.MAS_COST_SIMULATED] = True


PRICES = PriceTable()


def price_instead(call: Span, model: str) -> float | str:
    """USD of a recorded call at another model's price: of the same provider, or else of whichever has that model.

    Returns:
        The reason, where there is no price. Waits until the price table is loaded.
    """
    PRICES.prepare()
    PRICES.wait(_MAX_LOAD_S)
    counts = {field: value for field, name in _COUNTS.items() if isinstance(value := call.get(name), int)}
    if not counts:
        return "the call does not say what it used"
    provider = call.get(names.GEN_AI_PROVIDER_NAME)
    found = PRICES.cost(str(provider) if provider else None, (model,), Tokens(**counts))
    if found.usd is None and provider:
        found = PRICES.cost(None, (model,), Tokens(**counts))
    return found.usd if found.usd is not None else found.missing or "unknown"


"""The process's price table."""

__all__ = ["PRICES", "Cost", "Price", "PriceTable", "Tokens", "price_instead"]
