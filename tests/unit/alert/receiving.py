"""A server that alerts are sent to: it answers as it is told, and remembers what it got."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiving:
    """Answers: a status each, "lost" for none after the request; 200 once there are no more."""

    url: str = ""
    answers: list[int | str] = field(default_factory=list)
    got: list[tuple[dict[str, str], Any]] = field(default_factory=list)


@contextmanager
def receiving(*answers: int | str) -> Iterator[Receiving]:
    """A server on a free port of this machine."""
    seen = Receiving(answers=list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.got.append((dict(self.headers), body))
            answer = seen.answers.pop(0) if seen.answers else 200
            if answer == "lost":
                self.close_connection = True
                return
            self.send_response(int(answer))
            if answer == 302:
                self.send_header("Location", seen.url)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    seen.url = f"http://127.0.0.1:{server.server_port}/services/SECRET"
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
