"""Notifications: which are due, their forms, and their delivery."""
