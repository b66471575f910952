"""Receiver of trace records from code that has them already, into a store or a file."""
