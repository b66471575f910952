"""Renderers: terminal, HTML, SVG, JSON, data frame."""
