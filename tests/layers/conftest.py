"""A browser and Jaeger for tests over several processes."""

from tests.backends.jaeger import jaeger_binary
from tests.browser.conftest import browser

__all__ = ["browser", "jaeger_binary"]
