"""tests of the ingest process."""
