"""`otel-mas serve` put together: the receivers, the API and the page, in one process, until a signal ends it."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import resource
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import grpc  # type: ignore[import-untyped]

from otel_mas.config import Settings
from otel_mas.errors import ConfigError, StoreReplaced
from otel_mas.receiver.otlp import grpc_service
from otel_mas.receiver.otlp.figures import Figures
from otel_mas.receiver.otlp.http_app import HttpApp
from otel_mas.receiver.otlp.ingest import Ingest
from otel_mas.server.access import Access, App, Guard, TokenInterceptor, is_loopback, read_token
from otel_mas.server.http_server import HttpServer, Tls, bound_socket
from otel_mas.server.own_metrics import OwnMetrics
from otel_mas.server.probes import Probes

if TYPE_CHECKING:
    from otel_mas.api import Source

Address = tuple[str, int]
GRACE_S: Final = 10.0
"""Seconds that requests under way have when the server is told to end."""
_PAGE_GRACE_S: Final = 2.0
_DRAIN_S: Final = 30.0
_SWITCH_S: Final = 0.001  # a thread that comes back from SQLite waits so long for one that computes, not 5 ms
_DESCRIPTORS: Final = 16_384
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # of malloc.h
_LARGE_BYTES, _ARENAS = 1 << 20, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command line: addresses to listen on, and who may connect. An address that is None is not listened on."""

    grpc: Address | None = ("127.0.0.1", 4317)
    http: Address | None = ("127.0.0.1", 4318)
    api: Address = ("127.0.0.1", 4320)
    source: str | None = None
    """Another source than the store; then nothing is received."""
    token_file: str | None = None
    tls: Tls | None = None
    allowed_hosts: tuple[str, ...] = ()

    def access(self) -> Access:
        """The rules. Raises ConfigError where others could reach the server, and it would let in anyone."""
        token = None if self.token_file is None else read_token(self.token_file)
        if self.tls is not None:
            self.tls.check()
        hosts = [address[0] for address in (self.grpc, self.http, self.api) if address is not None]
        open_ones = [host for host in hosts if not is_loopback(host)]
        if open_ones and token is None and (self.tls is None or self.tls.client_ca is None):
            raise ConfigError(
                f"{open_ones[0]} can be reached from other machines: give a --token-file, or --tls-client-ca for "
                "clients with certificates"
            )
        return Access.of(token, [*self.allowed_hosts, *open_ones])


@dataclass(frozen=True, slots=True)
class Running:
    """Addresses that a server listens on."""

    grpc: Address | None
    http: Address | None
    api: Address


def run(settings: Settings, options: Options, started: Callable[[Running], None]) -> None:
    """Serve until SIGTERM or SIGINT, then finish what was accepted.

    Args:
        settings: the store and its caps.
        options: the addresses.
        started: called once all of them are listened on.

    Raises:
        ConfigError: an address cannot be listened on, or would be open to anyone.
        StoreError: the store cannot be written, or its file was removed or replaced.
    """
    sys.setswitchinterval(_SWITCH_S)
    _allow_descriptors()
    _return_memory()
    asyncio.run(_Serving(settings, options).run(started))


class _Serving:
    """One server, from its sockets to its end."""

    def __init__(self, settings: Settings, options: Options) -> None:
        self._settings = settings
        self._options = options
        self._access = options.access()
        self._stopping = asyncio.Event()
        self._stack = ExitStack()
        self._https: list[HttpServer] = []
        self._grpc: grpc.aio.Server | None = None
        self._ingest: Ingest | None = None
        self._end_streams: Callable[[], Awaitable[None]]
        self._failed: StoreReplaced | None = None

    async def run(self, started: Callable[[Running], None]) -> None:
        """Serve until a signal. Raises as `run`."""
        with self._stack:
            metrics = OwnMetrics(namespace=self._settings.metrics_namespace)
            self._stack.callback(metrics.close)
            running = await self._listen(metrics)
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._stopping.set)
            serving = [asyncio.create_task(server.run_until_stopped()) for server in self._https]
            while not all(server.started for server in self._https):
                await asyncio.sleep(0.001)
            gc.collect()
            gc.freeze()  # what is loaded stays, so a collection while requests wait need not look at it
            started(running)
            ended = asyncio.create_task(self._stopping.wait())
            await asyncio.wait([ended, *serving], return_when=asyncio.FIRST_COMPLETED)
            try:
                await self._stop(serving)
            except StoreReplaced as error:
                self._failed = error
            if self._failed is not None:
                again = "start the server again to go on with the file that is there now, or with a new one"
                raise StoreReplaced(f"{self._failed}: {again}")

    async def _listen(self, metrics: OwnMetrics) -> Running:
        options = self._options
        page = self._bound(options.api, "--listen")
        receiving = options.source is None
        http = self._bound(options.http, "--http") if receiving and options.http is not None else None
        grpc_address = None
        if receiving:
            figures = Figures(metrics.meter)
            loop = asyncio.get_running_loop()
            self._ingest = Ingest(self._settings, figures, lambda error: loop.call_soon_threadsafe(self._end, error))
            if http is not None:
                app = HttpApp(self._ingest, figures, self._settings)
                self._serve_http(app, http, metrics, GRACE_S)
            if options.grpc is not None:
                grpc_address = await self._serve_grpc(options.grpc, figures)
        self._serve_page(page, metrics)
        if receiving:
            self._watch_alerts()
        return Running(grpc_address, None if http is None else _address(http), _address(page))

    def _bound(self, address: Address, option: str) -> socket.socket:
        found = bound_socket(*address, option)
        self._stack.callback(found.close)
        return found

    def _serve_http(self, app: Any, sock: socket.socket, metrics: OwnMetrics, grace_s: float, **more: Any) -> None:
        pages = bool(more)
        guarded: App = Guard(Probes(app, self._failure, metrics), self._access, cookies=pages)
        self._https.append(HttpServer(guarded, sock, self._options.tls, grace_s, **more))

    async def _serve_grpc(self, address: Address, figures: Figures) -> Address:
        assert self._ingest is not None
        interceptors = [TokenInterceptor(self._access)] if self._access.token is not None else []
        arguments = grpc_service.options(self._settings.receive_request_bytes)
        server = grpc.aio.server(interceptors=interceptors, options=arguments)
        server.add_generic_rpc_handlers(grpc_service.handlers(self._ingest, figures, self._settings.receive_timeout_s))
        host, port = address
        name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        tls = self._options.tls
        try:
            bound = server.add_insecure_port(name) if tls is None else server.add_secure_port(name, _credentials(tls))
        except RuntimeError:
            bound = 0
        if not bound:
            raise ConfigError(f"--grpc {name} cannot be listened on: is another server there? --grpc off does without")
        self._grpc = server
        await server.start()
        return host, bound

    def _serve_page(self, sock: socket.socket, metrics: OwnMetrics) -> None:
        from otel_mas.api import open as open_source
        from otel_mas.server.api import create_app
        from otel_mas.server.run_metrics import RunMetrics

        source: Source = self._stack.enter_context(open_source(self._options.source or self._settings.store))
        runs = RunMetrics(source, self._settings)
        metrics.add(runs)
        runs.start()
        self._stack.callback(runs.stop)
        app = create_app(source, receiving=self._ingest is not None)
        self._end_streams = app.state.end_streams
        self._serve_http(app, sock, metrics, _PAGE_GRACE_S, lifespan=True)

    def _watch_alerts(self) -> None:
        from otel_mas.server.alert_loop import AlertLoop

        alerts = AlertLoop(self._settings)
        self._stack.callback(alerts.stop)
        alerts.start()

    def _failure(self) -> str | None:
        if self._stopping.is_set():
            return "it is stopping"
        return None if self._ingest is None else self._ingest.failure

    def _end(self, error: StoreReplaced) -> None:
        """End for a reason: what listens would refuse everything for ever, and show a file that is gone."""
        self._failed = error
        self._stopping.set()

    async def _stop(self, serving: list[asyncio.Task[None]]) -> None:
        """Accept nothing more, answer what is under way, store what was accepted."""
        self._stopping.set()
        await self._end_streams()
        for server in self._https:
            server.stop()
        ending: list[Any] = [*serving]
        if self._grpc is not None:
            ending.append(self._grpc.stop(GRACE_S))
        failed = [one for one in await asyncio.gather(*ending, return_exceptions=True) if isinstance(one, Exception)]
        if self._ingest is not None:
            await asyncio.to_thread(self._ingest.stop, _DRAIN_S)
        if failed:
            raise failed[0]


def _credentials(tls: Tls) -> Any:
    authority = None if tls.client_ca is None else Path(tls.client_ca).read_bytes()
    pair = Path(tls.key).read_bytes(), Path(tls.certificate).read_bytes()
    return grpc.ssl_server_credentials([pair], authority, require_client_auth=authority is not None)


def _address(sock: socket.socket) -> Address:
    host, port = sock.getsockname()[:2]
    return str(host), int(port)


def _return_memory() -> None:
    """Let glibc give large requests' memory back: by itself it begins to keep it with the first one that is freed."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_M_ARENA_MAX, _ARENAS)


def _allow_descriptors() -> None:
    """Allow as many connections as the system lets this user have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


__all__ = ["Options", "Running", "run"]
