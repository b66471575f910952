"""What `otel-mas doctor` finds: what is configured, installed and reachable, and what is wrong with it."""
