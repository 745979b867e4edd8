"""Background work as rows: `service` to ask for it and follow it, `runner` to do it."""
