"""The queue, the writer's thread, and everything between a finished span and a committed row."""
