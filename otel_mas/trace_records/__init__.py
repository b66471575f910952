"""Trace records: what happened in a run, an object of JSON or MessagePack each, for programs that know nothing of us.

- `record`: the public models, `TraceRecord` and its parts
- `values`: what a field can hold, and its form in JSON
- `formats`: JSON lines and MessagePack
- `payload`: attributes with content ⇄ payload, and its size
- `ids`: ids of other programs as OpenTelemetry's
- `spans`: records → spans; the way back needs the graph, and is `otel_mas.analyse.records`
"""
