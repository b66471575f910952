"""ClickHouse, as a Collector's exporter fills it, as a source."""
