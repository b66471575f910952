"""Spans in a line each, as in the tests of the profile."""

from tests.unit.analyse.profile.conftest import made

__all__ = ["made"]
