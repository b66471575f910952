"""Looking after a store: checking it, saving what can be read of a damaged one, making it smaller."""
