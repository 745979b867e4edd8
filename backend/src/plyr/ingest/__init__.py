"""The ingest process: one leader follows a stream of repo events into the index, the others stand by."""
