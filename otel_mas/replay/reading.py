"""Reading of the recording that a replay answers from: by a handle, a file, or an id in a source."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from otel_mas.errors import TraceNotFound
from otel_mas.model import Query, Trace
from otel_mas.record import lifecycle
from otel_mas.replay.recording import Recording
from otel_mas.semconv import attributes as names
from otel_mas.sources import FindsLatest, Source, open_source

THREAD = "thread:"
"""Begins the name of a conversation."""
RUN = "run:"
"""Begins the id of one `otel-mas run`, with all of its traces."""
_LATEST = "latest"
_MOST = 1000  # traces of a file, or that are looked through for the latest
_OF_REPLAYS = (names.MAS_REPLAY_TRACES, names.MAS_REPLAY_OUTCOME, names.MAS_REPLAY_SPAN)


def read_recording(target: str, source: str | None, store: str) -> tuple[Recording, str]:
    """Read a recording, whole: nothing stays open.

    Args:
        target: a file; or the beginning of a trace's id, `latest`, `thread:` and a thread, or `run:` and a run's id.
            Replays are neither the latest trace nor part of a conversation, unless there is nothing else.
        source: where the trace is, as `open_source` takes it; the store by default.
        store: the path of the store.

    Returns:
        The recording, and the location of its source.

    Raises:
        SourceError: There is no such source, trace or file.
        StoreError: The store cannot be read.
    """
    file = _file(target, source)
    with closing(_opened(target, file, source, store)) as opened:
        return _recording(target, file, opened), opened.location


def read_whole_run(target: str, source: str | None, store: str) -> tuple[Recording, str]:
    """The same with all traces of the `otel-mas run` that a trace belongs to, and the target that is all of them.

    The target is the given one where the source knows no runs, or the trace was recorded otherwise. Raises as
    `read_recording`.
    """
    file = _file(target, source)
    with closing(_opened(target, file, source, store)) as opened:
        recording = _recording(target, file, opened)
        run = _run_of(recording) if opened.capabilities.runs else None
        return (recording, target) if run is None else (_recording(run, None, opened), run)


def _file(target: str, source: str | None) -> Path | None:
    """The file that a target is; None where it is none."""
    path = Path(target).expanduser()
    return path if source is None and path.is_file() else None


def _opened(target: str, file: Path | None, source: str | None, store: str) -> Source:
    if file is not None:
        return open_source(file)
    if Path(target).suffix and not target.startswith((THREAD, RUN)):
        raise TraceNotFound(f"there is no file {target}: `otel-mas export --with-content -o FILE` writes one")
    lifecycle.flush(5.0)  # the run may have been recorded by this very process
    return open_source(store if source is None else source)


def _recording(target: str, file: Path | None, opened: Source) -> Recording:
    if file is not None:
        return Recording.read([(one, opened) for one in _all(opened, str(file))], file.name)
    if target.startswith(THREAD):
        thread = target.removeprefix(THREAD)
        traces = opened.conversation(thread)
        recorded = [one for one in traces if not _is_replay(one)]  # a replay has the thread's id, too
        return _read(recorded or traces, opened, f"conversation {thread!r}")
    if target.startswith(RUN):
        run_id = target.removeprefix(RUN)
        found = sorted(opened.run(run_id).traces, key=lambda one: one.start_ns)
        return _read([opened.trace(one.trace_id) for one in found], opened, f"run {run_id}")
    trace = _latest(opened) if target == _LATEST else opened.trace(target)
    return _read([trace], opened, f"trace {trace.trace_id}")


def _run_of(recording: Recording) -> str | None:
    """The target that is the whole `otel-mas run` of a recording; None where it was recorded otherwise."""
    found = {span.resource.attributes.get(names.MAS_RUN_ID) for span in recording.spans}
    run_id = found.pop() if len(found) == 1 else None
    return f"{RUN}{run_id}" if run_id else None


def _read(traces: Sequence[Trace], source: Source, what: str) -> Recording:
    if not traces:
        raise TraceNotFound(f"{source.location} has no {what}: `otel-mas traces` lists what there is")
    return Recording.read([(one, source) for one in traces], what)


def _latest(source: Source) -> Trace:
    """The trace that started last and is no replay itself, so that the same may be replayed again and again."""
    newest = source.latest() if isinstance(source, FindsLatest) else None
    if newest is not None and not _is_replay(newest):
        return newest
    listed = source.traces(Query(limit=_MOST))
    if not listed:
        raise TraceNotFound(f"{source.location} has no trace: record one with `otel-mas run -- python app.py`")
    traces = (source.trace(one.trace_id) for one in listed)
    return next((one for one in traces if not _is_replay(one)), newest or source.trace(listed[0].trace_id))


def _is_replay(trace: Trace) -> bool:
    return any(span.get(name) is not None for span in trace.spans for name in _OF_REPLAYS)


def _all(source: Source, path: str) -> Sequence[Trace]:
    """The traces of a file, oldest first."""
    listed = sorted(source.traces(Query(limit=_MOST)), key=lambda one: one.start_ns)
    if not listed:
        raise TraceNotFound(f"{path} has no trace")
    return [source.trace(one.trace_id) for one in listed]


__all__ = ["RUN", "THREAD", "read_recording", "read_whole_run"]
