"""Bodies of requests: JSON, bounded in size, held against the form that the endpoint takes."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from otel_mas.report.json.schema import model_of
from otel_mas.server.api.errors import BadRequest

_MOST_BYTES = 64 * 1024


async def read_json(request: Request) -> bytes:
    """The bytes of the body.

    Raises:
        HTTPException: It is no JSON by its type, which a form of another site's page cannot send; or too long.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "the body has to be application/json")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise HTTPException(413, f"the body is longer than {_MOST_BYTES:,} bytes")
    return body


def posted(form: Any, body: bytes) -> dict[str, Any]:
    """The fields of a body that were given. Raises `BadRequest` where it has not the form."""
    try:
        return model_of(form).model_validate(orjson.loads(body), strict=True).model_dump(exclude_unset=True)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"the body is no JSON: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or "the body"
        raise BadRequest(f"{name}: {first['msg'].lower()}") from None


__all__ = ["posted", "read_json"]
