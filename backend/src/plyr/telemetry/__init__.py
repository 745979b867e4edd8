"""Logs, and the words for what happens."""
