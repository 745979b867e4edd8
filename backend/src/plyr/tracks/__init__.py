"""Tracks: published audio and what is said of it."""
