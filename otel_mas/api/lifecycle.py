"""Recording in code: on, written, off."""

from __future__ import annotations

import os
from typing import Any

from otel_mas.config import Content, Settings
from otel_mas.instrumentation import switch
from otel_mas.record import lifecycle


def instrument(*, store: str | os.PathLike[str] | None = None, content: Content | None = None, **settings: Any) -> None:
    """Record this process: LangGraph, LangChain, and every span of the app's tracer provider.

    It may be called at any time, before or after LangGraph is imported or the app sets its tracer provider. Called
    again with the same settings it does nothing; with others they hold from then on. Nothing happens while recording
    is switched off (`OTEL_SDK_DISABLED=true` or `OTEL_MAS_ENABLED=false`).

    Args:
        store: the file to record into. By default the one that `OTEL_MAS_STORE` names, or the one in your data
            directory.
        content: what is kept of messages, tool calls and exceptions: "full", "redacted" or "none". By default what
            `OTEL_MAS_CONTENT` says, or "redacted".
        settings: any other setting by name, as in `otel_mas.config.Settings`; each goes before its variable. So
            `personal_data=["email", "phone"]` or `"all"` takes these out of what is stored, `redact_function` is a
            function of a path and a text that returns the text to store or None to remove it (docs/privacy.md).

    Raises:
        ConfigError: naming every invalid setting, of those given and of those in the environment.
    """
    found = Settings.from_env(store=store, content=content, **settings)
    switch.switch_on(found, asked=True)
    if found.faults and found.enabled:
        from otel_mas.faults.autostart import start_by_settings

        start_by_settings(found)


def flush(timeout: float = 5.0) -> bool:
    """Write what is recorded so far, and the spans that are still open as such.

    Args:
        timeout: seconds to wait at most.

    Returns:
        Whether all of it is in the store.
    """
    return lifecycle.flush(timeout)


def shutdown(timeout: float = 5.0) -> bool:
    """Write what is recorded and stop recording. Not needed at the end of a program: exit does the same.

    Args:
        timeout: seconds to wait at most.

    Returns:
        Whether all of it is in the store.
    """
    return switch.switch_off(timeout)


__all__ = ["flush", "instrument", "shutdown"]
