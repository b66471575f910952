"""Settings: environment variable, type, default and meaning of each, in one table."""

from otel_mas.config.settings import OWN, Settings
from otel_mas.config.table import SETTINGS, Capture, Content, Setting

__all__ = ["OWN", "SETTINGS", "Capture", "Content", "Setting", "Settings"]
