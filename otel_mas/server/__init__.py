"""Server of recorded runs: HTTP API, live stream, page, and tools for models (MCP)."""
