"""Destinations for the store's log: the place of the durable exporters, which read it with a cursor each."""
