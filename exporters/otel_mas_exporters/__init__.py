"""Destinations for the store's log: OTLP over HTTP and gRPC, and files of OTLP/JSON lines."""
