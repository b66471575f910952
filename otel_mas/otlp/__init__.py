"""OTLP spans as bytes, as JSON and as the model's objects. Nothing here reads a file or a socket.

- `wire`: protobuf's wire format, read and written field by field, without decoding a message
- `encode`: attributes → bytes, by hand, since the recorder encodes millions of them
- `nesting`: the limit on nested values, and decoding into protobuf's classes within it
- `decode`: bytes → `model.SpanBody`, `Resource`, `Scope`
- `json`: OTLP/JSON ⇄ messages
- `framing`: stored spans → one `TracesData` message, by concatenation
- `array_parts`: long string arrays, split on the way out and joined on the way in
"""
