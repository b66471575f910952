"""Alert rules as data: evaluated from a store, sent to receivers, and rendered for Prometheus."""
