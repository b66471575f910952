"""Errors of the API, all in one form, with what happened and what to do."""

from __future__ import annotations

from typing import Annotated, TypedDict

from otel_mas.errors import ConfigError, MissingExtra, OtelMasError, StoreError, TraceNotFound, UnsupportedQuery


class ProblemForm(TypedDict):
    code: Annotated[str, "bad_request, not_found, unsupported, unauthorized, method_not_allowed, unavailable, internal"]
    message: Annotated[str, "what happened and what to do"]


class ErrorDocument(TypedDict):
    error: Annotated[ProblemForm, "what went wrong"]


class BadRequest(Exception):
    """A request that cannot be understood: an unknown parameter, a value of another type."""


_CODES: tuple[tuple[type[Exception], int, str], ...] = (
    (BadRequest, 400, "bad_request"),
    (TraceNotFound, 404, "not_found"),
    (UnsupportedQuery, 400, "unsupported"),
    (ConfigError, 400, "bad_request"),
    (MissingExtra, 501, "unsupported"),
    (StoreError, 503, "unavailable"),
    (OtelMasError, 502, "unavailable"),
)


def error_of(error: Exception) -> tuple[int, ErrorDocument]:
    """Status and document of an error; of one that nobody foresaw only its class is told."""
    for kind, status, code in _CODES:
        if isinstance(error, kind):
            return status, document(code, str(error))
    message = f"{type(error).__name__} in the server: its log has the traceback; please report it as a bug"
    return 500, document("internal", message)


def document(code: str, message: str) -> ErrorDocument:
    """The form of all errors."""
    return {"error": {"code": code, "message": message}}


__all__ = ["BadRequest", "ErrorDocument", "ProblemForm", "document", "error_of"]
