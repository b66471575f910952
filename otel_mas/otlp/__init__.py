"""OTLP as bytes, JSON and model: encoding, decoding, framing."""
