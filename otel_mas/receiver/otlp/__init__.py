"""Receiver of OTLP: requests of traces and logs, over gRPC and HTTP, into a store.

- `outcome`: the answer to a request, and its refusals
- `inflate`: decompression up to a bound
- `decode`: a request's bytes → rows, within bounds on what they may become
- `log_rows`: log records as content of their spans
- `ingest`: a bounded queue, a thread that decodes and one that commits; many requests share a commit
- `grpc_service`, `http_app`: the two transports
- `figures`: what was accepted, refused and queued, as OTel metrics
"""
