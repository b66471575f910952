"""ClickHouse's HTTP interface over its engine in a process, `chdb`: a program, since a process has one engine.

Statements, tables and errors are the engine's own. Here is what the interface adds to them: parameters, passwords,
statuses, and answers to the Collector's exporter in blocks with the headers that a server writes for its clients.
"""

from __future__ import annotations

import base64
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import orjson
from chdb.session import Session

_FORMAT = re.compile(r"\s+FORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
_INSERT = re.compile(r"\s*INSERT\s", re.IGNORECASE)
_ANSWERS_ROWS = re.compile(r"\s*(SELECT|DESCRIBE|WITH|SHOW)\s", re.IGNORECASE)
_STATUSES = {"60": 404, "81": 404, "516": 403, "497": 403}
_SIZES = {"UInt8": 1, "UInt32": 4, "UInt64": 8}


class Engine:
    """One database folder; statements are answered one after the other."""

    def __init__(self, folder: Path) -> None:
        self._session = Session(str(folder))
        self._lock = threading.Lock()

    def answer(self, sql: str, parameters: dict[str, str], wanted: str, body: bytes) -> bytes:
        """The bytes of an answer in a format. Raises RuntimeError with the engine's message."""
        with self._lock:
            if _INSERT.match(sql) and body:
                named = _FORMAT.search(sql)
                with self._session.send_insert(_FORMAT.sub("", sql), named[1] if named else "Native") as insertion:
                    insertion.append(body)
                    insertion.finish()
                return b""
            return bytes(self._session.query(sql, wanted, params=parameters or None).bytes())


def native_block(answer: bytes) -> bytes:
    """A `JSONCompact` answer as one block of the Native format, as a server writes it to its clients."""
    if not answer:
        return b""
    found = orjson.loads(answer)
    rows = found["data"]
    block = b"\x01\x00\x02\xff\xff\xff\xff\x00" + _varint(len(found["meta"])) + _varint(len(rows))
    for place, column in enumerate(found["meta"]):
        block += _text(column["name"]) + _text(column["type"]) + b"\x00"
        for row in rows:
            value = row[place]
            size = _SIZES.get(column["type"])
            block += _text(value) if size is None else int(value).to_bytes(size, "little")
    return block


def _text(value: str) -> bytes:
    encoded = value.encode()
    return _varint(len(encoded)) + encoded


def _varint(number: int) -> bytes:
    encoded = b""
    while number > 0x7F:
        encoded += bytes((number & 0x7F | 0x80,))
        number >>= 7
    return encoded + bytes((number,))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    engine: Engine
    password = ""

    def do_GET(self) -> None:
        self._carry_out(b"")

    def do_POST(self) -> None:
        self._carry_out(self._body())

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        read = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            read += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return read

    def _carry_out(self, body: bytes) -> None:
        asked = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        parameters = {name[6:]: value for name, value in asked.items() if name.startswith("param_")}
        sql = asked.get("query", "")
        if not sql:
            sql, body = body.decode(), b""
        if not sql:
            self._reply(200, b"Ok.\n")
            return
        if self.password not in ("", self.headers.get("X-ClickHouse-Key"), self._basic_password()):
            self._refuse("Code: 516. DB::Exception: default: Authentication failed. (AUTHENTICATION_FAILED)")
            return
        if self.command == "GET" and not _ANSWERS_ROWS.match(sql):
            self._refuse("Code: 164. DB::Exception: Cannot execute query in readonly mode. (READONLY)")
            return
        named = _FORMAT.search(sql)
        blocks = named is None and asked.get("default_format") == "Native"
        wanted = "JSONCompact" if blocks else named[1] if named else "TabSeparated"
        try:
            answer = self.engine.answer(sql, parameters, wanted, body)
        except Exception as error:  # the engine raises RuntimeError, and other kinds for a connection of its own
            self._refuse(str(error))
        else:
            self._reply(200, native_block(answer) if blocks else answer)

    def _basic_password(self) -> str:
        encoded = self.headers.get("Authorization", "").removeprefix("Basic ")
        return base64.b64decode(encoded).decode().partition(":")[2]

    def _refuse(self, message: str) -> None:
        code = re.search(r"Code: (\d+)", message)
        self._reply(_STATUSES.get(code[1], 400) if code else 500, message.encode())

    def _reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def main(folder: str, port: str, password: str = "") -> None:
    Handler.engine, Handler.password = Engine(Path(folder)), password
    ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
