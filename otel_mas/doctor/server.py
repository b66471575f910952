"""Servers of `otel-mas serve` on this machine: whether one is at an address, and what it shows."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from otel_mas.doctor.findings import Finding, finding
from otel_mas.doctor.forms import PortForm

Address = tuple[str, int]
API: Final[Address] = ("127.0.0.1", 4320)
"""Default address of API and page."""
PORTS: Final[tuple[tuple[str, Address], ...]] = (
    ("--grpc", ("127.0.0.1", 4317)),
    ("--http", ("127.0.0.1", 4318)),
    ("--listen", API),
)
"""Default addresses, with their options."""
_TIMEOUT_S = 1.0
_MOST_PORTS = 65_535
_MOST_BYTES = 1 << 20
_FIGURES = b"mas_receiver"


class Listener(StrEnum):
    NONE = "none"
    OTEL_MAS = "otel-mas"
    WITH_TOKEN = "otel-mas, with a token"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Answer:
    """The server at the address of an API; `location` is what it shows, where it is `otel-mas serve`."""

    listener: Listener
    location: str | None = None
    receiving: bool = False

    def shows(self, store: str | Path) -> bool:
        """Whether it is this store that it shows."""
        return self.location is not None and Path(self.location).absolute() == Path(store).expanduser().absolute()


def ask_server(address: Address, timeout_s: float = _TIMEOUT_S) -> Answer:
    """Ask an address whether the API of `otel-mas serve` is there."""
    reply = get(address, "/api/v1/info", timeout_s)
    if reply is None:
        return Answer(Listener.OTHER if _listens(address, timeout_s) else Listener.NONE)
    status, body = reply
    with suppress(ValueError, AttributeError, TypeError, KeyError):
        document = json.loads(body)
        if status == http.client.OK:
            return Answer(Listener.OTEL_MAS, str(document["location"]), bool(document["receiving"]))
        if status == http.client.UNAUTHORIZED and document["error"]["code"] == "unauthorized":
            return Answer(Listener.WITH_TOKEN)
    return Answer(Listener.OTHER)


def check_server(
    store: str, ports: Sequence[tuple[str, Address]] = PORTS, timeout_s: float = _TIMEOUT_S
) -> tuple[list[PortForm], list[Finding]]:
    """Look at the ports of `otel-mas serve`: whether it listens there, or something else does."""
    (grpc_option, grpc), (http_option, receiver), (api_option, api) = ports
    answer = ask_server(api, timeout_s)
    reply = get(receiver, "/metrics", timeout_s)
    ours = reply is not None and _FIGURES in reply[1]
    taken = {
        api_option: answer.listener is Listener.OTHER,
        http_option: not ours and answer.listener is not Listener.WITH_TOKEN and _listens(receiver, timeout_s),
        grpc_option: not (ours or answer.receiving or answer.listener is Listener.WITH_TOKEN)
        and _listens(grpc, timeout_s),
    }
    forms: list[PortForm] = [
        {"address": shown(api), "listening": answer.listener is not Listener.NONE,
         "otel_mas": answer.listener in (Listener.OTEL_MAS, Listener.WITH_TOKEN), "location": answer.location},
        {"address": shown(receiver), "listening": _listens(receiver, timeout_s), "otel_mas": ours, "location": None},
        {"address": shown(grpc), "listening": _listens(grpc, timeout_s), "otel_mas": None, "location": None},
    ]  # fmt: skip
    findings = [
        finding("server-port-taken", address=shown(address), option=option)
        for option, address in ports
        if taken[option]
    ]
    if answer.location is not None:
        code = "server-answers" if answer.shows(store) else "server-shows-other"
        findings.append(finding(code, url=f"http://{shown(api)}", location=answer.location, store=store))
    return forms, findings


def get(address: Address, path: str, timeout_s: float) -> tuple[int, bytes] | None:
    """Status and body, past any proxy; None where nothing listens, or it does not answer over HTTP in time."""
    connection = http.client.HTTPConnection(*address, timeout=timeout_s)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read(_MOST_BYTES)
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _listens(address: Address, timeout_s: float) -> bool:
    try:
        with socket.create_connection(address, timeout_s):
            return True
    except OSError:
        return False


def address_of(text: str) -> Address:
    """Host and port. Raises ValueError where the text is not HOST:PORT."""
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdecimal() or int(port) > _MOST_PORTS:
        raise ValueError(f"{text!r} is no address: HOST:PORT, such as 127.0.0.1:4317.")
    return host.strip("[]"), int(port)


def shown(address: Address) -> str:
    """Host and port as text."""
    host, port = address
    return f"{f'[{host}]' if ':' in host else host}:{port}"


__all__ = ["API", "PORTS", "Address", "Answer", "Listener", "address_of", "ask_server", "check_server", "get", "shown"]
