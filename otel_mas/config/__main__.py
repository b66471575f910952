"""Prints the table of settings as Markdown, for the documentation."""

from otel_mas.config.table import markdown

print(markdown(), end="")
