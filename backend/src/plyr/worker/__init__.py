"""The worker: hears what is due, hands it to docket, and runs it."""
