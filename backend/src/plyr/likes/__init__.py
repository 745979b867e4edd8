"""Likes: who likes which record, whether or not we know that record yet."""
