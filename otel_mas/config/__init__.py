"""Settings: environment variable, type, default and meaning of each, in one table."""

from otel_mas.config.settings import OWN, SETTINGS, Capture, Content, Setting, Settings

__all__ = ["OWN", "SETTINGS", "Capture", "Content", "Setting", "Settings"]
