"""Run the server by itself: `python -m examples.model_server --port 8080`."""

from __future__ import annotations

import argparse
import threading

from examples.model_server.server import ModelServer


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.model_server", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="0 picks a free one (default: 8080)")
    parser.add_argument("--key", default="local", help="the API key to accept (default: local)")
    parser.add_argument("--pace", type=float, default=1.0, help="latencies are multiplied by this; 0 answers at once")
    options = parser.parse_args()
    with ModelServer(port=options.port, api_key=options.key, pace=options.pace) as server:
        print(f"OPENAI_BASE_URL={server.url} OPENAI_API_KEY={options.key}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
