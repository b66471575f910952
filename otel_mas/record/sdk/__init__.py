"""Spans, processors and providers: the side of recording that faces the OpenTelemetry SDK."""
