"""The local store as a source."""
