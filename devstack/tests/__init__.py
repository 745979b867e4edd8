"""tests of the dev stack, with real processes."""
