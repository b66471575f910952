"""Jaeger as a source."""
