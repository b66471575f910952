"""Correlation ids in OpenTelemetry's baggage: sent to listed hosts only, whoever sends, and checked where they come in.

OpenTelemetry's propagators write the baggage into every request, whatever host it goes to. The hooks here stand in the
propagators themselves, so that they hold for every instrumentation that sends. Other entries of the baggage are the
app's own: they go where it sends them.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.semconv._incubating.attributes.http_attributes import HTTP_URL
from opentelemetry.semconv._incubating.attributes.net_attributes import NET_PEER_NAME
from opentelemetry.semconv.attributes.server_attributes import SERVER_ADDRESS
from opentelemetry.semconv.attributes.url_attributes import URL_FULL
from opentelemetry.semconv.trace import SpanAttributes

from otel_mas.config.hosts import ANY, is_listed
from otel_mas.errors.log import logger
from otel_mas.record import (
    BAGGAGE_KEY,
    CORRELATION_NAMES,
    MAX_CHARACTERS,
    SPAN_KEY,
    caught,
    is_id,
    recorded_attributes,
    recorder,
)

Original = Callable[..., Any]

_DESTINATION: Final = otel_context.create_key("otel-mas-destination")
_OWN_PROCESSES: Final = object()
_URLS: Final = (URL_FULL, HTTP_URL)
_HOSTS: Final = (SERVER_ADDRESS, NET_PEER_NAME, SpanAttributes.MESSAGING_URL)
_HEADER: Final = "baggage"
_warned = False


def sending_to(host: str, context: Context | None = None) -> Context:
    """The context (by default the current one) for a propagator that writes into a request to this host."""
    return otel_context.set_value(_DESTINATION, host, context)


def sending_to_own_process() -> Context:
    """The current context, for a propagator that hands it to a process of the same app."""
    return otel_context.set_value(_DESTINATION, _OWN_PROCESSES)


def inject(original: Original) -> Original:
    """`inject` of a propagator that carries baggage."""

    @functools.wraps(original)
    def inject(self: Any, carrier: Any, context: Any = None, *args: Any, **kwargs: Any) -> None:
        original(self, carrier, _allowed(context, carrier), *args, **kwargs)

    return inject


def extract(original: Original) -> Original:
    """`extract` of such a propagator."""

    @functools.wraps(original)
    def extract(self: Any, *args: Any, **kwargs: Any) -> Any:
        return _checked(original(self, *args, **kwargs))

    return extract


def may_get_ids(hosts: Sequence[str]) -> bool:
    """Whether all of the hosts are listed; where nobody knows one, whether every host is."""
    listed = recorder().settings.baggage_hosts
    return ANY in listed or (bool(hosts) and all(is_listed(host, listed) for host in hosts))


def _allowed(context: Any, carrier: Any) -> Any:
    """The context without what may not leave for where it goes. The ids stay here where nobody knows that."""
    try:
        here = otel_context.get_current() if context is None else context
        entries = here.get(BAGGAGE_KEY)
        if not isinstance(entries, dict) or CORRELATION_NAMES.isdisjoint(entries):
            return context
        to: Any = here.get(_DESTINATION)
        hosts = destinations_of(here.get(SPAN_KEY)) if to is None else (to,)
        if to is _OWN_PROCESSES or may_get_ids(hosts):
            return context
        if isinstance(carrier, MutableMapping):  # a redirect has the headers of the request before
            for name in [one for one in carrier if isinstance(one, str) and one.lower() == _HEADER]:
                del carrier[name]
        kept = {name: value for name, value in entries.items() if name not in CORRELATION_NAMES}
    except Exception as error:
        caught("propagation: baggage", error)
        kept = {}
    return otel_context.set_value(BAGGAGE_KEY, kept, context)


def destinations_of(span: Any) -> tuple[str, ...]:
    """The hosts that a client's or producer's span says that its request goes to; none where it says nothing clear."""
    attributes: Mapping[str, Any] = {} if span is None else recorded_attributes(span)
    try:
        for name in _URLS:
            if isinstance(url := attributes.get(name), str):
                return _hosts([url])
        found = next((text for name in _HOSTS if isinstance(text := attributes.get(name), str)), "")
        # Several brokers are a JSON array in one attribute.
        return _hosts([_authority(one) for one in (json.loads(found) if found.startswith('["') else [found])])
    except ValueError:
        return ()


def _authority(host: str) -> str:
    """A host with or without its port, as the beginning of a URL."""
    return f"//[{host}]" if host.count(":") > 1 and not host.startswith("[") else f"//{host}"


def _hosts(urls: Sequence[str]) -> tuple[str, ...]:
    found = [host for url in urls if (host := urlsplit(url).hostname)]
    return tuple(found) if len(found) == len(urls) else ()


def _checked(context: Any) -> Any:
    """The context without ids that cannot be ids: whoever can send a request can write what they like."""
    try:
        entries = context.get(BAGGAGE_KEY)
        if not isinstance(entries, dict) or CORRELATION_NAMES.isdisjoint(entries):
            return context
        refused = {name for name in CORRELATION_NAMES & entries.keys() if not is_id(entries[name])}
        if not refused:
            return context
        _warn(refused)
        kept = {name: value for name, value in entries.items() if name not in refused}
        return otel_context.set_value(BAGGAGE_KEY, kept, context)
    except Exception as error:
        caught("propagation: incoming baggage", error)
        return context


def _warn(refused: set[str]) -> None:
    global _warned
    if not _warned:
        _warned = True
        logger.warning(
            "otel-mas: incoming baggage has %s with a value that is no id (1 to %d characters that can be printed): "
            "such entries are refused",
            ", ".join(sorted(refused)),
            MAX_CHARACTERS,
        )


__all__ = ["destinations_of", "extract", "inject", "may_get_ids", "sending_to", "sending_to_own_process"]
