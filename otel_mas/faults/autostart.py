"""Injection by the settings of the environment: under `otel-mas run --fault`, and with `otel_mas.instrument()`."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Sequence

from otel_mas.config import Settings
from otel_mas.errors.log import logger
from otel_mas.faults.fault import parse_faults
from otel_mas.faults.injection import Injection
from otel_mas.faults.switch import OFF, forbidden, start
from otel_mas.model import never_occurred

_started: Injection | None = None


def asked_for(settings: Settings, texts: Sequence[str]) -> str:
    """The faults to inject, in place of those of the settings where any are given: as text of OTEL_MAS_FAULTS.

    Raises:
        ConfigError: A fault is none, or the settings forbid injection and some are asked for.
    """
    if settings.faults == OFF:
        if texts:
            raise forbidden()
        return OFF
    return ";".join(map(str, parse_faults(";".join(texts) or settings.faults or "")))


def start_by_settings(settings: Settings) -> None:
    """Inject the faults that the settings name into this process, until it ends. Called again it does nothing.

    Raises:
        ConfigError: A fault is none.
    """
    global _started
    if _started is not None or settings.faults in (None, OFF):
        return
    _started = Injection(parse_faults(settings.faults), settings.fault_seed)
    start(_started)
    if settings.run_id is None:  # else `otel-mas run` says so, for all of its processes
        atexit.register(_name_never_fired, _started)


def start_in_run() -> None:
    """Inject into a process under `otel-mas run`; an error is a line on stderr."""
    try:
        settings = Settings.from_env()
        if settings.enabled:
            start_by_settings(settings)
    except Exception as error:
        sys.stderr.write(f"otel-mas: no faults are injected into this process: {' '.join(str(error).split())}\n")


def _name_never_fired(injection: Injection) -> None:
    for fault in injection.never_fired:
        logger.warning("otel-mas: %s", never_occurred(str(fault)))


__all__ = ["start_by_settings", "start_in_run"]
