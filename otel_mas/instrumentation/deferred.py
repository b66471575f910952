"""Start recording when the app imports OpenTelemetry or a framework: most processes of a run never do."""

from __future__ import annotations

import sys

from otel_mas.instrumentation import import_hooks, install

_OPENTELEMETRY = "opentelemetry.trace"
# Modules that starting needs. If the app itself imports one, it imports OpenTelemetry half-way through.
_OURS = (
    "otel_mas.record",
    "otel_mas.record.lifecycle",
    "otel_mas.instrumentation.switch",
    "otel_mas.replay.autostart",  # imports modules of the instrumentation
)


def start_when_needed() -> None:
    """Record this process by the settings of its environment, from the import of OpenTelemetry or a framework on."""
    for module in (_OPENTELEMETRY, *_OURS, *install.modules()):
        import_hooks.when_imported(module, _start)


def _start(imported: str) -> None:
    if any(module != imported and import_hooks.being_imported(module) for module in _OURS):
        return  # the last of them calls this too
    import_hooks.forget(_start)
    try:
        from otel_mas.config import Settings
        from otel_mas.instrumentation import switch

        switch.switch_on(Settings.from_env(), asked=True)
    except Exception as error:
        sys.stderr.write(f"otel-mas: this process is not recorded: {' '.join(str(error).split())}\n")


__all__ = ["start_when_needed"]
