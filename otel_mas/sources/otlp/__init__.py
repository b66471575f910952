"""OTLP files as a source."""
