"""ClickHouse's HTTP interface: SQL with parameters, by GET, which ClickHouse answers read-only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from otel_mas.errors import SourceError
from otel_mas.sources.endpoint import Access, Endpoint
from otel_mas.sources.http_client import HttpClient, Reply

PORT, TLS_PORT = 8123, 8443
DATABASE, TABLE = "default", "otel_traces"
"""Names that the Collector's exporter uses unless it is told others."""

Parameter = str | int | Sequence[str]

_ERROR = re.compile(r"Code: (\d+)\. DB::Exception: (.*)", re.DOTALL)
_NO_TABLE = {60, 81}  # UNKNOWN_TABLE, UNKNOWN_DATABASE
_OTHER_COLUMNS = {43, 46, 47, 53}  # ILLEGAL_TYPE_OF_ARGUMENT, UNKNOWN_FUNCTION, UNKNOWN_IDENTIFIER, TYPE_MISMATCH
_ACCESS = {192, 193, 194, 497, 516}  # UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD, ACCESS_DENIED, ...
_LIMITS = {158, 159, 241, 307}  # TOO_MANY_ROWS, TIMEOUT_EXCEEDED, MEMORY_LIMIT_EXCEEDED, TOO_MANY_BYTES
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0", "\b": "\\b", "\f": "\\f"})


class ClickHouseClient:
    """One table of spans.

    Args:
        endpoint: its path names the database and the table, `/database/table`; either may be left out.

    Raises:
        SourceError: the path names more than these.
    """

    def __init__(self, endpoint: Endpoint, access: Access) -> None:
        self.location = endpoint.location
        named = [part for part in endpoint.path.split("/") if part]
        if len(named) > 2:
            raise SourceError(
                f"{self.location} names more than a database and a table: give"
                f" {endpoint.scheme}://{endpoint.authority}/{DATABASE}/{TABLE}"
            )
        database, table = (*named, *(DATABASE, TABLE)[len(named) :])
        self._table = f"{database}.{table}"
        self._tables = {"database": database, "spans": table, "times": f"{table}_trace_id_ts"}
        self._http = HttpClient(
            replace(endpoint, path=""),
            access,
            product="ClickHouse",
            hint=f"ClickHouse's HTTP interface listens on {PORT}, {TLS_PORT} with TLS, unless told otherwise",
        )

    def rows(self, sql: str, parameters: Mapping[str, Parameter]) -> list[list[Any]]:
        """The rows of a statement.

        Args:
            sql: may name the tables `{database:Identifier}.{spans:Identifier}` and `{database:Identifier}.
                {times:Identifier}`, and each parameter as `{name:Type}`.

        Raises:
            SourceError: ClickHouse cannot be reached, or refuses.
        """
        import orjson

        asked = {**self._tables, **parameters}
        query = [("query", f"{sql} FORMAT JSONCompactEachRow"), ("wait_end_of_query", "1")]
        query += [(f"param_{name}", _encoded(value)) for name, value in asked.items()]
        reply = self._http.get("/", query, accept="*/*", statuses=(200, 400, 403, 404, 500, 503))
        if reply.status != 200:
            raise self._failure(reply)
        try:
            return [orjson.loads(line) for line in reply.body.decode("utf-8", "replace").splitlines() if line]
        except orjson.JSONDecodeError as error:
            if _ERROR.search(reply.message):
                raise self._failure(reply) from error
            raise self._http.not_this_server(f"{reply.status}, no rows") from error

    def _failure(self, reply: Reply) -> SourceError:
        """The error for a statement that ClickHouse did not carry out."""
        found = _ERROR.search(reply.message)
        if found is None:
            return self._http.status_error(reply)
        code, message = int(found[1]), found[2]
        if code in _NO_TABLE:
            return SourceError(
                f"ClickHouse at {self.location} has no table {self._table}, or none {self._table}_trace_id_ts beside"
                " it: the Collector's clickhouse exporter makes both. Another database or table is named in the"
                f" address, like clickhouse://localhost:{PORT}/otel/{TABLE}"
            )
        if code in _OTHER_COLUMNS:
            return SourceError(
                f"{self._table} in {self.location} is not as the Collector's clickhouse exporter makes it with Map"
                f" columns (`json: false`, the default): {message}"
            )
        if code in _ACCESS:
            return SourceError(
                f"{self.location} refuses access: {message}; set OTEL_MAS_SOURCE_HEADERS, for instance"
                " X-ClickHouse-User=reader,X-ClickHouse-Key=<password>"
            )
        if code in _LIMITS:
            return SourceError(
                f"{self.location} stopped at a limit of its own: {message}; ask for less, say since when"
            )
        return SourceError(f"ClickHouse at {self.location} failed (code {code}): {message}")


def _encoded(value: Parameter) -> str:
    """A parameter as ClickHouse reads it: the escapes of its tab-separated format; an array in its own notation."""
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    if isinstance(value, int):
        return str(value)
    items = (item.replace("\\", "\\\\").replace("'", "\\'") for item in value)
    return ("[" + ",".join(f"'{item}'" for item in items) + "]").translate(_ESCAPES)
