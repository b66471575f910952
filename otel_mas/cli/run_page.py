"""The page of a run while it runs: `otel-mas run --serve`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from otel_mas.cli.output import note
from otel_mas.doctor.server import Address, Answer, Listener, address_of, ask_server, get, shown
from otel_mas.errors import ConfigError, MissingExtra

_LOOK_EVERY_S = 0.2
_PATIENCE_S = 5.0
_ENDS_WITHIN_S = 15.0
_ENDING = ("SIGINT", "SIGTERM", "SIGHUP")


@dataclass(frozen=True, slots=True)
class PageOptions:
    """The wishes of the command line."""

    address: Address
    browser: bool
    """Whether the page may be opened in a browser."""


class RunPage:
    """A server that shows a store: one that is there already, or one that was started and ends with this process.

    Raises:
        ConfigError: The address is taken by something else, or by a server of another store.
        MissingExtra: The extra `server` is not installed.
    """

    def __init__(self, store: str, options: PageOptions) -> None:
        self._options = options
        self._ended = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._address = options.address
        answer = ask_server(options.address) if options.address[1] else Answer(Listener.NONE)
        if answer.listener is Listener.NONE:
            self._process, self._address = _started(store, options.address)
        elif not answer.shows(store):
            raise ConfigError(
                f"{shown(options.address)} is taken by {_named(answer)}: end it, or give --listen 127.0.0.1:0 for a "
                "port that is free"
            )
        self.url = f"http://{shown(self._address)}"

    @property
    def address(self) -> Address:
        """The address of API and page."""
        return self._address

    def show(self, run_id: str, environ: Mapping[str, str]) -> None:
        """Print where the run can be followed, and open its picture in a browser once it has begun."""
        note(f"live at {self.url}/?run={run_id}")
        if self._options.browser and has_display(environ):
            threading.Thread(target=self._open_first, args=(run_id,), name="otel-mas browser", daemon=True).start()

    def stay(self) -> None:
        """Return when a signal asks for the end; at once in CI, and where the server was there before."""
        if self._process is None or self._process.poll() is not None or os.environ.get("CI"):
            return
        before = {}
        for name in _ENDING:
            number = getattr(signal, name)
            if name != "SIGHUP" or signal.getsignal(number) is not signal.SIG_IGN:  # nohup means it to stay
                before[number] = signal.signal(number, self._end)
        try:
            note(f"the page stays at {self.url}; Ctrl-C ends it")
            self._process.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def close(self) -> None:
        """End the server, where it was started here."""
        self._ended.set()
        if self._process is None:
            return
        self._end()
        try:
            self._process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _end(self, *_: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()

    def _open_first(self, run_id: str) -> None:
        while not self._ended.wait(_LOOK_EVERY_S):
            reply = get(self._address, f"/api/v1/traces?run={run_id}&limit=1", _PATIENCE_S)
            with suppress(LookupError, TypeError, ValueError):  # none yet, or the server is ending
                trace_id = json.loads(reply[1] if reply else b"")["traces"][0]["trace_id"]
                webbrowser.open(f"{self.url}/traces/{trace_id}")
                return


def _named(answer: Answer) -> str:
    if answer.location is not None:
        return f"an otel-mas serve that shows {answer.location}"
    return "an otel-mas serve with a token" if answer.listener is Listener.WITH_TOKEN else "another program"


def has_display(environ: Mapping[str, str]) -> bool:
    """Whether a browser can be opened where someone sees it: not in CI, not over SSH, not without a display."""
    if environ.get("CI"):
        return False
    if sys.platform == "darwin":
        return "SSH_CONNECTION" not in environ
    return bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


def _started(store: str, address: Address) -> tuple[subprocess.Popen[str], Address]:
    """A server of its own session, which a Ctrl-C at the terminal does not reach; and its address."""
    import importlib.util

    for needed in ("starlette", "uvicorn"):
        if importlib.util.find_spec(needed) is None:
            raise MissingExtra(f"otel-mas run --serve needs {needed}: pip install 'otel-mas[server]'")
    host, port = address
    command = [sys.executable, "-m", "otel_mas.server.companion", os.path.abspath(store), host, str(port)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    with process.stdout:
        line = process.stdout.readline().strip()
    if not line.startswith("at "):
        process.wait()
        raise ConfigError(line or f"the server ended with status {process.returncode}: `otel-mas serve` shows why")
    return process, address_of(line.removeprefix("at "))


__all__ = ["PageOptions", "RunPage", "has_display"]
