"""A TCP proxy on loopback whose connections break: cut, reset, held up, or with a bit that is another."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import Final, Self

_CHUNK = 16_384
_ANSWERS_BYTES = 500  # of a few answers: those to exports are short
_RESET = struct.pack("ii", 1, 0)  # linger for no time: a close is a reset then


class Fault(Enum):
    """What befalls a connection."""

    CUT = "cut"
    """It is closed, in the middle of whatever is on its way."""
    RESET = "reset"
    DELAY = "delay"
    """Nothing gets through for a while."""
    CORRUPT = "corrupt"
    """A bit is inverted. The connection is cut some time later: a client could go on with it for ever."""


FAULTS: Final = tuple(Fault)
_LONGEST_DELAY_S = 0.5
_PREFIX: Final = 5  # of a gRPC message: flags, and four bytes of length
_GZIP_MAGIC: Final = b"\x1f\x8b"


@dataclass
class _Plan:
    """The fault of a connection, once so many bytes have gone in a direction."""

    fault: Fault
    to_server: bool
    after: int
    bit: int
    delay_s: float
    rest: int
    """Bytes that go on after it, before the connection is cut."""


def _corruptible(data: bytes | bytearray) -> int:
    """The place of the first byte of which a server can see that it was changed.

    gRPC's core takes a message whose flags it does not know for an empty one, which a server of OTLP acknowledges:
    docs/limits.md. So the flags of a gzipped message are passed over.
    """
    are_flags = data[0] in (0, 1) and data[_PREFIX : _PREFIX + 2] == _GZIP_MAGIC
    return _PREFIX if are_flags else 0


class Proxy:
    """`with Proxy(target, chance) as proxy:` clients connect to `proxy.address`.

    Args:
        target: `host:port` of the server; it need not be there.
        chance: gives each connection its fault and its moment.
        most_bytes: a connection's fault comes before so many have gone to the server, or a few answers have come.
    """

    def __init__(self, target: str, chance: random.Random, most_bytes: int = 20_000) -> None:
        self._target = target
        self._chance = chance
        self._most_bytes = most_bytes
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._connections: set[asyncio.Task[None]] = set()
        self.harmless = False
        """Whether new connections go through without a fault."""
        self.faults: Counter[Fault] = Counter()
        """Faults that happened."""

    def __enter__(self) -> Self:
        self._thread.start()
        started = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._accept, "127.0.0.1", 0), self._loop)
        self._server = started.result()
        self.address = "{}:{}".format(*self._server.sockets[0].getsockname()[:2])
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def heal(self) -> None:
        """Cut all connections, and let new ones through without a fault."""
        self.harmless = True
        asyncio.run_coroutine_threadsafe(self._cut_all(), self._loop).result()

    async def _close(self) -> None:
        self._server.close()
        await self._cut_all()

    async def _cut_all(self) -> None:
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _plan(self) -> _Plan | None:
        if self.harmless:
            return None
        number = self._chance.randrange
        to_server = self._chance.random() < 0.7
        most = self._most_bytes if to_server and number(2) else _ANSWERS_BYTES
        return _Plan(
            fault=self._chance.choice(FAULTS),
            to_server=to_server,
            after=number(most),
            bit=1 << number(8),
            delay_s=self._chance.uniform(0, _LONGEST_DELAY_S),
            rest=number(most),
        )

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        writers = [writer]
        try:
            host, _, port = self._target.rpartition(":")
            to_reader, to_writer = await asyncio.open_connection(host, int(port))
            writers.append(to_writer)
            plan = self._plan()
            ways = [
                asyncio.create_task(self._carry(reader, to_writer, plan if plan and plan.to_server else None)),
                asyncio.create_task(self._carry(to_reader, writer, None if plan and plan.to_server else plan)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                ended = await asyncio.gather(*ways, return_exceptions=True)
            if Fault.RESET in ended:
                for one in writers:
                    sock: socket.socket = one.get_extra_info("socket")
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        except (OSError, asyncio.CancelledError):
            pass  # the server is not there, or the test ends
        finally:
            for one in writers:
                one.transport.abort()
            self._connections.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, plan: _Plan | None) -> Fault:
        """Hand on what comes until a fault ends it; returns how the connection ends."""
        left = None if plan is None else plan.after
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                if plan is None or left is None or len(data) <= left:
                    left = None if left is None else left - len(data)
                    writer.write(data)
                    await writer.drain()
                    continue
                writer.write(data[:left])
                await writer.drain()
                self.faults[plan.fault] += 1
                if plan.fault in (Fault.CUT, Fault.RESET):
                    return plan.fault
                if plan.fault is Fault.DELAY:
                    await asyncio.sleep(plan.delay_s)
                rest = bytearray(data[left:])
                if plan.fault is Fault.CORRUPT:
                    rest[_corruptible(rest)] ^= plan.bit
                writer.write(rest)
                await writer.drain()
                left, plan = plan.rest, _Plan(Fault.CUT, plan.to_server, plan.rest, 0, 0.0, 0)
        return Fault.CUT
