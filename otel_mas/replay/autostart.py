"""Replay by the settings of the environment: under `otel-mas replay`."""

from __future__ import annotations

import atexit
import os
import sys
from typing import TYPE_CHECKING

from otel_mas.instrumentation.import_hooks import forget, when_imported
from otel_mas.instrumentation.langchain import MODULES as LANGCHAIN

if TYPE_CHECKING:
    from types import TracebackType

    from otel_mas.config import Settings
    from otel_mas.replay.policy import Policy
    from otel_mas.replay.session import ReplaySession

_started: ReplaySession | None = None
_FAILED = 1
_OTHERS = ("otel_mas.api", "openai", "anthropic", "google.genai", "mistralai", "cohere", "groq", "boto3")
"""Modules of marked functions, and clients of models. No HTTP client: our prices import one on their own thread."""


def policy_of(settings: Settings) -> Policy:
    """The policy that the settings ask for."""
    from otel_mas.replay.policy import Policy

    return Policy.of(settings.replay_live, settings.replay_on_miss, settings.replay_timing, settings.replay_freeze)


def start_in_run() -> None:
    """Replay in a process under `otel-mas replay`, once it imports what may call a model: most of a run never do.

    The process ends if the recording cannot be read: the app would call its models.
    """
    for module in (*LANGCHAIN, *_OTHERS):
        when_imported(module, _start)


def _start(_: str) -> None:
    global _started
    forget(_start)
    if _started is not None:
        return
    try:
        _started = _session()
        atexit.register(_say_missed, _started)
    except Exception as error:  # whatever it is: the app would call its models
        reason = " ".join(str(error).split()) or type(error).__name__
        sys.stderr.write(f"otel-mas: nothing can be replayed: {reason}\n")
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_FAILED)


def _session() -> ReplaySession:
    """The replay that the settings ask for, begun."""
    # Loads OpenTelemetry and so on, not while the interpreter starts: then it would be imported by the imports that
    # recording waits for.
    from otel_mas.config import Settings
    from otel_mas.replay.changes import parsed_changes
    from otel_mas.replay.reading import read_recording
    from otel_mas.replay.request import Normaliser
    from otel_mas.replay.segment import segment_of
    from otel_mas.replay.session import ReplaySession
    from otel_mas.replay.switch import start

    settings = Settings.from_env()
    recording = read_recording(str(settings.replay), settings.replay_from, settings.store)[0]
    second = None
    if settings.replay_reference:
        second = read_recording(settings.replay_reference, settings.replay_from, settings.store)[0]
    session = ReplaySession(recording, policy_of(settings), Normaliser.of(settings), settings.replay_stub, second)
    for change in parsed_changes(settings.replay_changes):
        session.counterfactual.add(change)
    segment = segment_of(recording, settings.replay_from_task, settings.replay_to_task)
    if segment is not None:
        session.counterfactual.take_segment(segment)
        _end_well()
    start(session, settings)
    return session


def _end_well() -> None:
    """Let a process that stops at the end of a segment exit with status 0, and without a traceback."""
    from otel_mas.replay.segment import is_segment_end

    shown = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if is_segment_end(error):
            raise SystemExit(0)
        shown(kind, error, traceback)

    sys.excepthook = hook


def _say_missed(session: ReplaySession) -> None:
    for error in [*session.stopped[:1], *session.misses[:3]]:
        sys.stderr.write(f"otel-mas: {error}\n")


__all__ = ["policy_of", "start_in_run"]
