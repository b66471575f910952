"""A store for tests of what is read from it."""

from tests.unit.store.conftest import bench

__all__ = ["bench"]
