"""Log records of the app: the ids of what was going on, and a copy beside their span.

- `ids`: the ids
- `inside`: the recorded span around a log call
- `keep`: the copies, on the way to the writer's thread
- `stdlib`, `loguru_records`, `structlog_records`: the way into each library
- `level`: hooks on and off
"""
