"""Redaction of what is stored, and the policy for what leaves the machine."""
