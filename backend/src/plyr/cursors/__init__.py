"""Cursors: how far each stream of repo events was applied, and who may go on."""
