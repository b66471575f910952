"""The causes that are worked out in traces of others, against those that we record of the same runs."""
