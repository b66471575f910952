"""The server beside an app under `otel-mas run --serve`: API and page alone, until the process that started it ends.

Run as `python -m otel_mas.server.companion STORE HOST PORT`, with a pipe as its standard input: it ends once that is
closed, so that none is left behind where its parent was killed. It prints `at ADDRESS` once it listens, else why not.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from otel_mas.config import Settings
from otel_mas.errors import OtelMasError
from otel_mas.server.serve import Options, Running, run


def main(arguments: list[str]) -> int:
    """Serve a store; returns the exit status."""
    store, host, port = arguments
    try:
        run(Settings.from_env(store=store), Options(grpc=None, http=None, api=(host, int(port))), _started)
    except OtelMasError as error:
        print(" ".join(str(error).split()), flush=True)
        return 1
    return 0


def _started(running: Running) -> None:
    host, port = running.api
    print(f"at {f'[{host}]' if ':' in host else host}:{port}", flush=True)
    threading.Thread(target=_end_with_parent, name="otel-mas parent", daemon=True).start()


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
