"""Reading of the recording that a replay answers from: by a handle, a file, or an id in a source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from otel_mas.errors import ConfigError, TraceNotFound
from otel_mas.model import Query, Trace
from otel_mas.record import lifecycle
from otel_mas.replay.recording import Recording
from otel_mas.sources import FindsLatest, Source, open_source

THREAD = "thread:"
"""Begins the name of a conversation."""
_LATEST = "latest"
_MOST = 100  # traces of a file that are one run


def read_recording(target: str, source: str | None, store: str) -> tuple[Recording, Source]:
    """Read a recording.

    Args:
        target: a file with one run; or the beginning of a trace's id, `latest`, or `thread:` and a thread.
        source: where the trace is, as `open_source` takes it; the store by default.
        store: the path of the store.

    Returns:
        The recording, and the source, which is to be closed after the replay.

    Raises:
        SourceError: There is no such source, trace or file.
        StoreError: The store cannot be read.
        ConfigError: A file has several runs.
    """
    path = Path(target).expanduser()
    if source is None and path.is_file():
        opened = open_source(path)
        return Recording.read([(one, opened) for one in _only_run(opened, str(path))], path.name), opened
    lifecycle.flush(5.0)  # the run may have been recorded by this very process
    opened = open_source(store if source is None else source)
    if target.startswith(THREAD):
        thread = target.removeprefix(THREAD)
        return _read(opened.conversation(thread), opened, f"conversation {thread!r}"), opened
    trace = _latest(opened) if target == _LATEST else opened.trace(target)
    return _read([trace], opened, f"trace {trace.trace_id}"), opened


def _read(traces: Sequence[Trace], source: Source, what: str) -> Recording:
    if not traces:
        raise TraceNotFound(f"{source.location} has no {what}: `otel-mas traces` lists what there is")
    return Recording.read([(one, source) for one in traces], what)


def _latest(source: Source) -> Trace:
    if isinstance(source, FindsLatest) and (found := source.latest()) is not None:
        return found
    listed = source.traces(Query(limit=1))
    if not listed:
        raise TraceNotFound(f"{source.location} has no trace: record one with `otel-mas run -- python app.py`")
    return source.trace(listed[0].trace_id)


def _only_run(source: Source, path: str) -> Sequence[Trace]:
    """The traces of a file: one, or those of one conversation."""
    listed = sorted(source.traces(Query(limit=_MOST)), key=lambda one: one.start_ns)
    if not listed:
        raise TraceNotFound(f"{path} has no trace")
    threads = {one.conversation_id for one in listed}
    if len(listed) > 1 and (len(threads) > 1 or None in threads):
        raise ConfigError(
            f"{path} has {len(listed)} runs: say which one to replay by its id, with the file as its source"
        )
    return [source.trace(one.trace_id) for one in listed]


__all__ = ["THREAD", "read_recording"]
