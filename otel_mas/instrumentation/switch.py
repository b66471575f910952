"""Recording on and off, the same for every way in."""

from __future__ import annotations

import dataclasses
import importlib
import logging
import sys
from typing import TYPE_CHECKING

from otel_mas.config import OWN, Settings
from otel_mas.errors.log import logger
from otel_mas.fork import ForkLock
from otel_mas.instrumentation import install
from otel_mas.pricing import PRICES
from otel_mas.record import lifecycle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_mas.config.limits import Limits
    from otel_mas.record.sdk.processor import ForeignSpans

_BUDGETS = "otel_mas.instrumentation.budgets.in_process"
_LOGS = "otel_mas.instrumentation.logs.level"

_lock = ForkLock()
_running: Settings | None = None
_asked = False  # whether somebody asked for this recording, or it runs because otel-mas is installed


def switch_on(settings: Settings, *, asked: bool) -> None:
    """Record this process. A second call has no effect, unless only the second one was asked for.

    Args:
        settings: `content` gets its default here.
        asked: whether a user asked for this recording; otherwise otel-mas is merely installed.
    """
    global _running, _asked
    if not settings.enabled:
        return
    asked = asked or settings.run_id is not None
    if settings.content is None:
        settings = dataclasses.replace(settings, content="redacted" if asked else "none")
    if settings.log_level is None or settings.content == "none":
        level = logging.WARNING if asked and settings.content != "none" else 0
        settings = dataclasses.replace(settings, log_level=level)
    with _lock:
        if _running is not None and not _replaces(settings, _running, asked):
            return
        first = _running is None
        lifecycle.start(settings, _foreign_spans(settings), (PRICES.enrich,))
        _running, _asked = settings, asked
        if first:
            install.install()
        _keep_logs(settings.log_level or 0)
        _set_budgets(settings.budgets)


def settings() -> Settings | None:
    """The settings of the recording; None while this process is not recorded."""
    return _running


def join(parent: Settings) -> None:
    """Record this process like its parent, unless it is recorded already or its environment forbids it."""
    if _running is None and Settings.from_env().enabled:
        switch_on(parent, asked=True)


def switch_off(timeout: float) -> bool:
    """Stop recording, and write everything within `timeout` seconds. Whether all was written."""
    global _running
    with _lock:
        if _running is None:
            return True
        _running = None
        _set_budgets(())
        install.uninstall()
        _keep_logs(0)
        return lifecycle.shutdown(timeout)


def _keep_logs(level: int) -> None:
    if level or _LOGS in sys.modules:
        importlib.import_module(_LOGS).set_level(level)


def _set_budgets(budgets: Sequence[Limits]) -> None:
    if budgets or _BUDGETS in sys.modules:
        importlib.import_module(_BUDGETS).set_in_process(budgets)


def _foreign_spans(settings: Settings) -> ForeignSpans | None:
    if settings.model_spans == OWN:
        return None
    from otel_mas.instrumentation.interop.foreign_spans import ForeignModelSpans

    return ForeignModelSpans(settings.model_spans, settings.simulated_cost)


def _replaces(settings: Settings, running: Settings, asked: bool) -> bool:
    if not asked or settings == running:
        return False
    if not _asked or running.run_id is None:
        return True
    # The user of `otel-mas run --store ...` will look there.
    logger.warning(
        "otel-mas: this process is recorded into %s (content %s) by `otel-mas run`; what the app asks for is set aside",
        running.store,
        running.content,
    )
    return False


__all__ = ["switch_off", "switch_on"]
