"""Repos: every repo we know, where it lives, and how sure we are that the index holds what it holds."""
