"""LangGraph's checkpoints as a source."""
