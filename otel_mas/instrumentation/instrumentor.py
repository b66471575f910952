"""The `opentelemetry_instrumentor` entry point: recording under `opentelemetry-instrument` and its kin."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined] # untyped

from otel_mas.config import Settings
from otel_mas.errors.log import logger
from otel_mas.instrumentation import switch


class OtelMasInstrumentor(BaseInstrumentor):  # type: ignore[misc] # untyped
    """Records this process by the settings of its environment.

    Content is kept only if the environment asks for it (`OTEL_MAS_CONTENT`, or `otel-mas run`): being installed must
    not write prompts to a disk.
    """

    def instrumentation_dependencies(self) -> Collection[str]:
        """None: frameworks are looked for when the app imports them."""
        return ()

    def instrument(self, **kwargs: Any) -> Any:
        """Start recording, unless `otel-mas run` or the app has started it."""
        if self._is_instrumented_by_opentelemetry:
            return None
        return super().instrument(**kwargs)

    def _instrument(self, **kwargs: Any) -> None:
        # An error raised here would keep opentelemetry-instrument from loading the other instrumentors.
        try:
            switch.switch_on(Settings.from_env(), asked=False)
        except Exception as error:
            logger.warning("otel-mas: this process is not recorded: %s", error)

    def _uninstrument(self, **kwargs: Any) -> None:
        switch.switch_off(Settings().exit_timeout_s)


__all__ = ["OtelMasInstrumentor"]
