"""An app without LangGraph that ends as its argument says, with spans of its own and of its child processes."""

import multiprocessing
import os
import signal
import sqlite3
import sys
import time

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

trace.set_tracer_provider(TracerProvider())
tracer = trace.get_tracer("app")


def work(name: str) -> None:
    with tracer.start_as_current_span(name):
        pass


def until_stored() -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with sqlite3.connect(f"file:{os.environ['OTEL_MAS_STORE']}?mode=ro", uri=True) as store:
                if store.execute("SELECT count(*) FROM spans").fetchone() == (1,):
                    return
        except sqlite3.OperationalError:  # it is still being made
            pass
        time.sleep(0.05)


def main(ending: str) -> None:
    work("parent")
    print("working", flush=True)
    if ending in ("fork", "spawn"):
        context = multiprocessing.get_context(ending)
        processes = [context.Process(target=work, args=[f"child {number}"]) for number in range(2)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
            assert process.exitcode == 0
        work("parent again")
    elif ending == "exit":
        sys.exit("with a message")
    elif ending == "exception":
        raise LookupError("nobody caught it")
    elif ending == "os._exit":
        until_stored()
        os._exit(7)
    elif ending == "kill":
        until_stored()
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1])
