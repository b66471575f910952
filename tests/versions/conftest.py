"""A line for each LangGraph at the end of the run: how many passed with it, and what it lacks."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    lines = [line for report in reports for name, line in report.user_properties if name == "version"]
    if lines:
        terminalreporter.section("LangGraph's versions")
        for line in lines:
            terminalreporter.line(line)
