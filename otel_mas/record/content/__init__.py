"""Messages, states and other content: snapshots, digests, provenance."""
