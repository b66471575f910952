"""Alert rules held against the store by a thread of the server, every OTEL_MAS_ALERTS_INTERVAL."""

from __future__ import annotations

import threading
from collections.abc import Sequence, Set
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from otel_mas.alert.rules_file import Rules
from otel_mas.alert.state import StateFile, path_of
from otel_mas.errors import OtelMasError
from otel_mas.errors.log import logger

if TYPE_CHECKING:
    from otel_mas.alert.notify.delivery import Problem
    from otel_mas.config import Settings

_DEFAULT: Final = "default"
_STOP_S: Final = 15.0


class AlertLoop:
    """The thread. It does nothing where OTEL_MAS_ALERTS is not set.

    Args:
        settings: name the rules, the interval and the store.

    Raises:
        ConfigError: The rules file is wrong.
        MissingExtra: PyYAML is not installed.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._rules: Rules | None = None
        if settings.alerts is not None:
            self._rules = Rules.built_in() if settings.alerts == _DEFAULT else Rules.read(settings.alerts)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="otel-mas alerts", daemon=True)
        self._failure: str | None = None
        self._reported: Set[str] = frozenset()

    def start(self) -> None:
        """Start the thread."""
        if self._rules is not None:
            self._thread.start()

    def stop(self) -> None:
        """End the thread; a notification that is being sent may be over first."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_STOP_S)

    def _run(self) -> None:
        while not self._stopping.wait(0.0):
            try:
                self._check_until_stopped()
            except OtelMasError as error:
                if str(error) != self._failure:  # not with each look
                    self._failure = str(error)
                    logger.warning("otel-mas: alert rules cannot be evaluated: %s", error)
            except Exception:
                logger.exception("otel-mas: alert rules cannot be evaluated")
            self._stopping.wait(self._settings.alerts_interval_s)

    def _check_until_stopped(self) -> None:
        from otel_mas.api import open as open_source
        from otel_mas.api.alerts import AlertCheck

        assert self._rules is not None
        store, interval_s = self._settings.store, self._settings.alerts_interval_s
        with ExitStack() as stack:
            source = stack.enter_context(open_source(store))  # a connection of its own
            state = stack.enter_context(StateFile(path_of(store)))
            checking = AlertCheck(source, self._rules, state, interval_s=interval_s)
            while not self._stopping.is_set():
                self._report(checking.check().problems)
                self._failure = None
                self._stopping.wait(interval_s)

    def _report(self, problems: Sequence[Problem]) -> None:
        found = {f"{one.receiver} of alerts is not notified: {one.reason}" for one in problems}
        for problem in sorted(found - self._reported):  # not with each check
            logger.warning("otel-mas: receiver %s", problem)
        self._reported = found


__all__ = ["AlertLoop"]
