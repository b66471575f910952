"""One POST of JSON, and its outcome. Addresses may be secrets: no message has one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
_MOST_BYTES = 500


class Outcome(Enum):
    """Outcome of a request."""

    DELIVERED = "delivered"
    NOT_DELIVERED = "not delivered"
    """The receiver was not reached, or asked to come again."""
    UNKNOWN = "unknown"
    """It was sent, and the answer is missing: the receiver may have had it."""
    REFUSED = "refused"
    """It will be refused again."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The outcome of a request, and why, without the address."""

    outcome: Outcome
    reason: str = ""
    retry_after_s: float | None = None


class _NoRedirects(HTTPRedirectHandler):
    """A redirect could carry a notification, and a secret of its address, to another host."""

    def redirect_request(self, *_: Any) -> None:
        return None


def post(url: str, body: object, timeout_s: float, headers: Mapping[str, str] | None = None) -> Delivery:
    """Send JSON by POST; proxies are those of the environment."""
    sent = {"Content-Type": "application/json", "User-Agent": "otel-mas", **(headers or {})}
    try:
        request = Request(url, json.dumps(body).encode(), sent, method="POST")
        with build_opener(_NoRedirects).open(request, timeout=timeout_s) as answer:
            answer.read(_MOST_BYTES)
        return Delivery(Outcome.DELIVERED)
    except HTTPError as error:
        with error:
            outcome = Outcome.NOT_DELIVERED if error.code in _RETRIED else Outcome.REFUSED
            return Delivery(outcome, f"it answered {error.code} {error.reason}", _seconds(error.headers))
    except URLError as error:  # before the whole request was sent
        return Delivery(Outcome.NOT_DELIVERED, f"it cannot be reached: {_reason(error.reason)}")
    except (OSError, HTTPException) as error:
        return Delivery(Outcome.UNKNOWN, f"it did not answer: {type(error).__name__}")


def _seconds(headers: Any) -> float | None:
    given = (headers.get("Retry-After") if headers is not None else None) or ""
    return float(given) if given.isdigit() else None


def _reason(reason: object) -> str:
    return (reason.strerror or type(reason).__name__) if isinstance(reason, OSError) else type(reason).__name__


__all__ = ["Delivery", "Outcome", "post"]
