"""Prints, as JSON, the graph that agent-tracegraph makes of the OTLP file it is given; for an environment with it."""

import json
import sys

from tracegraph.adapters.otlp_spans import OTLPSpanAdapter

adapter = OTLPSpanAdapter.from_file(sys.argv[1])
found = {}
for trace_id in adapter.discover():
    raw = adapter.ingest(trace_id)
    found[trace_id] = {
        "steps": [step.step_id for step in raw.steps],
        "edges": [[edge.dst, edge.src, edge.origin.value] for edge in raw.causal_edges],
        "gaps": [gap.code for gap in raw.trace.capture.gaps],
    }
print(json.dumps(found))
