"""Settings in one table, the OTLP variables, and connections to servers as the settings say."""

from otel_mas.config.setting import Setting
from otel_mas.config.settings import OWN, SETTINGS, Capture, Content, Settings

__all__ = ["OWN", "SETTINGS", "Capture", "Content", "Setting", "Settings"]
