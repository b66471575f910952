"""Files of trace records, of otel-mas or of any other program: JSON lines or MessagePack."""
