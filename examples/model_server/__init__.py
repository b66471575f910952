"""A small local server that speaks the OpenAI chat-completions protocol with scripted answers."""

from examples.model_server.server import ModelServer

__all__ = ["ModelServer"]
