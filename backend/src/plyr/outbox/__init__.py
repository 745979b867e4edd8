"""Writes to people's repos, kept in the transaction that wants them and delivered in order."""
