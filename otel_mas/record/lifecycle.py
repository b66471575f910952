"""Start, flush and shutdown of the process's recording, at exit and around forks."""

from __future__ import annotations

import atexit
import dataclasses
import os
import sys
from collections.abc import Sequence

from otel_mas.config import Settings
from otel_mas.errors.log import logger
from otel_mas.fork import switch_interval
from otel_mas.record.guard import guarded, set_strict
from otel_mas.record.interrupts import first_interrupt_held
from otel_mas.record.pipeline.recording import Recording
from otel_mas.record.pipeline.span_data import Enricher
from otel_mas.record.recorder import recorder
from otel_mas.record.sdk import provider
from otel_mas.record.sdk.processor import ForeignSpans

_recording: Recording | None = None
_ending: list[Recording] = []  # more than one only where the app's shutdown was interrupted: the exit completes it
_hooked = False


def start(settings: Settings, foreign_spans: ForeignSpans | None = None, enrichers: Sequence[Enricher] = ()) -> None:
    """Turn recording on. Costs nothing yet: thread and file come with the first span.

    A recording with other settings is ended first; with the same settings it goes on.

    Args:
        settings: of the process.
        foreign_spans: completes spans of other instrumentation.
        enrichers: complete every ended span.
    """
    global _recording
    if not settings.enabled:
        return
    if settings.content is None:
        settings = dataclasses.replace(settings, content="none")
    if _recording is not None:
        if _recording.settings == settings:
            return
        shutdown(settings.exit_timeout_s)
    set_strict(settings.strict)
    _recording = Recording(settings, foreign_spans=foreign_spans, enrichers=enrichers)
    _hook_process()
    provider.attach(_recording.processor, settings)
    recorder().connect(settings, _recording.queue, _recording.digests, provider.tracer)


def flush(timeout: float) -> bool:
    """Write what is recorded so far, in `timeout` seconds at most; return whether all of it is in the store."""
    return _recording is None or _recording.flush(timeout)


def shutdown(timeout: float) -> bool:
    """Flush, and turn recording off until it is started again; return whether all is in the store."""
    global _recording
    recording, _recording = _recording, None
    if recording is None:
        return True
    _ending.append(recording)
    recorder().disconnect()
    provider.detach()
    written = recording.shutdown(timeout)
    _ending.remove(recording)
    return written


def _hook_process() -> None:
    global _hooked
    if _hooked:
        return
    _hooked = True
    atexit.register(_at_exit)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_before_fork, after_in_parent=_after_in_parent, after_in_child=_after_in_child)


@guarded("at exit")
def _at_exit() -> None:
    if _recording is None and not _ending:
        return
    try:
        with first_interrupt_held():
            for recording in _ending:
                recording.shutdown(recording.settings.exit_timeout_s)
            if _recording is not None:
                shutdown(_recording.settings.exit_timeout_s)
    except KeyboardInterrupt:
        logger.warning("otel-mas: interrupted before all that was recorded was written")
    finally:
        _keep_interrupt()


def _keep_interrupt() -> None:
    """An app that an unhandled KeyboardInterrupt ends is to die by SIGINT, as without us.

    CPython does that by a flag which it clears whenever a string is run by `exec` or `eval`, as modules that we load
    at exit do to make their dataclasses and named tuples; and sets where such a string ends by that exception.
    """
    ending = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    if isinstance(ending, KeyboardInterrupt):
        try:
            exec("raise KeyboardInterrupt")
        except KeyboardInterrupt:
            pass


@guarded("before a fork")
def _before_fork() -> None:
    if _recording is not None:
        switch_interval.shorten()
        _recording.before_fork()


@guarded("after a fork, in the parent")
def _after_in_parent() -> None:
    if _recording is not None:
        _recording.after_fork_in_parent()
    switch_interval.restore()


@guarded("after a fork, in the child")
def _after_in_child() -> None:
    switch_interval.restore(in_child=True)
    _ending.clear()  # the parent's
    if _recording is not None:
        _recording.after_fork_in_child()


__all__ = ["flush", "shutdown", "start"]
