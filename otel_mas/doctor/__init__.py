"""Diagnosis for `otel-mas doctor`: configuration, installation and reachability."""
