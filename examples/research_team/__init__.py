"""A team of agents that researches a question, writes a report, and asks a human before it publishes."""
