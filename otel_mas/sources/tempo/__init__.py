"""Grafana Tempo as a source."""
