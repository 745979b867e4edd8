"""Uploads: bytes that arrive in any number of pieces, and the job that makes a track of them."""
